// @ts-check
/** A client's memory in the browser's IndexedDB. */

/** @typedef {import('./storage.js').Collection} Collection */
/** @typedef {import('./storage.js').Storage} Storage */

const VERSION = 1;
/** @type {Collection[]} */
const COLLECTIONS = ['state', 'conversations', 'messages', 'outbox'];

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @implements {Storage} */
export class IndexedDbStorage {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
  }

  /** @param {string} name */
  static async open(name) {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const collection of COLLECTIONS) request.result.createObjectStore(collection);
    };
    return new IndexedDbStorage(await done(request));
  }

  /** @param {Collection} collection @param {IDBTransactionMode} mode */
  #store(collection, mode) {
    return this.database.transaction(collection, mode, { durability: 'strict' }).objectStore(collection);
  }

  /** @type {Storage['get']} */
  get(collection, key) {
    return done(this.#store(collection, 'readonly').get(key));
  }

  /** @type {Storage['put']} */
  put(collection, key, value) {
    return this.#change(collection, (store) => store.put(value, key));
  }

  /** @type {Storage['delete']} */
  delete(collection, key) {
    return this.#change(collection, (store) => store.delete(key));
  }

  /** @type {Storage['all']} */
  async all(collection, prefix = '') {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const store = this.#store(collection, 'readonly');
    const [keys, values] = await Promise.all([done(store.getAllKeys(range)), done(store.getAll(range))]);
    return values.map((value, at) => [String(keys[at]), value]);
  }

  async wipe() {
    this.database.close();
    await done(indexedDB.deleteDatabase(this.database.name));
  }

  /**
   * Returns when it is on disk, and not when it has been asked for.
   * @param {Collection} collection @param {(store: IDBObjectStore) => IDBRequest} change @returns {Promise<void>}
   */
  #change(collection, change) {
    const store = this.#store(collection, 'readwrite');
    change(store);
    return new Promise((resolve, reject) => {
      store.transaction.oncomplete = () => resolve();
      store.transaction.onerror = store.transaction.onabort = () => reject(store.transaction.error);
    });
  }
}
