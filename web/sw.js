// @ts-check
/**
 * Lets the client start without a network. Files come from the server whenever it answers, so that the files that can
 * be audited there are those that run; bundles with a hash in the name never change. Requests to the API pass by.
 */
const CACHE = 'sottovoce';

/**
 * @typedef {Event & { request: Request, waitUntil(work: Promise<unknown>): void, respondWith(answer: Promise<Response>): void }} WorkerEvent
 * @typedef {object} Scope what this file uses of a ServiceWorkerGlobalScope
 * @property {Location} location
 * @property {{ claim(): Promise<void> }} clients
 * @property {() => Promise<void>} skipWaiting
 * @property {(type: 'install' | 'activate' | 'fetch', listener: (event: WorkerEvent) => void) => void} addEventListener
 */
const sw = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));

sw.addEventListener('install', () => void sw.skipWaiting());
sw.addEventListener('activate', (event) => event.waitUntil(sw.clients.claim()));
sw.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== sw.location.origin) return;
  if (pathname === '/' || pathname.startsWith('/web/'))
    event.respondWith(answer(event, /-[0-9A-F]{8}\.\w+$/.test(pathname)));
});

/** @param {WorkerEvent} event @param {boolean} isForEver */
async function answer(event, isForEver) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  const key = new URL(request.url).pathname;
  const known = await cache.match(key);
  if (known && isForEver) return known;
  try {
    const fresh = await fetch(request);
    // A full cache is no error.
    if (fresh.ok) event.waitUntil(keep(cache, key, fresh.clone(), isForEver).catch(() => {}));
    return fresh;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

/**
 * In place of what had another hash.
 * @param {Cache} cache @param {string} key @param {Response} fresh @param {boolean} isForEver
 */
async function keep(cache, key, fresh, isForEver) {
  await cache.put(key, fresh);
  if (!isForEver) return;
  const name = (/** @type {string} */ path) => path.replace(/-[0-9A-F]{8}(?=\.\w+$)/, '');
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname !== key && name(pathname) === name(key) && pathname !== name(pathname)) await cache.delete(url);
  }
}
