// @ts-check
/**
 * Where a client keeps what it knows: values by collection and key. `put` and `delete` return when it is safe.
 *
 * @typedef {'state' | 'conversations' | 'messages' | 'outbox'} Collection
 * @typedef {object} Storage
 * @property {(collection: Collection, key: string) => Promise<any>} get undefined where there is nothing
 * @property {(collection: Collection, key: string, value: any) => Promise<void>} put
 * @property {(collection: Collection, key: string) => Promise<void>} delete
 * @property {(collection: Collection, prefix?: string) => Promise<[string, any][]>} all in the order of the keys
 * @property {() => Promise<void>} wipe
 */

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

  /** @type {Storage['get']} */
  async get(collection, key) {
    return structuredClone(this.#of(collection).get(key));
  }

  /** @type {Storage['put']} */
  async put(collection, key, value) {
    this.#of(collection).set(key, structuredClone(value));
  }

  /** @type {Storage['delete']} */
  async delete(collection, key) {
    this.#of(collection).delete(key);
  }

  /** @type {Storage['all']} */
  async all(collection, prefix = '') {
    const found = [...this.#of(collection)].filter(([key]) => key.startsWith(prefix));
    return structuredClone(found.sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  async wipe() {
    this.#collections.clear();
  }
}
