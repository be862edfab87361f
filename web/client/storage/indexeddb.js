// @ts-check
/** A client's memory in the browser's IndexedDB. */
import { COLLECTIONS } from './storage.js';

/** @typedef {import('./storage.js').Collection} Collection */
/** @typedef {import('./storage.js').Storage} Storage */

const VERSION = 1;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @implements {Storage} */
export class IndexedDbStorage {
  /** @type {Promise<IDBDatabase> | null} */
  #opened = null;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** When it is needed, and anew after it was wiped. */
  #open() {
    const request = indexedDB.open(this.name, VERSION);
    request.onupgradeneeded = () => {
      for (const collection of COLLECTIONS) request.result.createObjectStore(collection);
    };
    return done(request).then((database) => {
      database.onclose = () => (this.#opened = null); // the browser took it away: opened again when it is needed
      return database;
    });
  }

  get #database() {
    return (this.#opened ??= this.#open());
  }

  /** @param {Collection} collection */
  async #store(collection) {
    return (await this.#database).transaction(collection).objectStore(collection);
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    return done((await this.#store(collection)).get(key));
  }

  /**
   * Returns when it is on disk, and not when it has been asked for.
   * @type {Storage['write']}
   */
  async write(changes) {
    if (!changes.length) return;
    const collections = [...new Set(changes.map(([collection]) => collection))];
    const transaction = (await this.#database).transaction(collections, 'readwrite', { durability: 'strict' });
    for (const [collection, key, value] of changes) {
      if (value === undefined) transaction.objectStore(collection).delete(key);
      else transaction.objectStore(collection).put(value, key);
    }
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  /** @type {Storage['all']} */
  async all(collection, prefix = '') {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const store = await this.#store(collection);
    const [keys, values] = await Promise.all([done(store.getAllKeys(range)), done(store.getAll(range))]);
    return values.map((value, at) => [String(keys[at]), value]);
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    if (from >= to) return [];
    const cursor = (await this.#store(collection)).openCursor(IDBKeyRange.bound(from, to, false, true), 'prev');
    /** @type {any[]} */
    const found = [];
    return new Promise((resolve, reject) => {
      cursor.onerror = () => reject(cursor.error);
      cursor.onsuccess = () => {
        if (cursor.result) found.push(cursor.result.value);
        if (cursor.result && found.length < limit) cursor.result.continue();
        else resolve(found.reverse());
      };
    });
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    if (from >= to) return [];
    return done((await this.#store(collection)).getAll(IDBKeyRange.bound(from, to, false, true), Number.isFinite(limit) ? limit : undefined));
  }

  async wipe() {
    const opened = this.#opened;
    this.#opened = null;
    (await opened)?.close();
    await done(indexedDB.deleteDatabase(this.name));
  }
}
