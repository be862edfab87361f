// @ts-check
/**
 * Encrypts the values of another storage with AES-256-GCM. A value opens only in its collection and under its key: both
 * are the associated data. Values of the first format were bound to their collection only; `upgrade` encrypts them again.
 */
import { randomBytes } from '../util/bytes.js';
import { COLLECTIONS } from './storage.js';

/** @typedef {import('./storage.js').Storage} Storage */
/** @typedef {import('./storage.js').Collection} Collection */
/** @typedef {{ format?: number, iv: Uint8Array<ArrayBuffer>, data: ArrayBuffer }} Encrypted `format`: 1 if missing */

const FORMAT = 2;
const IV_BYTES = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @implements {Storage} */
export class EncryptedStorage {
  /** @type {Promise<CryptoKey> | null} */
  #opened = null;

  /**
   * @param {Storage} inner
   * @param {() => Promise<CryptoKey>} openKey called when it is first needed, and again after a wipe
   */
  constructor(inner, openKey) {
    this.inner = inner;
    this.openKey = openKey;
  }

  get #key() {
    return (this.#opened ??= this.openKey());
  }

  /** A key that scripts of this origin can use but not export. @returns {Promise<CryptoKey>} */
  static makeKey() {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  }

  /** Encrypt the values of the first format again, once; from then on they do not open. */
  async upgrade() {
    if ((await this.inner.get('state', 'format')) !== undefined) return;
    for (const collection of COLLECTIONS) {
      /** @type {import('./storage.js').Change[]} */
      const changes = [];
      for (const [key, stored] of await this.inner.all(collection)) {
        const { format = 1, iv, data } = /** @type {Encrypted} */ (/** @type {unknown} */ (stored));
        if (format !== 1) continue;
        const parameters = { name: 'AES-GCM', iv, additionalData: encoder.encode(collection) };
        const plain = await crypto.subtle.decrypt(parameters, await this.#key, data);
        changes.push([collection, key, await this.#encrypt(collection, key, JSON.parse(decoder.decode(plain)))]);
      }
      await this.inner.write(changes);
    }
    await this.write([['state', 'format', FORMAT]]);
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    return this.#decrypt(collection, key, await this.inner.get(collection, key));
  }

  /** @type {Storage['write']} */
  async write(changes) {
    await this.inner.write(
      await Promise.all(
        changes.map(async ([collection, key, value]) => {
          /** @type {import('./storage.js').Change} */
          const change = [
            collection,
            key,
            value === undefined ? undefined : await this.#encrypt(collection, key, value),
          ];
          return change;
        }),
      ),
    );
  }

  /** @type {Storage['all']} */
  async all(collection, prefix) {
    return this.#decryptAll(collection, await this.inner.all(collection, prefix));
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    return this.#decryptAll(collection, await this.inner.last(collection, from, to, limit));
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    return this.#decryptAll(collection, await this.inner.first(collection, from, to, limit));
  }

  async wipe() {
    await this.inner.wipe();
    this.#opened = null;
  }

  /** @param {Collection} collection @param {string} key @param {unknown} value @returns {Promise<Encrypted>} */
  async #encrypt(collection, key, value) {
    const iv = randomBytes(IV_BYTES);
    const plain = encoder.encode(JSON.stringify(value));
    const data = await crypto.subtle.encrypt(parameters(iv, collection, key), await this.#key, plain);
    return { format: FORMAT, iv, data };
  }

  /**
   * @template T @param {Collection} collection @param {string} key @param {T} stored Encrypted, in fact
   * @returns {Promise<T>} the value
   */
  async #decrypt(collection, key, stored) {
    if (stored === undefined) return stored;
    const { iv, data } = /** @type {Encrypted} */ (/** @type {unknown} */ (stored));
    const plain = await crypto.subtle.decrypt(parameters(iv, collection, key), await this.#key, data);
    return /** @type {T} */ (JSON.parse(decoder.decode(plain)));
  }

  /** @template T @param {Collection} collection @param {[string, T][]} found @returns {Promise<[string, T][]>} */
  #decryptAll(collection, found) {
    return Promise.all(found.map(async ([key, stored]) => [key, await this.#decrypt(collection, key, stored)]));
  }
}

/** @param {Uint8Array<ArrayBuffer>} iv @param {Collection} collection @param {string} key @returns {AesGcmParams} */
function parameters(iv, collection, key) {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode([FORMAT, collection, key].join('/')) };
}
