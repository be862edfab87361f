// @ts-check
/**
 * The browser's storage in IndexedDB.
 *
 * UPGRADES holds one step for each version of the database; a browser runs the steps that it has not run yet, in one
 * transaction. A step that was released is frozen: a change of the schema is a new step at the end.
 *
 * Tabs of two releases can meet. The older one closes its connection as soon as a newer one upgrades or deletes the
 * database; every later operation of it throws StorageOutdated, which the page shows with the advice to reload.
 */
import { deleteDB, openDB } from '../../vendor/idb.js';

/**
 * @typedef {import('./storage.js').Collection} Collection
 * @typedef {import('./storage.js').Storage} Storage
 * @typedef {import('../../vendor/idb.js').IDBPDatabase} Database
 * @typedef {(database: Database) => void} Upgrade
 */

/** @param {Database} database @param {string[]} names */
function createMissing(database, names) {
  for (const name of names) if (!database.objectStoreNames.contains(name)) database.createObjectStore(name);
}

/** The step that leads to version 1 first. @type {Upgrade[]} */
export const UPGRADES = [
  (database) => createMissing(database, ['state', 'conversations', 'items', 'ids', 'outbox']),
  () => {}, // keys are encrypted (storage/encrypted.js): a tab of an older release must not read or write here
];

const BLOCKED_MS = 5000; // how long a tab may take to finish its transactions and close its connection

/** The database belongs to a newer release than this page, or is being deleted: only a reload helps. */
export class StorageOutdated extends Error {
  name = 'StorageOutdated';
  code = 'storage_outdated';

  /** @param {ErrorOptions} [options] */
  constructor(options) {
    super('Sottovoce has been updated in another tab. Reload this page.', options);
  }
}

/** A tab of a release that does not close its connection keeps this one from upgrading the database. */
export class StorageBlocked extends Error {
  name = 'StorageBlocked';
  code = 'storage_blocked';

  constructor() {
    super('Another tab uses an older version of Sottovoce. Close the other tabs, then reload this page.');
  }
}

/** @implements {Storage} */
export class IndexedDbStorage {
  /** @type {Promise<Database> | null} */
  #opened = null;

  /**
   * @param {string} name
   * @param {object} [options]
   * @param {Upgrade[]} [options.upgrades]
   * @param {() => void} [options.onOutdated] a newer release upgrades the database while this connection is open
   * @param {number} [options.blockedMs]
   */
  constructor(name, { upgrades = UPGRADES, onOutdated = () => {}, blockedMs = BLOCKED_MS } = {}) {
    this.name = name;
    this.upgrades = upgrades;
    this.onOutdated = onOutdated;
    this.blockedMs = blockedMs;
  }

  /** Opens it when it is first needed, and again after a wipe. @returns {Promise<Database>} */
  get #database() {
    if (this.#opened) return this.#opened;
    const opened = this.#open();
    this.#opened = opened;
    opened.catch(() => this.#opened === opened && (this.#opened = null)); // the next operation tries again
    return opened;
  }

  /** @returns {Promise<Database>} */
  async #open() {
    const version = this.upgrades.length;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let isGivenUp = false;
    /** @type {unknown} */
    let failure;
    const opening = openDB(this.name, version, {
      upgrade: (database, oldVersion, _, transaction) => {
        try {
          for (const upgrade of this.upgrades.slice(oldVersion)) upgrade(database);
        } catch (error) {
          failure = error;
          transaction.done.catch(() => {}); // `failure` is thrown below
          transaction.abort();
        }
      },
      blocking: (_, newVersion, event) => {
        this.#opened = null;
        /** @type {IDBDatabase} */ (event.target).close();
        if (newVersion !== null) this.onOutdated();
      },
      blocked: () => {
        timer = setTimeout(() => reject(new StorageBlocked()), this.blockedMs);
      },
      terminated: () => (this.#opened = null), // the browser closed it, for example to free space
    });
    /** @type {(error: Error) => void} */
    let reject = () => {};
    const blocked = new Promise((_, fail) => {
      reject = (error) => {
        isGivenUp = true;
        fail(error);
      };
    });
    opening.then((database) => isGivenUp && database.close()).catch(() => {}); // the race below reports the error
    try {
      return await Promise.race([opening, /** @type {Promise<never>} */ (blocked)]);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'VersionError') throw new StorageOutdated({ cause: error });
      throw failure ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    // Of the type that was written.
    return /** @type {Promise<undefined>} */ ((await this.#database).get(collection, key));
  }

  /**
   * Returns when it is on disk, not when it is queued.
   * @type {Storage['write']}
   */
  async write(changes) {
    if (!changes.length) return;
    const collections = [...new Set(changes.map(([collection]) => collection))];
    const transaction = (await this.#database).transaction(collections, 'readwrite', { durability: 'strict' });
    const requests = changes.map(([collection, key, value]) => {
      const store = transaction.objectStore(collection);
      return value === undefined ? store.delete(key) : store.put(value, key);
    });
    await Promise.all([...requests, transaction.done]);
  }

  /** @type {Storage['all']} */
  async all(collection, prefix) {
    return this.#entries(collection, IDBKeyRange.bound(prefix ?? '', `${prefix ?? ''}\uffff`), Infinity);
  }

  /**
   * The first `limit` keys in the range, with their values.
   * @param {import('./storage.js').Collection} collection @param {IDBKeyRange} range @param {number} limit
   * @returns {Promise<[string, any][]>}
   */
  async #entries(collection, range, limit) {
    const { store } = (await this.#database).transaction(collection);
    const count = Number.isFinite(limit) ? limit : undefined;
    const [keys, values] = await Promise.all([store.getAllKeys(range, count), store.getAll(range, count)]);
    return values.map((value, at) => [String(keys[at]), value]);
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    if (from >= to) return [];
    const { store } = (await this.#database).transaction(collection);
    /** @type {[string, any][]} */
    const found = [];
    let cursor = await store.openCursor(IDBKeyRange.bound(from, to, false, true), 'prev');
    while (cursor && found.length < limit) {
      found.push([String(cursor.key), cursor.value]);
      if (found.length < limit) cursor = await cursor.continue();
    }
    return found.reverse();
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    if (from >= to) return [];
    return this.#entries(collection, IDBKeyRange.bound(from, to, false, true), limit);
  }

  async wipe() {
    const opened = this.#opened;
    this.#opened = null;
    await opened?.then(
      (database) => database.close(),
      () => {}, // it did not open
    );
    await deleteDB(this.name);
  }
}
