// @ts-check
/** What the worker reports, applied to the state and the page. */
import { loadWindow, resync } from './features/timeline/loading.js';
import { errorText } from './messages/errors.js';
import { t, useLanguage } from './messages/index.js';
import { arrive } from './navigation.js';
import { notifyOf, showUnreadCount } from './notifications.js';

/** @typedef {import('./actions.js').Context} Context */

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

/** @param {Context} context @param {string} type @param {any} detail as the worker sends it */
export function onEvent(context, type, detail) {
  const { rpc, store, page } = context;
  const before = store.state;
  switch (type) {
    case 'snapshot':
      if (before.me && !detail.me) return location.replace('/'); // logged out: nothing stays in this page
      store.dispatch({ type, ...detail });
      applySettings(store.state);
      if (!before.me && detail.me) void arrive(context);
      else if (store.state.open) void loadWindow(context, store.state.open); // a new worker: its data count
      return;
    case 'settings':
      store.dispatch({ type, settings: detail });
      return applySettings(store.state);
    case 'ready':
      store.dispatch({ type });
      return resync(context, store.state.window?.items ?? []);
    case 'conversation':
      store.dispatch({ type, conversation: detail });
      return showUnreadCount(store.state);
    case 'gone':
      store.dispatch({ type, ...detail });
      return showUnreadCount(store.state);
    case 'waiting':
      return store.dispatch({ type, waiting: detail });
    case 'broken':
      store.dispatch({ type: 'start failed' });
      console.info('sottovoce: the worker could not start:', detail.reason);
      // The worker of another tab may have started, and reported that before.
      if (before.phase !== 'failed') void rpc.page.snapshot().then((now) => onEvent(context, 'snapshot', now));
      return;
    case 'failed': {
      if (detail.content.kind === 'text' && detail.conversation === store.state.open) return; // the message shows it
      const error = { code: detail.code, message: detail.error };
      return page.toast(t.message.notSent(errorText(error, { invalid: t.errors.unsendable })));
    }
    case 'typing':
      return store.dispatch({ type, conversation: detail.conversation, user: detail.user, at: Date.now() });
    case 'message':
      return notifyOf(context, detail);
    case 'problem':
      return console.warn('sottovoce:', detail.error.code, detail.error.message);
    case 'leads':
      return;
    default:
      store.dispatch({ type, ...detail });
  }
}
