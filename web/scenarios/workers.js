// @ts-check
import { readFileSync, readdirSync } from 'node:fs';

/** The server's worker processes. @param {number} serverPid 0: unknown, no workers */
export function workerPids(serverPid) {
  return serverPid === 0
    ? []
    : readdirSync('/proc')
        .filter((pid) => isWorker(pid, serverPid))
        .map(Number);
}

/** @param {string} pid @param {number} serverPid */
function isWorker(pid, serverPid) {
  try {
    const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(parent) === serverPid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('run.process.child');
  } catch {
    return false; // no process, or one that has ended
  }
}
