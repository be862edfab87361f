// @ts-check
/** A client's storage in a folder: its data in a journal, CoreCrypto's database in a snapshot. */
import 'fake-indexeddb/auto';
import { mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import v8 from 'node:v8';
import { lock } from './lock.js';
import { SALTS } from './passphrase.js';
import { readIfThere } from './read.js';
import { MemoryStorage } from '../storage/memory.js';
import { COLLECTIONS } from '../storage/storage.js';
import { oneByOne } from '../util/one-by-one.js';

const OWNER_ONLY = 0o600;
const OURS = ['journal.jsonl', 'journal.jsonl.new', 'keys.bin', 'keys.bin.new', 'lock', 'lock.turn', ...SALTS];

/**
 * @typedef {import('../storage/storage.js').Change} Change
 * @typedef {import('../storage/storage.js').Storage} Storage
 */

/**
 * Each write is one line of the journal, on disk before the write returns; reads come from memory.
 * @implements {Storage}
 */
export class FileStorage extends MemoryStorage {
  /** Null after a wipe, until the next write. @type {import('node:fs/promises').FileHandle | null} */
  #journal = null;
  /** The journal may end with a part of a line, to which no other line may be appended. */
  #isTorn = false;
  #oneByOne = oneByOne();

  /** @param {string} folder */
  constructor(folder) {
    super();
    this.folder = folder;
    this.path = join(folder, 'journal.jsonl');
  }

  /** @param {string} folder */
  static async open(folder) {
    const storage = new FileStorage(folder);
    await storage.#lock();
    await storage.#replay();
    await storage.compact();
    return storage;
  }

  async #replay() {
    const lines = ((await readIfThere(this.path))?.toString() ?? '').split('\n');
    lines.pop(); // empty, or cut off by a crash
    for (const line of lines) await super.write(parsed(line));
  }

  /** Replace the journal by one line for each present value. */
  async compact() {
    const lines = [];
    for (const one of COLLECTIONS)
      for (const [key, value] of await this.all(one)) lines.push(lineOf([[one, key, value]]));
    await this.#journal?.close();
    this.#journal = null;
    await replace(this.path, lines.join(''));
    this.#isTorn = false;
  }

  /** @type {Storage['write']} */
  async write(changes) {
    await this.#note(changes);
    await super.write(changes);
  }

  /** Returns when it is on disk. @param {Change[]} changes */
  #note(changes) {
    return this.#oneByOne(async () => {
      if (this.#isTorn) await this.compact();
      this.#isTorn = true; // until all of it is written: a disk can be full
      const journal = (this.#journal ??= await this.#begin());
      await journal.appendFile(lineOf(changes));
      await journal.datasync();
      this.#isTorn = false;
    });
  }

  async #lock() {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await lock(join(this.folder, 'lock')); // two processes with the same keys would destroy them
  }

  async #begin() {
    await this.#lock();
    return open(this.path, 'a', OWNER_ONLY);
  }

  async wipe() {
    await this.#journal?.close();
    this.#journal = null;
    for (const name of OURS) await rm(join(this.folder, name), { force: true });
    await rmdir(this.folder).catch(() => {}); // other files may be in it
    await super.wipe();
  }
}

/** A line of the journal. @param {Change[]} changes */
function lineOf(changes) {
  return `${v8.serialize(changes).toString('base64')}\n`;
}

/** @param {string} line also one of an earlier release, which wrote JSON @returns {Change[]} */
function parsed(line) {
  /** @type {unknown} */
  const changes = line.startsWith('[') ? JSON.parse(line) : v8.deserialize(Buffer.from(line, 'base64'));
  return /** @type {Change[]} */ (changes);
}

/**
 * @typedef {object} StoredCollection
 * @property {string} name
 * @property {string | string[] | null} keyPath
 * @property {boolean} autoIncrement
 * @property {(IDBIndexParameters & { name: string, keyPath: string | string[] })[]} indexes
 * @property {IDBValidKey[]} keys
 * @property {unknown[]} values
 *
 * @typedef {{ name: string, version: number, stores: StoredCollection[] }} StoredDatabase
 */

/** CoreCrypto's database, which is in memory in Node: read from disk at the start, written after each transaction. */
export class Snapshot {
  /** @param {string} folder */
  constructor(folder) {
    this.path = join(folder, 'keys.bin');
  }

  async load() {
    const bytes = await readIfThere(this.path);
    if (bytes === null) return;
    /** @type {unknown} */
    const databases = v8.deserialize(bytes);
    for (const one of /** @type {StoredDatabase[]} */ (databases)) await restore(one);
  }

  /** Atomic: a crash leaves the old snapshot or the new one. */
  async save() {
    const found = [];
    for (const { name, version } of await indexedDB.databases()) {
      found.push({ name, version, stores: await dump(String(name)) });
    }
    await replace(this.path, v8.serialize(found));
  }
}

/** Atomic: a crash leaves the old content or the new one. @param {string} path @param {string | Uint8Array} content */
async function replace(path, content) {
  const file = await open(`${path}.new`, 'w', OWNER_ONLY);
  await file.writeFile(content);
  await file.datasync();
  await file.close();
  await rename(`${path}.new`, path);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}

/** @param {string} name */
async function dump(name) {
  const database = await done(indexedDB.open(name));
  const stores = [];
  for (const storeName of database.objectStoreNames) {
    const store = database.transaction(storeName).objectStore(storeName);
    const indexes = [...store.indexNames].map((indexName) => {
      const { keyPath, unique, multiEntry } = store.index(indexName);
      return { name: indexName, keyPath, unique, multiEntry };
    });
    const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    const { keyPath, autoIncrement } = store;
    stores.push({ name: storeName, keyPath, autoIncrement, indexes, keys, values });
  }
  database.close();
  return stores;
}

/** @param {StoredDatabase} database */
async function restore({ name, version, stores }) {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    for (const { name: storeName, keyPath, autoIncrement, indexes, keys, values } of stores) {
      const store = request.result.createObjectStore(storeName, { keyPath, autoIncrement });
      for (const { name: indexName, ...index } of indexes) store.createIndex(indexName, index.keyPath, index);
      values.forEach((value, at) => {
        if (keyPath === null) store.put(value, keys[at]);
        else store.put(value);
      });
    }
  };
  (await done(request)).close();
}
