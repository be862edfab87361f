// @ts-check
import { sleep } from '../transport/api.js';

const DELAY_MS = 200;

/**
 * Run `work` once for many calls, 200 ms after the first of them, and never twice at a time.
 * @param {() => Promise<void>} work which handles its own errors @returns {() => void}
 */
export function debounce(work) {
  let isDue = false;
  let last = Promise.resolve();
  return () => {
    if (isDue) return;
    isDue = true;
    last = last.then(async () => {
      await sleep(DELAY_MS);
      isDue = false;
      await work();
    });
  };
}
