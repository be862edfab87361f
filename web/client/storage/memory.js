// @ts-check

/**
 * @typedef {import('./storage.js').Collection} Collection
 * @typedef {import('./storage.js').Storage} Storage
 */

/** Sorts after every character of a key. */
const END = '\uffff';

/** Stores nothing beyond its process. @implements {Storage} */
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
  async all(collection, prefix) {
    return structuredClone(this.#between(collection, prefix ?? '', `${prefix ?? ''}${END}`));
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    return structuredClone(this.#between(collection, from, to).slice(-limit));
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    return structuredClone(this.#between(collection, from, to).slice(0, limit));
  }

  async wipe() {
    this.#collections.clear();
  }
}
