// @ts-check
/**
 * Encrypts another storage: its values with AES-256-GCM, and the names in its keys with HMAC-SHA-256.
 *
 * A key such as `draft/<conversation>` is a path. Each part becomes a hash that only this storage can compute, except
 * numbers, which keep their order. A value opens only in its collection and under its key: both are the associated data.
 * The key itself is encrypted with the value. The secret of the hashes is stored beside the values, encrypted.
 */
import { fromHex, randomBytes, toHex } from '../util/bytes.js';
import { COLLECTIONS } from './storage.js';

/** @typedef {import('./storage.js').Change} Change */
/** @typedef {import('./storage.js').Collection} Collection */
/** @typedef {import('./storage.js').Storage} Storage */
/** @typedef {{ format?: number, iv: Uint8Array<ArrayBuffer>, data: ArrayBuffer }} Encrypted `format`: 1 if missing */
/**
 * What is stored under the key `names`, encrypted too: the secret of the hashes, and the earliest format that counts. A
 * thief who can write here brings in no value of an earlier format.
 * @typedef {{ secret: string, earliest: number }} Names
 */

const FORMAT = 3; // 1: only the collection was bound to the value; 2: keys were not encrypted
const IV_BYTES = 12;
const NAME_BYTES = 16;
const NAMES = 'names';
const NAMES_MAX = 10_000; // hashes that are kept in memory
const NUMBER = /^[\d.:]*$/; // also the end of a range of numbers
const END = '\uffff';
const PAGE = 200; // values that an upgrade reads at once
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @implements {Storage} */
export class EncryptedStorage {
  /** @type {Promise<CryptoKey> | null} */
  #opened = null;
  /** The secret of the hashes. @type {Promise<CryptoKey> | null} */
  #secret = null;
  /** Hashes of parts of keys. @type {Map<string, Promise<string>>} */
  #names = new Map();

  /**
   * @param {Storage} inner
   * @param {() => Promise<CryptoKey>} openKey called when it is first needed, and again after a wipe
   */
  constructor(inner, openKey) {
    this.inner = inner;
    this.openKey = openKey;
  }

  get #key() {
    if (!this.#opened) {
      this.#opened = this.openKey();
      this.#opened.catch(() => (this.#opened = null)); // the next call tries again
    }
    return this.#opened;
  }

  /** A key that scripts of this origin can use but not export. @returns {Promise<CryptoKey>} */
  static makeKey() {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  }

  /**
   * Bring values of earlier formats to today's, once; from then on they do not count. A value that does not open now is
   * left as it is. Throws where the key is wrong.
   * @param {{ isPlain?: boolean }} [options] `isPlain`: the values may be from before they were encrypted at all
   */
  async upgrade({ isPlain = false } = {}) {
    let names = await this.#readNames();
    if (!names) {
      const isSecond = (await this.inner.get('state', 'format')) !== undefined;
      names = { secret: toHex(randomBytes(32)), earliest: isPlain ? 0 : isSecond ? 2 : 1 };
      await this.#writeNames(names);
    }
    const { earliest } = names;
    if (earliest === FORMAT) return;
    for (const collection of COLLECTIONS) {
      for (let from = ''; ;) {
        const page = await this.inner.first(collection, from, END, PAGE);
        if (!page.length) break;
        const changes = await Promise.all(page.map(([key, value]) => this.#upgraded(earliest, collection, key, value)));
        await this.inner.write(changes.flat());
        from = `${page[page.length - 1][0]}\0`;
      }
    }
    await this.#writeNames({ ...names, earliest: FORMAT });
  }

  /**
   * @param {number} earliest format that counts @param {Collection} collection @param {string} key
   * @param {unknown} stored @returns {Promise<Change[]>}
   */
  async #upgraded(earliest, collection, key, stored) {
    const { iv, data, format = iv ? 1 : 0 } = /** @type {Encrypted} */ (stored ?? {});
    if (format >= FORMAT || format < earliest) return [];
    const value = format === 0 ? stored : await this.#openEarlier(format, collection, key, { iv, data });
    return value === undefined ? [] : [[collection, key], await this.#encrypted([collection, key, value])];
  }

  /**
   * @param {number} format @param {Collection} collection @param {string} key @param {Encrypted} stored
   * @returns {Promise<unknown>} undefined if it does not open
   */
  async #openEarlier(format, collection, key, { iv, data }) {
    const bound = format === 1 ? collection : [format, collection, key].join('/');
    const parameters = { name: 'AES-GCM', iv, additionalData: encoder.encode(bound) };
    const plain = await crypto.subtle.decrypt(parameters, await this.#key, data).catch(() => null);
    return plain === null ? undefined : JSON.parse(decoder.decode(plain));
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    const name = await this.#nameOf(key);
    const stored = await this.inner.get(collection, name);
    return stored === undefined ? undefined : (await this.#decrypt(collection, name, stored))[1];
  }

  /** @type {Storage['write']} */
  async write(changes) {
    await this.inner.write(await Promise.all(changes.map((change) => this.#encrypted(change))));
  }

  /** @type {Storage['all']} */
  async all(collection, prefix) {
    const names = prefix === undefined ? '' : await this.#nameOf(prefix);
    const found = await this.inner.all(collection, names);
    return this.#decryptAll(
      collection,
      found.filter(([name]) => name !== NAMES),
    );
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    const found = await this.inner.last(collection, await this.#nameOf(from), await this.#nameOf(to), limit);
    return this.#decryptAll(collection, found);
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    const found = await this.inner.first(collection, await this.#nameOf(from), await this.#nameOf(to), limit);
    return this.#decryptAll(collection, found);
  }

  async wipe() {
    await this.inner.wipe();
    this.#opened = this.#secret = null;
    this.#names.clear();
  }

  /** @param {Change} change @returns {Promise<Change>} as it is stored */
  async #encrypted([collection, key, value]) {
    const name = await this.#nameOf(key);
    return value === undefined
      ? [collection, name]
      : [collection, name, await this.#encrypt(collection, name, key, value)];
  }

  /**
   * @param {Collection} collection @param {string} name @param {string} key @param {unknown} value
   * @returns {Promise<Encrypted>}
   */
  async #encrypt(collection, name, key, value) {
    const iv = randomBytes(IV_BYTES);
    const plain = encoder.encode(JSON.stringify([key, value]));
    const data = await crypto.subtle.encrypt(parameters(iv, collection, name), await this.#key, plain);
    return { format: FORMAT, iv, data };
  }

  /**
   * @template T @param {Collection} collection @param {string} name @param {T} stored an Encrypted, whatever its type
   * @returns {Promise<[key: string, value: T]>}
   */
  async #decrypt(collection, name, stored) {
    const { iv, data } = /** @type {Encrypted} */ (/** @type {unknown} */ (stored));
    const plain = await crypto.subtle.decrypt(parameters(iv, collection, name), await this.#key, data);
    return /** @type {[string, T]} */ (JSON.parse(decoder.decode(plain)));
  }

  /** @template T @param {Collection} collection @param {[string, T][]} found @returns {Promise<[string, T][]>} */
  #decryptAll(collection, found) {
    const ours = found.filter(([, stored]) => /** @type {Encrypted} */ (stored).format === FORMAT);
    return Promise.all(ours.map(([name, stored]) => this.#decrypt(collection, name, stored)));
  }

  /** A key as it is stored. @param {string} key */
  async #nameOf(key) {
    const parts = key.split('/').map(async (part) => (NUMBER.test(part) ? part : this.#hash(part)));
    return (await Promise.all(parts)).join('/');
  }

  /** @param {string} part of a key @returns {Promise<string>} */
  #hash(part) {
    const known = this.#names.get(part);
    if (known) return known;
    const made = this.#makeHash(part);
    if (this.#names.size >= NAMES_MAX) this.#names.clear();
    this.#names.set(part, made);
    made.catch(() => this.#names.delete(part));
    return made;
  }

  /** @param {string} part */
  async #makeHash(part) {
    const secret = (this.#secret ??= this.#openSecret());
    secret.catch(() => (this.#secret = null)); // the next call tries again
    const hash = await crypto.subtle.sign('HMAC', await secret, encoder.encode(part));
    return toHex(new Uint8Array(hash, 0, NAME_BYTES));
  }

  async #openSecret() {
    let names = await this.#readNames();
    if (!names) {
      names = { secret: toHex(randomBytes(32)), earliest: FORMAT };
      await this.#writeNames(names);
    }
    return crypto.subtle.importKey('raw', fromHex(names.secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  }

  /** @returns {Promise<Names | null>} */
  async #readNames() {
    const stored = /** @type {Names | undefined} */ (await this.inner.get('state', NAMES));
    return stored === undefined ? null : (await this.#decrypt('state', NAMES, stored))[1];
  }

  /** @param {Names} names */
  async #writeNames(names) {
    await this.inner.write([['state', NAMES, await this.#encrypt('state', NAMES, NAMES, names)]]);
  }
}

/** @param {Uint8Array<ArrayBuffer>} iv @param {Collection} collection @param {string} name @returns {AesGcmParams} */
function parameters(iv, collection, name) {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode([FORMAT, collection, name].join('/')) };
}
