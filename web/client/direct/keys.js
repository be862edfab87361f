// @ts-check
/** The keys of direct conversations that this device has, and what they encrypt. */
import { Refused } from '../transport/api.js';
import { fromBase64 } from '../util/bytes.js';
import { decryptText, encryptText, fingerprintOf, importKey } from './cipher.js';

const KEY_BYTES = 32;

/**
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../storage/storage.js').Change} Change
 */

export class DirectKeys {
  /** @param {import('../context.js').Context} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * The key that waits for this account, unless another device has taken it.
   * @param {string} id @param {string} user @returns {Promise<string | null>} its fingerprint
   */
  async claim(id, user) {
    const { key } = await this.client.api.call('POST', `direct/${user}/key/claim`);
    return key === null || fromBase64(key).length !== KEY_BYTES ? null : this.keep(id, key);
  }

  /**
   * Store the key first: the server gives it only once.
   * @param {string} id @param {string} key @returns {Promise<string>} its fingerprint
   */
  async keep(id, key) {
    await this.client.storage.write([['state', `key/${id}`, key]]);
    return fingerprintOf(key);
  }

  /**
   * 'none' only if there has never been a key: a server that denies the key must not get plain text.
   * @param {string} id @param {Conversation | undefined} known @param {string | undefined} fingerprint
   * @returns {Promise<Conversation['key']>}
   */
  async stateOf(id, known, fingerprint) {
    if ((await this.#stored(id)) !== undefined) return 'here';
    return fingerprint === undefined ? (known?.key ?? 'none') : 'elsewhere';
  }

  /**
   * What to write when the conversation has a new key: the old one is useless then.
   * @param {string} id @param {string} fingerprint of the new key @returns {Promise<Change[]>}
   */
  async withoutOld(id, fingerprint) {
    const key = await this.#stored(id);
    return key !== undefined && (await fingerprintOf(key)) !== fingerprint ? [['state', `key/${id}`]] : [];
  }

  /**
   * The text for the server: plain only if there has never been a key.
   * @param {Conversation | undefined} conversation @param {string} text
   */
  async encrypt(conversation, text) {
    const key = conversation && (await this.#key(conversation.id));
    if (key) return encryptText(key, conversation.id, text);
    if (conversation?.key === 'none') return text;
    throw new Refused(409, 'no_key', 'The key of this conversation is not on this device', 0);
  }

  /** @param {Conversation} conversation @param {string} text */
  async decrypt({ id }, text) {
    return decryptText(await this.#key(id), id, text);
  }

  /** @param {string} id */
  async #key(id) {
    const key = await this.#stored(id);
    return key === undefined ? null : importKey(key);
  }

  /** @param {string} id @returns {Promise<string | undefined>} */
  #stored(id) {
    return this.client.storage.get('state', `key/${id}`);
  }
}
