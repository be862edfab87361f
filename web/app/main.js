// @ts-check
/** The page starts: state, link to the worker, actions, and the component that holds all others. */
import './app.js';
import { createActions, runActions } from './actions.js';
import { onEvent } from './events.js';
import { Link } from './link.js';
import { useLanguage } from './messages/index.js';
import { followAddress } from './navigation.js';
import { createPage } from './page.js';
import { Store } from './state/store.js';
import { scriptUrl } from './trusted.js';

const LOADED_MS = 3000; // after the start, all files are there
const TYPING_CHECK_MS = 1000;

// Until the settings are loaded.
document.documentElement.lang = useLanguage('system', navigator.languages);

const app = /** @type {import('./app.js').App} */ (document.querySelector('sv-app'));
const store = new Store();
const page = createPage(store, app);
const link = new Link((event) => onEvent(context, event));
const { rpc } = link;
const context = { rpc, link, store, page };

store.subscribe((state) => (app.state = state));
runActions(app, createActions(context), page);
addEventListener('hashchange', () => followAddress(context));
for (const type of ['online', 'offline', 'pageshow']) addEventListener(type, () => void rpc.connection.check());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void rpc.connection.check();
});
setInterval(() => store.dispatch({ type: 'typing expired', at: Date.now() }), TYPING_CHECK_MS);

link.start();
void start();
keepForOfflineStart();

async function start() {
  followAddress(context);
  onEvent(context, { event: 'snapshot', detail: await rpc.page.snapshot() });
  if (!store.state.me) app.server = await rpc.account.server().catch(() => null);
}

/** The service worker lets the page start without a network; everything else works without it. */
function keepForOfflineStart() {
  const { serviceWorker } = navigator;
  const isFirst = !serviceWorker?.controller;
  serviceWorker?.register(scriptUrl('/sw.js')).catch(() => {});
  serviceWorker?.addEventListener('controllerchange', () => {
    if (isFirst) setTimeout(() => void fetchLoadedFiles(), LOADED_MS);
  });
}

/**
 * The first time, the service worker starts while files are loaded: it keeps them when they are fetched again, and none
 * of those that are loaded at that moment.
 */
async function fetchLoadedFiles() {
  const files = [
    ...performance.getEntriesByType('resource').map(({ name }) => name),
    ...(await rpc.page.loadedFiles()),
  ];
  const ours = new Set(files.filter((address) => address.startsWith(`${location.origin}/web/`)));
  for (const file of ['/', ...ours]) void fetch(file).catch(() => {});
}
