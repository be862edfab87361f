// @ts-check
/**
 * The worker that has the keys and the connection. Each tab starts one; the one that holds the lock leads, and serves
 * all tabs of this browser through a channel. When it ends, with its tab or by a crash, the next worker gets the lock
 * and leads. The worker also holds a lock with its own name, by which its tab notices a crash and starts another
 * worker.
 */
import { reportFailure } from './failure.js';

const LOCK = 'sottovoce';

/** CoreCrypto expects a window. */
/** @type {any} */ (globalThis).window = self;

void navigator.locks.request(self.name, () => {
  self.postMessage({ alive: true });
  return new Promise(() => {});
});

await navigator.locks.request(LOCK, async () => {
  const { lead } = await import('./leader.js');
  try {
    await lead();
  } catch (error) {
    reportFailure(error);
    return;
  }
  await new Promise(() => {}); // until this worker ends
});
