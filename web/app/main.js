// @ts-check
/** The page begins: state, link, and the one component that holds all others. */
import './components/app.js';
import { intentsOf } from './intents.js';
import { Link } from './link.js';
import { Store } from './store.js';
import { scriptUrl } from './trusted.js';

const store = new Store();
const link = new Link((event, detail) => intents.onEvent(event, detail));
const intents = intentsOf(store, link);

const app = /** @type {import('./components/app.js').App} */ (document.querySelector('sv-app'));
store.subscribe((state) => (app.state = state));
app.addEventListener('intent', (event) => intents.onIntent(/** @type {CustomEvent} */ (event).detail));

link.start();
intents.begin();

const isFirst = !navigator.serviceWorker?.controller;
navigator.serviceWorker?.register(scriptUrl('/sw.js')).catch(() => {}); // no start without a network then; all else works
navigator.serviceWorker?.addEventListener('controllerchange', async () => {
  if (!isFirst) return;
  // It came after everything else had been loaded. What that was passes by it once more, and is kept for a start without a network.
  const loaded = [...performance.getEntriesByType('resource').map(({ name }) => name), ...(await link.rpc.page.loadedFiles())];
  const parts = new Set(loaded.filter((address) => address.startsWith(`${location.origin}/web/`)));
  for (const part of ['/', ...parts]) void fetch(part).catch(() => {});
});
