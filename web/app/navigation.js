// @ts-check
/** The address of the page: an open conversation, an invite, a code, or the code of a new device. */
import { startConversation } from './features/new-conversation/actions.js';
import { loadWindow } from './features/timeline/loading.js';
import { errorText } from './messages/errors.js';
import { listed } from './state/selectors.js';

/** @typedef {import('./actions.js').Context} Context */

/** @param {Context} context */
export function followAddress(context) {
  const { store, page } = context;
  if (takeLink(page.app)) return void (store.state.me && arrive(context));
  if (!store.state.me) return;
  const [, id = null] = /^#c\/([0-9a-f-]{36})$/.exec(location.hash) ?? [];
  if (id === store.state.open) return;
  page.close();
  const conversation = id === null ? undefined : store.state.conversations[id];
  store.dispatch({ type: 'opened', conversation: conversation?.id ?? null });
  if (!conversation) return;
  const [unread] = conversation.unread;
  void loadWindow(context, conversation.id, unread, unread);
}

/**
 * An invite or a code in the address is used once, and does not stay in the history.
 * @param {import('./app.js').App} app
 */
function takeLink(app) {
  const given = new URLSearchParams(location.hash.slice(1));
  const [invite, code, link] = ['invite', 'code', 'link'].map((name) => given.get(name) ?? undefined);
  if (!invite && !code && !link) return false;
  app.link = { invite, code, link };
  history.replaceState(null, '', '/');
  return true;
}

/** A user has logged in: use the code or the invite of the address. @param {Context} context */
export async function arrive(context) {
  const { rpc, store, page } = context;
  void navigator.storage.persist?.(); // keys and messages are not a cache
  const { invite, code, link } = page.app.link;
  if (link) {
    page.app.link = {};
    return page.show({ name: 'link-device', code: link });
  }
  if (code) return page.show({ name: 'new', tab: 'code', code });
  if (!invite || listed(store.state).length) return followAddress(context);
  const { invited_by: host } = await rpc.account.get().catch(() => ({ invited_by: null }));
  page.app.link = {};
  if (host) await startConversation(context, { names: [host.username] }).catch((error) => page.toast(errorText(error)));
}
