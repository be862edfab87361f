// @ts-check
/** The state of the page as a pure fold over what happens. The same event twice changes nothing more. */

/**
 * @typedef {import('../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../client/conversations/reducer.js').Item} Item
 * @typedef {import('../client/conversations/outbox.js').Waiting} Waiting
 * @typedef {import('../worker/rpc.js').Settings} Settings
 * @typedef {{ id: string, username: string, device: string }} Me
 *
 * @typedef {object} Window the stretch of the open conversation that is shown
 * @property {Item[]} items
 * @property {boolean} hasOlder
 * @property {boolean} hasNewer
 * @property {number} unreadFrom the first that had not been seen when it was opened; 0: none
 * @property {number} [target] the seq of the one that was asked for
 * @property {number} [at] when
 *
 * @typedef {object} State
 * @property {'starting' | 'broken' | 'welcome' | 'home'} phase
 * @property {string} reason why it is broken
 * @property {Me | null} me
 * @property {boolean} hasEnded the session is over; the device is still here
 * @property {'online' | 'offline'} line
 * @property {Settings | null} settings
 * @property {Record<string, Conversation>} conversations
 * @property {Waiting[]} waiting
 * @property {Record<string, string>} drafts
 * @property {Record<string, Record<string, number>>} typing by conversation and user: since when
 * @property {string | null} open
 * @property {Window | null} window
 * @property {Item[]} came of the open conversation, since its window was asked for
 * @property {Record<string, Item>} quoted items outside of the window that are replied to, by message id
 * @property {{ id: number, text: string }[]} toasts
 */

/** @typedef {{ type: string, [name: string]: any }} Event */

const WINDOW_MAX = 240; // items that are shown; farther ones are left out and can be scrolled to
export const PAGE = 60;
const TYPING_MS = 5000;
const TOASTS_MAX = 3;
export const UNKNOWN = 'Somebody unknown';

/** @type {State} */
export const EMPTY = {
  phase: 'starting', reason: '', me: null, hasEnded: false, line: 'offline', settings: null, conversations: {}, waiting: [],
  drafts: {}, typing: {}, open: null, window: null, came: [], quoted: {}, toasts: [],
}; // prettier-ignore

/** @param {State} state @param {Event} event @returns {State} */
export function reduce(state, event) {
  switch (event.type) {
    case 'snapshot':
      return snapshot(state, event);
    case 'me':
      return { ...state, me: state.me && { ...state.me, username: event.username } };
    case 'broken':
      return { ...state, phase: 'broken', reason: event.reason };
    case 'settings':
      return { ...state, settings: event.settings };
    case 'ready':
      return { ...state, line: 'online' };
    case 'offline':
      return { ...state, line: 'offline', typing: {} };
    case 'logged out':
      return { ...state, hasEnded: true, line: 'offline' };
    case 'conversation':
      return { ...state, conversations: { ...state.conversations, [event.conversation.id]: event.conversation } };
    case 'gone':
      return gone(state, event.conversation);
    case 'emptied':
      return event.conversation === state.open ? { ...state, window: { items: [], hasOlder: false, hasNewer: false, unreadFrom: 0 } } : state;
    case 'item':
      return withItem(state, event.conversation, event.item);
    case 'waiting':
      if (!state.waiting.some(({ id }) => id === event.waiting.id)) return { ...state, waiting: [...state.waiting, event.waiting] };
      return { ...state, waiting: state.waiting.map((one) => (one.id === event.waiting.id ? event.waiting : one)) };
    case 'sent':
    case 'dropped':
      return { ...state, waiting: state.waiting.filter(({ id }) => id !== event.id) };
    case 'typing':
      return typing(state, event.conversation, event.user, event.at);
    case 'typing is over':
      return typingIsOver(state, event.at);
    case 'draft':
      return { ...state, drafts: { ...state.drafts, [event.conversation]: event.text } };
    case 'opened':
      return { ...state, open: event.conversation, window: null, came: [], quoted: {} };
    case 'asked':
      return { ...state, came: [] };
    case 'window':
      return event.conversation === state.open ? { ...state, window: state.came.reduce(placed, event.window) } : state;
    case 'older':
    case 'newer':
      return extended(state, event);
    case 'quoted':
      return { ...state, quoted: { ...state.quoted, [event.item.id]: event.item } };
    case 'toast':
      return { ...state, toasts: [...state.toasts.filter(({ text }) => text !== event.toast.text), event.toast].slice(-TOASTS_MAX) };
    case 'toast is over':
      return { ...state, toasts: state.toasts.filter(({ id }) => id !== event.id) };
    default:
      return state;
  }
}

/** @param {State} state @param {Event} event @returns {State} */
function snapshot(state, { me, hasEnded = false, isOnline = false, settings, conversations = [], waiting = [], drafts = [] }) {
  return {
    ...state,
    phase: me ? 'home' : 'welcome',
    me,
    hasEnded,
    line: isOnline ? 'online' : 'offline',
    settings,
    conversations: Object.fromEntries(conversations.map((/** @type {Conversation} */ one) => [one.id, one])),
    waiting,
    drafts: { ...Object.fromEntries(drafts), ...state.drafts },
  };
}

/** @param {State} state @param {string} id @returns {State} */
function gone(state, id) {
  const { [id]: _, ...conversations } = state.conversations;
  return { ...state, conversations, ...(state.open === id ? { open: null, window: null } : {}) };
}

/** @param {State} state @param {string} id @param {Item} item @returns {State} */
function withItem(state, id, item) {
  const waiting = item.id === undefined ? state.waiting : state.waiting.filter((one) => one.id !== item.id);
  const typing = state.typing[id]?.[item.user] === undefined ? state.typing : without(state.typing, id, item.user);
  const quoted = item.id !== undefined && state.quoted[item.id] ? { ...state.quoted, [item.id]: item } : state.quoted;
  const next = { ...state, waiting: waiting.length === state.waiting.length ? state.waiting : waiting, typing, quoted };
  if (id !== state.open) return next;
  const came = [...state.came, item].slice(-WINDOW_MAX);
  return { ...next, came, window: state.window && placed(state.window, item) };
}

/** @param {Record<string, Record<string, number>>} typing @param {string} id @param {string} user */
function without(typing, id, user) {
  const { [user]: _, ...others } = typing[id];
  return { ...typing, [id]: others };
}

/** @param {Window} window @param {Item} item @returns {Window} */
function placed(window, item) {
  const { items } = window;
  const at = items.findLastIndex(({ seq }) => seq <= item.seq);
  if (items[at]?.seq === item.seq) return { ...window, items: items.with(at, item) };
  if (at === -1 && window.hasOlder) return window; // older than what is shown
  if (at === items.length - 1 && window.hasNewer) return window; // newer than what is shown
  return trimmed({ ...window, items: items.toSpliced(at + 1, 0, item) }, 'newer');
}

/** @param {State} state @param {Event} event @returns {State} */
function extended(state, { type, conversation, items, isAll }) {
  if (conversation !== state.open || state.window === null) return state;
  const known = new Set(state.window.items.map(({ seq }) => seq));
  const fresh = items.filter((/** @type {Item} */ { seq }) => !known.has(seq));
  const joined = type === 'older' ? [...fresh, ...state.window.items] : [...state.window.items, ...fresh];
  const ends = type === 'older' ? { hasOlder: !isAll } : { hasNewer: !isAll };
  const window = trimmed({ ...state.window, items: joined, ...ends }, type === 'older' ? 'older' : 'newer');
  return { ...state, window: state.came.reduce(placed, window) };
}

/** What is farthest from where it grew is left out. @param {Window} window @param {'older' | 'newer'} grown @returns {Window} */
function trimmed(window, grown) {
  if (window.items.length <= WINDOW_MAX) return window;
  return grown === 'older'
    ? { ...window, items: window.items.slice(0, WINDOW_MAX), hasNewer: true }
    : { ...window, items: window.items.slice(-WINDOW_MAX), hasOlder: true };
}

/** @param {State} state @param {string} id @param {string} user @param {number} at @returns {State} */
function typing(state, id, user, at) {
  return { ...state, typing: { ...state.typing, [id]: { ...state.typing[id], [user]: at } } };
}

/** @param {State} state @param {number} at now @returns {State} */
function typingIsOver(state, at) {
  const over = Object.entries(state.typing).flatMap(([id, users]) =>
    Object.entries(users).flatMap(([user, since]) => (at - since > TYPING_MS ? [/** @type {const} */ ([id, user])] : [])),
  );
  if (over.length === 0) return state;
  return { ...state, typing: over.reduce((typing, [id, user]) => without(typing, id, user), state.typing) };
}

// What is made of it

/** Those that the list shows, the latest first. @param {State} state @returns {Conversation[]} */
export function listed(state) {
  return Object.values(state.conversations)
    .filter(({ state: ours, people }) => (ours === 'joined' || ours === 'requested') && people.length > 0)
    .sort((one, other) => ((other.last?.at ?? '') < (one.last?.at ?? '') ? -1 : 1));
}

/** @param {State} state */
export function unreadCount(state) {
  return listed(state).filter((one) => one.state === 'joined').reduce((sum, { unread }) => sum + unread.length, 0);
}

/**
 * Whom the server names, and whoever else has a device in the group: the group decides who reads.
 * @param {Conversation} conversation @returns {import('../client/conversations/reducer.js').Person[]}
 */
export function everybody({ people, members, names }) {
  const strangers = new Set(members.map(({ user }) => user).filter((user) => !people.some(({ id }) => id === user)));
  return [...people, ...[...strangers].map((id) => ({ id, username: names[id] ?? UNKNOWN, role: /** @type {const} */ ('member') }))];
}

/** @param {Conversation} conversation @param {string} me */
export function others(conversation, me) {
  return everybody(conversation).filter(({ id }) => id !== me);
}

/** What it is called. @param {Conversation} conversation @param {string} me */
export function titleOf(conversation, me) {
  if (conversation.name) return conversation.name;
  const names = others(conversation, me).map(({ username }) => username);
  if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} others`;
  return names.join(', ') || (conversation.isActive ? 'Just you' : 'A conversation');
}

/** @param {Conversation} conversation */
export function isGroup(conversation) {
  return conversation.name !== undefined || conversation.people.length > 2;
}

/** @param {Conversation} conversation @param {string} user @param {string} me */
export function nameOf(conversation, user, me) {
  if (user === me) return 'You';
  return conversation.names[user] ?? UNKNOWN;
}
