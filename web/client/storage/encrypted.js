// @ts-check
/** A memory whose values are encrypted where they lie: AES-256-GCM, with the collection as associated data. */
import { randomBytes } from '../util/bytes.js';

/** @typedef {import('./storage.js').Storage} Storage */
/** @typedef {import('./storage.js').Collection} Collection */
/** @typedef {{ iv: Uint8Array, data: ArrayBuffer }} Sealed */

const IV_BYTES = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @implements {Storage} */
export class SealedStorage {
  /** @type {Promise<CryptoKey> | null} */
  #opened = null;

  /** @param {Storage} inner @param {() => Promise<CryptoKey>} openKey asked when it is needed, and anew after a wipe */
  constructor(inner, openKey) {
    this.inner = inner;
    this.openKey = openKey;
  }

  get #key() {
    return (this.#opened ??= this.openKey());
  }

  /** A key that pages and workers can use and nobody can read. @returns {Promise<CryptoKey>} */
  static makeKey() {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  }

  /** @type {Storage['get']} */
  async get(collection, key) {
    return this.#open(collection, await this.inner.get(collection, key));
  }

  /** @type {Storage['write']} */
  async write(changes) {
    await this.inner.write(
      await Promise.all(
        changes.map(async ([collection, key, value]) => {
          /** @type {import('./storage.js').Change} */
          const change = [collection, key, value === undefined ? undefined : await this.#seal(collection, value)];
          return change;
        }),
      ),
    );
  }

  /** @type {Storage['all']} */
  async all(collection, prefix) {
    const found = await this.inner.all(collection, prefix);
    return Promise.all(
      found.map(async ([key, sealed]) => /** @type {[string, any]} */ ([key, await this.#open(collection, sealed)])),
    );
  }

  /** @type {Storage['last']} */
  async last(collection, from, to, limit) {
    return Promise.all(
      (await this.inner.last(collection, from, to, limit)).map((sealed) => this.#open(collection, sealed)),
    );
  }

  /** @type {Storage['first']} */
  async first(collection, from, to, limit) {
    return Promise.all(
      (await this.inner.first(collection, from, to, limit)).map((sealed) => this.#open(collection, sealed)),
    );
  }

  async wipe() {
    await this.inner.wipe();
    this.#opened = null;
  }

  /** @param {Collection} collection @param {any} value @returns {Promise<Sealed>} */
  async #seal(collection, value) {
    const iv = randomBytes(IV_BYTES);
    const plain = encoder.encode(JSON.stringify(value));
    return { iv, data: await crypto.subtle.encrypt(parameters(iv, collection), await this.#key, plain) };
  }

  /** @param {Collection} collection @param {Sealed | undefined} sealed */
  async #open(collection, sealed) {
    if (sealed === undefined) return undefined;
    const plain = await crypto.subtle.decrypt(parameters(sealed.iv, collection), await this.#key, sealed.data);
    return JSON.parse(decoder.decode(plain));
  }
}

/** @param {Uint8Array} iv @param {Collection} collection @returns {AesGcmParams} */
function parameters(iv, collection) {
  return { name: 'AES-GCM', iv: /** @type {any} */ (iv), additionalData: encoder.encode(collection) };
}
