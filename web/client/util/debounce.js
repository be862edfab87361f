// @ts-check
import { sleep } from '../transport/api.js';

const SOON_MS = 200;

/**
 * What many things call for is done once for all of them, a moment later, and never twice at a time.
 * @param {() => Promise<void>} work which takes its errors itself @returns {() => void}
 */
export function soon(work) {
  let isDue = false;
  let last = Promise.resolve();
  return () => {
    if (isDue) return;
    isDue = true;
    last = last.then(async () => {
      await sleep(SOON_MS);
      isDue = false;
      await work();
    });
  };
}
