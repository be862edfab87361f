// @ts-check
/** Loads items of the open conversation into the window. */
import { PAGE } from './reducer.js';

/**
 * @typedef {import('../../actions.js').Context} Context
 * @typedef {import('../../state/reducer.js').Item} Item
 */

/**
 * Load the items around a seq, or the latest ones.
 * @param {Context} context @param {string} conversation @param {number} [around] @param {number} [unreadFrom]
 */
export async function loadWindow(context, conversation, around, unreadFrom = 0) {
  const { rpc, store } = context;
  store.dispatch({ type: 'window requested' });
  const [before, after] = await Promise.all([
    rpc.messages.list({ conversation, before: around, limit: PAGE }),
    around === undefined ? [] : rpc.messages.listFrom({ conversation, from: around, limit: PAGE }),
  ]);
  const items = [...before, ...after];
  const ends = { hasOlder: before.length === PAGE, hasNewer: after.length === PAGE };
  const window = { items, ...ends, unreadFrom, target: unreadFrom ? 0 : around, at: Date.now() };
  store.dispatch({ type: 'window', conversation, window });
  resync(context, items);
  loadQuoted(context, conversation, items);
}

/** @param {Context} context @param {string} conversation @param {number} seq the oldest item that is loaded */
export async function loadOlder(context, conversation, seq) {
  const items = await context.rpc.messages.list({ conversation, before: seq, limit: PAGE });
  context.store.dispatch({ type: 'older', conversation, items, isAll: items.length < PAGE });
  resync(context, items);
  loadQuoted(context, conversation, items);
}

/** @param {Context} context @param {string} conversation @param {number} seq the newest item that is loaded */
export async function loadNewer(context, conversation, seq) {
  context.store.dispatch({ type: 'window requested' });
  const found = await context.rpc.messages.listFrom({ conversation, from: seq, limit: PAGE + 1 });
  const items = found.filter((item) => item.seq > seq);
  context.store.dispatch({ type: 'newer', conversation, items, isAll: items.length < PAGE });
  resync(context, items);
}

/**
 * The server does not repeat the edits and deletions of a direct conversation that a device has missed.
 * @param {Context} context @param {Item[]} items
 */
export function resync({ rpc, store }, items) {
  const { open, conversations } = store.state;
  const [first, last] = [items[0], items.at(-1)];
  if (!open || !first || !last || conversations[open]?.kind !== 'direct') return;
  // Without a connection it is done when there is one again.
  rpc.messages.resync({ conversation: open, from: first.seq, to: last.seq }).catch(() => {});
}

/**
 * The messages that these items reply to.
 * @param {Context} context @param {string} conversation @param {Item[]} items
 */
function loadQuoted(context, conversation, items) {
  for (const { replyTo } of items) if (replyTo) void loadOne(context, conversation, replyTo);
}

/** @param {Context} context @param {string} conversation @param {string} message */
async function loadOne({ rpc, store }, conversation, message) {
  const { quoted, window } = store.state;
  if (quoted[message] || window?.items.some(({ id }) => id === message)) return;
  const item = await rpc.messages.get({ conversation, message });
  if (item) store.dispatch({ type: 'quoted', item });
}
