// @ts-check
/**
 * Where a client keeps what it knows: values by collection and key. `write` returns when it is safe.
 *
 * @typedef {'state' | 'conversations' | 'items' | 'ids' | 'outbox'} Collection
 *   `items` are what a conversation shows, by `<conversation>/<seq>`; `ids` say which seq a message's id has
 * @typedef {[collection: Collection, key: string, value?: any]} Change without a value it is forgotten
 * @typedef {object} Storage
 * @property {(collection: Collection, key: string) => Promise<any>} get undefined where there is nothing
 * @property {(changes: Change[]) => Promise<void>} write all of them, or none
 * @property {(collection: Collection, prefix?: string) => Promise<[string, any][]>} all in the order of the keys
 * @property {(collection: Collection, from: string, to: string, limit: number) => Promise<any[]>} last
 *   the last of those with `from <= key < to`, in the order of the keys
 * @property {(collection: Collection, from: string, to: string, limit: number) => Promise<any[]>} first the same, the first ones
 * @property {() => Promise<void>} wipe
 */

/** @type {Collection[]} */
export const COLLECTIONS = ['state', 'conversations', 'items', 'ids', 'outbox'];

/** Above every character that a key has. */
const END = '\uffff';

/** Forgets everything with its process. @implements {Storage} */
export class MemoryStorage {
  /** @type {Map<string, Map<string, any>>} */
  #collections = new Map();

  /** @param {Collection} collection */
  #of(collection) {
    let found = this.#collections.get(collection);
    if (!found) this.#collections.set(collection, (found = new Map()));
    return found;
  }

  /** @param {Collection} collection @param {string} from @param {string} to @returns {[string, any][]} */
  #between(collection, from, to) {
    const found = [...this.#of(collection)].filter(([key]) => from <= key && key < to);
    return found.sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    return structuredClone(this.#of(collection).get(key));
  }

  /** @type {Storage['write']} */
  async write(changes) {
    for (const [collection, key, value] of structuredClone(changes)) {
      if (value === undefined) this.#of(collection).delete(key);
      else this.#of(collection).set(key, value);
    }
  }

  /** @type {Storage['all']} */
  async all(collection, prefix = '') {
    return structuredClone(this.#between(collection, prefix, prefix + END));
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    return structuredClone(
      this.#between(collection, from, to)
        .slice(-limit)
        .map(([, value]) => value),
    );
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    return structuredClone(
      this.#between(collection, from, to)
        .slice(0, limit)
        .map(([, value]) => value),
    );
  }

  async wipe() {
    this.#collections.clear();
  }
}
