// @ts-check
/** Encrypts the values of another storage with AES-256-GCM; the collection is the associated data. */
import { randomBytes } from '../util/bytes.js';

/** @typedef {import('./storage.js').Storage} Storage */
/** @typedef {import('./storage.js').Collection} Collection */
/** @typedef {{ iv: Uint8Array<ArrayBuffer>, data: ArrayBuffer }} Encrypted */

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

  /** @type {Storage['get']} */
  async get(collection, key) {
    return this.#decrypt(collection, await this.inner.get(collection, key));
  }

  /** @type {Storage['write']} */
  async write(changes) {
    await this.inner.write(
      await Promise.all(
        changes.map(async ([collection, key, value]) => {
          /** @type {import('./storage.js').Change} */
          const change = [collection, key, value === undefined ? undefined : await this.#encrypt(collection, value)];
          return change;
        }),
      ),
    );
  }

  /** @type {Storage['all']} */
  async all(collection, prefix) {
    const found = await this.inner.all(collection, prefix);
    return Promise.all(
      found.map(
        async ([key, stored]) =>
          /** @type {[string, typeof stored]} */ ([key, await this.#decrypt(collection, stored)]),
      ),
    );
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    return Promise.all(
      (await this.inner.last(collection, from, to, limit)).map((sealed) => this.#decrypt(collection, sealed)),
    );
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    return Promise.all(
      (await this.inner.first(collection, from, to, limit)).map((sealed) => this.#decrypt(collection, sealed)),
    );
  }

  async wipe() {
    await this.inner.wipe();
    this.#opened = null;
  }

  /** @param {Collection} collection @param {unknown} value @returns {Promise<Encrypted>} */
  async #encrypt(collection, value) {
    const iv = randomBytes(IV_BYTES);
    const plain = encoder.encode(JSON.stringify(value));
    return { iv, data: await crypto.subtle.encrypt(parameters(iv, collection), await this.#key, plain) };
  }

  /** @template T @param {Collection} collection @param {T} stored Encrypted, in fact @returns {Promise<T>} the value */
  async #decrypt(collection, stored) {
    if (stored === undefined) return stored;
    const { iv, data } = /** @type {Encrypted} */ (/** @type {unknown} */ (stored));
    const plain = await crypto.subtle.decrypt(parameters(iv, collection), await this.#key, data);
    return /** @type {T} */ (JSON.parse(decoder.decode(plain)));
  }
}

/** @param {Uint8Array<ArrayBuffer>} iv @param {Collection} collection @returns {AesGcmParams} */
function parameters(iv, collection) {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode(collection) };
}
