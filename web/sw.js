// @ts-check
/**
 * Lets the client start without a network. What the server has now goes first, so that what a reader audits there is
 * what runs; bundles with their hash in the name never change. The API passes by.
 */
const CACHE = 'sottovoce';
const sw = /** @type {any} */ (globalThis);

sw.addEventListener('install', () => sw.skipWaiting());
sw.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(sw.clients.claim()));
sw.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== sw.location.origin) return;
  if (pathname === '/' || pathname.startsWith('/web/'))
    event.respondWith(answer(event, /-[0-9A-F]{8}\.\w+$/.test(pathname)));
});

/** @param {any} event @param {boolean} isForEver */
async function answer(event, isForEver) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  const key = new URL(request.url).pathname;
  const known = await cache.match(key);
  if (known && isForEver) return known;
  try {
    const fresh = await fetch(request);
    if (fresh.ok) event.waitUntil(keep(cache, key, fresh.clone(), isForEver).catch(() => {})); // a full cache stops nobody
    return fresh;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

/** In place of what had another hash. @param {Cache} cache @param {string} key @param {Response} fresh @param {boolean} isForEver */
async function keep(cache, key, fresh, isForEver) {
  await cache.put(key, fresh);
  if (!isForEver) return;
  const name = (/** @type {string} */ path) => path.replace(/-[0-9A-F]{8}(?=\.\w+$)/, '');
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname !== key && name(pathname) === name(key) && pathname !== name(pathname)) await cache.delete(url);
  }
}
