// @ts-check
/** What the worker reports, applied to the state and the page. */
import { isMessage } from '../client/content/index.js';
import { PASSING } from '../client/mls/errors.js';
import { loadWindow, resync } from './features/timeline/loading.js';
import { errorText } from './messages/errors.js';
import { t, useLanguage } from './messages/index.js';
import { arrive } from './navigation.js';
import { notifyOf, showUnreadCount } from './notifications.js';

/**
 * @typedef {import('./actions.js').Context} Context
 * @typedef {import('./link.js').WorkerEvent} WorkerEvent
 * @typedef {import('./link.js').LinkEvents} WorkerEvents
 * @typedef {import('./state/reducer.js').Event} StateEvent
 * @typedef {import('./state/reducer.js').Waiting} Waiting
 */

/**
 * By the name of the event. Others become an event of the state as they are.
 * @satisfies {{ [Name in keyof WorkerEvents]?: (context: Context, detail: WorkerEvents[Name]) => void }}
 */
const HANDLERS = {
  /** @param {Context} context @param {import('./state/reducer.js').Snapshot} snapshot */
  snapshot(context, snapshot) {
    const { store } = context;
    const before = store.state;
    if (before.me && !snapshot.me) return location.replace('/'); // logged out: nothing stays in this page
    store.dispatch({ type: 'snapshot', ...snapshot });
    applySettings(store.state);
    if (!before.me && snapshot.me) void arrive(context);
    else if (store.state.open) void loadWindow(context, store.state.open); // a new worker leads: its data count
  },

  /** @param {Context} context @param {import('./state/reducer.js').Settings} settings */
  settings({ store }, settings) {
    store.dispatch({ type: 'settings', settings });
    applySettings(store.state);
  },

  /** @param {Context} context */
  ready(context) {
    const { store } = context;
    store.dispatch({ type: 'ready' });
    resync(context, store.state.window?.items ?? []);
  },

  /** @param {Context} context @param {import('./state/reducer.js').Conversation} conversation */
  conversation({ store }, conversation) {
    store.dispatch({ type: 'conversation', conversation });
    showUnreadCount(store.state);
  },

  /** @param {Context} context @param {{ conversation: string }} detail */
  rewound(context, { conversation }) {
    if (conversation === context.store.state.open) void loadWindow(context, conversation);
  },

  /** @param {Context} context @param {{ conversation: string }} detail */
  gone({ store }, { conversation }) {
    store.dispatch({ type: 'gone', conversation });
    showUnreadCount(store.state);
  },

  /** @param {Context} context @param {Waiting} waiting */
  waiting({ store }, waiting) {
    store.dispatch({ type: 'waiting', waiting });
  },

  /** @param {Context} context @param {{ reason: string, code?: string }} detail */
  broken(context, { reason, code = '' }) {
    const { rpc, store } = context;
    const { phase } = store.state;
    store.dispatch({ type: 'start failed', code });
    console.info('sottovoce: the worker could not start:', reason);
    // The worker of another tab may have started, and reported that before.
    if (phase !== 'failed') void rpc.page.snapshot().then((snapshot) => HANDLERS.snapshot(context, snapshot));
  },

  /** @param {Context} context @param {Waiting & { code: string, error: string }} detail */
  failed({ store, page }, { content, conversation, code, error }) {
    if (isMessage(content) && conversation === store.state.open) return; // the message itself shows it
    if (PASSING.includes(code)) return; // it waits
    const reason = errorText({ code, message: error }, { invalid: t.errors.unsendable });
    page.toast(t.message.notSent(reason));
  },

  /** @param {Context} context @param {{ conversation: string, user: string }} detail */
  typing({ store }, { conversation, user }) {
    store.dispatch({ type: 'typing', conversation, user, at: Date.now() });
  },

  message: notifyOf,

  /** @param {Context} context @param {{ error: { code: string, message: string } }} detail */
  problem(context, { error }) {
    console.warn('sottovoce:', error.code, error.message);
  },

  leads() {},
};

/** @param {Context} context @param {WorkerEvent} event */
export function onEvent(context, { event: type, detail }) {
  if (!Object.hasOwn(HANDLERS, type)) return context.store.dispatch(/** @type {StateEvent} */ ({ type, ...detail }));
  const handlers = /** @type {Record<string, (context: Context, detail: object) => void>} */ (HANDLERS);
  handlers[type](context, detail);
}

/** Theme, language, title and badge follow the state. @param {import('./state/reducer.js').State} state */
function applySettings(state) {
  const root = document.documentElement;
  const { theme = 'system', language = 'system' } = state.settings ?? {};
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
  localStorage.setItem('theme', theme); // for theme.js, before the worker has started
  root.lang = useLanguage(language, navigator.languages);
  showUnreadCount(state);
}
