// @ts-check
/** A lock file: one process at a time uses a folder. The lock of a process that has died is taken over. */
import { link, rm, writeFile } from 'node:fs/promises';
import { readIfThere } from './read.js';

const OWNER_ONLY = 0o600;

/**
 * Take the lock, for good: it is removed with the folder. It may be taken again by the same process.
 * @param {string} path @param {number} [pid] of this process
 * @param {(pid: number) => boolean} [isAlive] throws if another process has the lock
 */
export async function lock(path, pid = process.pid, isAlive = isRunning) {
  const own = `${path}.${pid}`;
  await rm(own, { force: true });
  await writeFile(own, String(pid), { mode: OWNER_ONLY });
  try {
    while (!(await linked(own, path))) {
      const holder = await holderOf(path);
      if (holder === pid) return;
      if (holder && isAlive(holder)) throw new Error(`the folder is in use by process ${holder} (${path})`);
      await removeDead(own, path, isAlive);
    }
  } finally {
    await rm(own);
  }
}

/**
 * Remove the lock of a dead process. One process at a time does this: another could remove the lock of the next one.
 * @param {string} own @param {string} path @param {(pid: number) => boolean} isAlive
 */
async function removeDead(own, path, isAlive) {
  const turn = `${path}.turn`;
  const before = await holderOf(turn);
  if (before && !isAlive(before)) await rm(turn, { force: true });
  if (!(await linked(own, turn))) return;
  try {
    const held = await readIfThere(path); // where there is none, the next moment there may be one of a process that runs
    if (held !== null && !isAlive(Number(held))) await rm(path);
  } finally {
    await rm(turn);
  }
}

/** Whether `path` was created, with the content of `from`; it is not if it exists. @param {string} from @param {string} path */
async function linked(from, path) {
  return link(from, path).then(
    () => true,
    (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== 'EEXIST') throw error;
      return false;
    },
  );
}

/** Zero if there is none. @param {string} path */
async function holderOf(path) {
  return Number(await readIfThere(path));
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}
