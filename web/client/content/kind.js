// @ts-check
/**
 * What one kind of content is: a file of this folder for each kind, and a line in `index.js`.
 *
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../conversations/reducer.js').Item} Item
 * @typedef {import('../direct/cipher.js').How} How
 * @typedef {import('../mls/core-crypto.js').ClientName} ClientName
 */

/**
 * @template C
 * @typedef {{ seq: number, at: string, sender: ClientName, content: C, how?: How, isForeign?: boolean,
 *   isLate?: boolean }} Entry a decrypted entry of the log. `isForeign`: of a device that the account key of its user has never
 *   listed; `isLate`: of an earlier epoch than its place, so the server withheld it
 */

/**
 * @template {{ kind: string, id: string }} C
 * @typedef {object} Kind
 * @property {{ [Field in Exclude<keyof C, 'kind' | 'id'>]-?: (value: unknown) => value is C[Field] }} fields
 *   the check of each field; an optional field accepts undefined
 * @property {(content: C) => string[]} references ids of the messages that it is about; `fold` gets the newest known one
 * @property {(conversation: Conversation, entry: Entry<C>, target: Item | undefined, me: string) => { conversation: Conversation, item?: Item }} fold
 *   what the entry changes; pure, and the same entry twice changes nothing more. `me` is the user of this device
 * @property {(shown: Partial<C> | Item) => string | undefined} [preview] one line of text for the list of conversations, a
 *   quote or a notification; undefined: not of this kind. Its item has the fields of its content, so that both give the
 *   same line. A kind with a preview is a message: it counts as unread, is confirmed, and waits after a rejection
 * @property {boolean} [isReplaced] the next one of its kind means as much: one that has to wait is dropped
 * @property {(conversation: string) => import('../storage/storage.js').Change[]} [ifDropped] what to write where one is not
 *   sent
 * @property {boolean} isBound encrypted only to the devices that were in the group when its author wrote it; others hold it
 *   back until the author agrees
 */

/** @typedef {{ device: string, order: number }} Placed which content counts now: its device, and its `order` there */

const IDS_MAX = 50; // messages that one content is about

/** @param {unknown} value @returns {value is string} */
export function isString(value) {
  return typeof value === 'string';
}

/** @param {unknown} value @returns {value is string} 32 hex digits */
export function isId(value) {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}

/** @param {unknown} value @returns {value is string[]} */
export function isIds(value) {
  return Array.isArray(value) && value.length <= IDS_MAX && value.every(isId);
}

/** @param {unknown} value @returns {value is number} */
export function isOrder(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/**
 * The server can swap two contents of one device: the one with the higher `order` counts.
 * @param {Placed | undefined} last @param {ClientName} sender @param {number} [order] none by earlier versions
 */
export function isOvertaken(last, { device }, order) {
  return last !== undefined && last.device === device && order !== undefined && order <= last.order;
}

/** @template T @param {(value: unknown) => value is T} check @returns {(value: unknown) => value is T | undefined} */
export function optional(check) {
  return /** @type {(value: unknown) => value is T | undefined} */ ((value) => value === undefined || check(value));
}

/** @template {string} T @param {...T} values @returns {(value: unknown) => value is T} */
export function oneOf(...values) {
  return /** @type {(value: unknown) => value is T} */ ((value) => values.some((one) => one === value));
}
