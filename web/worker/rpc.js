// @ts-check
/**
 * The calls that a page can make to the worker, in groups; each takes one object of named arguments.
 *
 * The table that `createRpc` returns is the only list of calls: the page's proxy (`app/link.js`) has its type and sends
 * `group`, `method` and the arguments. Private keys never pass through here.
 *
 * A new leader answers calls that its predecessor left open, so a call can run twice. A conversation and a message have
 * the page's id, so that they are created once. An account, a session, a share code and a new key can be made twice.
 */
import { accountCalls } from './calls/account.js';
import { contactCalls } from './calls/contacts.js';
import { conversationCalls } from './calls/conversations.js';
import { deviceCalls } from './calls/devices.js';
import { messageCalls } from './calls/messages.js';
import { Page } from './page.js';

/** @typedef {ReturnType<typeof createRpc>['rpc']} Table the calls as the worker has them */

/**
 * The calls as a page sees them: the same, and each returns a promise.
 * @typedef {{ [Group in keyof Table]: { [Method in keyof Table[Group]]: AsPromise<Table[Group][Method]> } }} Rpc
 */
/**
 * @template Call
 * @typedef {Call extends (...args: infer Args) => infer Result ? (...args: Args) => Promise<Awaited<Result>> : never} AsPromise
 */

/** @param {import('../client/client.js').Client} client @param {import('./page.js').Channel} channel */
export function createRpc(client, channel) {
  const page = new Page(client, channel);
  const parts = { client, page, emit: channel.emit };
  const rpc = {
    page: {
      snapshot: () => page.snapshot(),
      /** The addresses that the worker has loaded. */
      loadedFiles: () => [self.location.href, ...performance.getEntriesByType('resource').map(({ name }) => name)],
    },
    connection: {
      /** The network or the tab has changed: check the connection now. */
      check: () => client.connection.check(),
    },
    settings: {
      /** @param {{ changes: Partial<import('./page.js').Settings> }} args */
      change: ({ changes }) => page.change(changes),
    },
    ...accountCalls(parts),
    ...deviceCalls(parts),
    ...contactCalls(parts),
    ...conversationCalls(parts),
    ...messageCalls(parts),
  };
  return { start: () => page.start(), rpc };
}

/**
 * Run one call. Throws TypeError where the table has no such call.
 * @param {Table} rpc @param {string} group @param {string} method @param {unknown} args
 */
export async function runCall(rpc, group, method, args) {
  const methods = Object.hasOwn(rpc, group)
    ? /** @type {Record<string, (args: unknown) => unknown>} */ (rpc[/** @type {keyof Table} */ (group)])
    : {};
  if (!Object.hasOwn(methods, method)) throw new TypeError(`there is no call ${group}.${method}`);
  return methods[method](args);
}
