// @ts-check
/** The items of the open conversation that are in the page. */

/**
 * @typedef {import('../../state/reducer.js').Item} Item
 * @typedef {import('../../state/reducer.js').State} State
 * @typedef {import('../../state/reducer.js').Window} Window
 */

const WINDOW_MAX = 240; // items in the page; more are loaded by scrolling
export const PAGE = 60; // items that are loaded at once

/** @type {import('../../state/reducer.js').Slice} */
export function timelineSlice(state, event) {
  switch (event.type) {
    case 'opened':
      return { window: null, came: [], quoted: {} };
    case 'gone':
      return event.conversation === state.open ? { window: null } : undefined;
    case 'emptied':
      if (event.conversation !== state.open) return undefined;
      return { window: { items: [], hasOlder: false, hasNewer: false, unreadFrom: 0 } };
    case 'window requested':
      return { came: [] };
    case 'window':
      if (event.conversation !== state.open) return undefined;
      return { window: state.came.reduce(withItem, event.window) };
    case 'older':
    case 'newer':
      return event.conversation === state.open ? { window: extended(state, event) } : undefined;
    case 'quoted':
      return { quoted: { ...state.quoted, [String(event.item.id)]: event.item } };
    case 'item':
      return onItem(state, event.conversation, event.item);
  }
}

/** @param {State} state @param {string} conversation @param {Item} item @returns {Partial<State>} */
function onItem({ open, window, came, quoted }, conversation, item) {
  const isQuoted = item.id !== undefined && quoted[item.id] !== undefined;
  const changes = isQuoted ? { quoted: { ...quoted, [item.id ?? '']: item } } : {};
  if (conversation !== open) return changes;
  return { ...changes, came: [...came, item].slice(-WINDOW_MAX), window: window && withItem(window, item) };
}

/** @param {Window} window @param {Item} item @returns {Window} */
function withItem(window, item) {
  const { items } = window;
  const at = items.findLastIndex(({ seq }) => seq <= item.seq);
  if (items[at]?.seq === item.seq) return { ...window, items: items.with(at, item) };
  if (at === -1 && window.hasOlder) return window; // older than the window
  if (at === items.length - 1 && window.hasNewer) return window; // newer than the window
  return trimmed({ ...window, items: items.toSpliced(at + 1, 0, item) }, 'newer');
}

/**
 * @param {State} state @param {{ type: 'older' | 'newer', items: Item[], isAll: boolean }} loaded
 * @returns {State['window']}
 */
function extended({ window, came }, { type, items, isAll }) {
  if (window === null) return null;
  const known = new Set(window.items.map(({ seq }) => seq));
  const fresh = items.filter(({ seq }) => !known.has(seq));
  const joined = type === 'older' ? [...fresh, ...window.items] : [...window.items, ...fresh];
  const ends = type === 'older' ? { hasOlder: !isAll } : { hasNewer: !isAll };
  return came.reduce(withItem, trimmed({ ...window, items: joined, ...ends }, type));
}

/**
 * The items farthest from the end that grew are dropped.
 * @param {Window} window @param {'older' | 'newer'} grown @returns {Window}
 */
function trimmed(window, grown) {
  if (window.items.length <= WINDOW_MAX) return window;
  return grown === 'older'
    ? { ...window, items: window.items.slice(0, WINDOW_MAX), hasNewer: true }
    : { ...window, items: window.items.slice(-WINDOW_MAX), hasOlder: true };
}
