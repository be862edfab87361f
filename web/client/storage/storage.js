// @ts-check
/**
 * Where a client stores its data: values by collection and key. A write returns when it is durable.
 *
 * @typedef {object} Collections
 * @property {unknown} state by name; StateAt has the type of each
 * @property {import('../conversations/reducer.js').Conversation} conversations by id
 * @property {import('../conversations/reducer.js').Item} items by `<conversation>/<seq>`
 * @property {number} ids the seq of a message, by `<conversation>/<id>`
 * @property {import('../conversations/outbox.js').Waiting} outbox by the message's id
 *
 * @typedef {keyof Collections} Collection
 * @typedef {[collection: Collection, key: string, value?: unknown]} Change without a value the key is deleted
 */

/**
 * The values of `state`: the account, sessions to end, the page's settings and drafts; keys of direct conversations in
 * base64, texts as they were encrypted for the server; the seed of the account key and of the next one, the secret of a link that waits, and
 * when the user kept a recovery key (0: made, and not kept); of each user the account key with its list, what was verified, and the name at that time;
 * of each conversation the users who are expected before it is joined, the last commit, the age of this device's leaf, and which list was stated to whom.
 * @template {string} Key
 * @typedef {Key extends 'me' ? import('../session/account.js').Me
 *   : Key extends 'left' ? import('../session/account.js').Left[]
 *   : Key extends 'settings' ? import('../../worker/page.js').Settings
 *   : Key extends `commit/${string}` ? import('../mls/lineage.js').Applied
 *   : Key extends `leaf/${string}` ? import('../mls/healing.js').LeafAge
 *   : Key extends `${'verified' | 'expected'}/${string}` ? string[]
 *   : Key extends `identity/${string}` ? import('../trust/identity.js').Identity
 *   : Key extends `stated/${string}` ? import('../trust/statements.js').Stated
 *   : Key extends 'account-key' | 'next-account-key' ? string
 *   : Key extends 'link' ? import('../trust/linking.js').Asked
 *   : Key extends 'recovery-made' | 'recovery-reminder' ? number
 *   : Key extends 'standing' ? import('../trust/enrolment.js').Standing
 *   : Key extends `${'draft' | 'key' | 'sealed' | 'known-as' | 'verified-key'}/${string}` ? string
 *   : unknown} StateAt
 */
/**
 * @template {Collection} Name @template {string} Key
 * @typedef {Name extends 'state' ? StateAt<Key> : Collections[Name]} Stored
 */

/**
 * @typedef {object} Storage
 * @property {<Name extends Collection, Key extends string>(collection: Name, key: Key) => Promise<Stored<Name, Key> | undefined>} get
 * @property {(changes: Change[]) => Promise<void>} write all of them, or none
 * @property {<Name extends Collection, Prefix extends string>(collection: Name, prefix?: Prefix) =>
 *   Promise<[string, Stored<Name, `${Prefix}${string}`>][]>} all a prefix ends with `/`; numbers after it are in order
 * @property {Range} last the last of those with `from <= key < to`, in the order of the keys
 * @property {Range} first the same, the first of them
 * @property {() => Promise<void>} wipe
 *
 * @typedef {<Name extends Collection>(collection: Name, from: string, to: string, limit: number) =>
 *   Promise<[string, Stored<Name, string>][]>} Range
 */

/** @type {Collection[]} */
export const COLLECTIONS = ['state', 'conversations', 'items', 'ids', 'outbox'];
