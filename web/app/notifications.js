// @ts-check
/** How a user learns of a new message: the title, a badge, a toast, a notification, a screen reader. */
import { isMessage, previewOf } from '../client/content/index.js';
import { t } from './messages/index.js';
import { isGroup, participants, titleOf, unreadCount } from './state/selectors.js';
import { isTabActive } from './visibility.js';

/** @typedef {import('./actions.js').Context} Context */

/** The title and the badge show how many messages are unread. @param {import('./state/reducer.js').State} state */
export function showUnreadCount(state) {
  const count = unreadCount(state);
  document.title = t.notifications.pageTitle(count);
  // Not every browser has badges, and some refuse them.
  const badge = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
  badge?.catch(() => {});
}

/**
 * @param {Context} context
 * @param {{ conversation: string, message: import('../client/conversations/reducer.js').Said }} event a new message
 */
export function notifyOf({ store, page }, { conversation: id, message }) {
  const { state } = store;
  const conversation = state.conversations[id];
  const me = state.me?.id ?? '';
  const { content, sender } = message;
  if (!conversation || !isMessage(content) || sender.user === me) return;
  const name = participants(conversation).find((person) => person.id === sender.user && !person.isUnknown)?.name;
  if (!name) return;
  const isOpen = id === state.open;
  const summary = t.notifications.newMessage(name);
  const from = message.isForeign ? `${name}, ${t.message.unconfirmed}` : name;
  page.announce(isOpen ? t.conversations.said(from, previewOf(content) ?? '') : summary);
  if ((isOpen && isTabActive()) || conversation.state !== 'joined') return;
  const isAllowed = state.settings?.notices && globalThis.Notification?.permission === 'granted';
  const title = titleOf(conversation, me);
  if (isAllowed && notify(isGroup(conversation) ? t.notifications.inGroup(title) : title, summary, id)) return;
  if (isAllowed || !isOpen) page.toast(summary);
}

/**
 * False where only a service worker may do it, as on phones.
 * @param {string} title @param {string} body @param {string} conversation
 */
function notify(title, body, conversation) {
  try {
    new Notification(title, { body, tag: conversation }).onclick = () => {
      window.focus();
      location.hash = `c/${conversation}`;
    };
    return true;
  } catch {
    return false;
  }
}
