// @ts-check
/** How a person hears of what happens while they look elsewhere: title and badge, toasts, notifications, screen reader. */
import { titleOf, unreadCount } from './fold.js';
import { isLookedAt } from './looking.js';

const TOAST_MS = 5000;

/** @param {import('./store.js').Store} store @param {import('./components/app.js').App} app */
export function tellingOf(store, app) {
  let toasts = 0;

  /** @param {string} text */
  function toast(text) {
    const id = ++toasts;
    store.dispatch({ type: 'toast', toast: { id, text } });
    app.said = text;
    setTimeout(() => store.dispatch({ type: 'toast is over', id }), TOAST_MS);
  }

  /** Title, badge and look follow the state. */
  function dress() {
    const { state } = store;
    const count = unreadCount(state);
    document.title = count ? `(${count}) Sottovoce` : 'Sottovoce';
    const badge = /** @type {any} */ (navigator);
    void (count ? badge.setAppBadge?.(count) : badge.clearAppBadge?.())?.catch(() => {});
    const theme = state.settings?.theme ?? 'system';
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem('theme', theme);
  }

  /** Somebody has said something. @param {{ conversation: string, message: import('../client/conversations/reducer.js').Said }} detail */
  function notice({ conversation: id, message }) {
    const { state } = store;
    const conversation = state.conversations[id];
    const me = state.me?.id ?? '';
    if (!conversation || message.content.kind !== 'text' || message.sender.user === me) return;
    const name = conversation.people.find((person) => person.id === message.sender.user)?.username;
    if (!name) return;
    app.said = id === state.open ? `${name}: ${message.content.text}` : `New message from ${name}`;
    if (isLookedAt() && id === state.open) return;
    if (conversation.state !== 'joined') return;
    if (state.settings?.notices && globalThis.Notification?.permission === 'granted') {
      notify(titleOf(conversation, me), `New message from ${name}`, id);
    } else if (id !== state.open) {
      toast(`New message from ${name}`);
    }
  }

  /** @param {string} title @param {string} body @param {string} id of the conversation */
  function notify(title, body, id) {
    try {
      new Notification(title, { body, tag: id }).onclick = () => {
        window.focus();
        location.hash = `c/${id}`;
      };
    } catch {
      toast(body); // browsers on phones let only service workers do it
    }
  }

  return { dress, notice, toast };
}
