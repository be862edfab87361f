// @ts-check
/**
 * Where keys and network live. Each tab starts such a worker; the one that holds the lock leads, and serves all tabs
 * of this browser over a channel. When it goes, with its tab or in a crash, the next one takes over; and its tab, which
 * waits for the lock that bears its name, starts another.
 */
import { reportFailure } from './failure.js';

const LOCK = 'sottovoce';

/** CoreCrypto believes that it is in a window. */
/** @type {any} */ (globalThis).window = self;

navigator.locks.request(self.name, () => {
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
