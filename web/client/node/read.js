// @ts-check
import { readFile } from 'node:fs/promises';

/** Null if there is no such file; throws if it cannot be read. @param {string} path */
export async function readIfThere(path) {
  return readFile(path).catch((/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
}
