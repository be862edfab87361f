// @ts-check
/**
 * Keeps what was read of the collection `state` in memory. Before each message the client looks up the account keys of
 * all members, and a lookup in an encrypted database takes longer than encrypting the message.
 *
 * A value that is kept is frozen, because all who read it share it.
 */

/** @typedef {import('./storage.js').Change} Change */
/** @typedef {import('./storage.js').Storage} Storage */

const VALUES_MAX = 5000;

/** @implements {Storage} */
export class CachedStorage {
  /** Values of `state`, and undefined where there is none. @type {Map<string, any>} */
  #values = new Map();
  #writes = 0;

  /** @param {Storage} inner which nobody else writes to */
  constructor(inner) {
    this.inner = inner;
    this.all = inner.all.bind(inner);
    this.first = inner.first.bind(inner);
    this.last = inner.last.bind(inner);
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    if (collection !== 'state') return this.inner.get(collection, key);
    if (this.#values.has(key)) return this.#values.get(key);
    const writes = this.#writes;
    const value = frozen(await this.inner.get(collection, key));
    if (writes !== this.#writes) return value; // it may be of before the write
    if (this.#values.size >= VALUES_MAX) this.#values.clear();
    this.#values.set(key, value);
    return value;
  }

  /** @type {Storage['write']} */
  async write(changes) {
    try {
      await this.inner.write(changes);
    } finally {
      this.#writes += 1;
      for (const [collection, key] of changes) if (collection === 'state') this.#values.delete(key);
    }
  }

  async wipe() {
    await this.inner.wipe();
    this.#writes += 1;
    this.#values.clear();
  }
}

/** @template T @param {T} value @returns {T} */
function frozen(value) {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
