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

navigator.serviceWorker?.register(scriptUrl('/sw.js')).catch(() => {}); // no start without a network then; all else works
