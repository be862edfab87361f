// @ts-check
/**
 * The account key of this device's user, as this device keeps it.
 *
 * A new key counts when the server has stored its list. Until then it is kept beside the previous key: the server may refuse
 * it, or store it although its answer is lost.
 */
import { Refused } from '../transport/api.js';
import { fromBase64, toBase64 } from '../util/bytes.js';
import { AccountKey } from './account-key.js';
import { signDeviceList } from './device-list.js';

export class OwnKey {
  /**
   * As it was read last. Each message needs it, and computing the public key takes a third as long as encrypting one.
   * @type {{ seed: string, key: AccountKey } | null}
   */
  #read = null;

  /**
   * @param {import('../context.js').Context} client
   * @param {{ identities: import('./identities.js').Identities }} parts
   */
  constructor(client, { identities }) {
    this.client = client;
    this.identities = identities;
  }

  /** @returns {Promise<AccountKey | null>} */
  async get() {
    const seed = await this.client.storage.get('state', 'account-key');
    if (seed === undefined) return null;
    if (this.#read?.seed !== seed) this.#read = { seed, key: new AccountKey(fromBase64(seed)) };
    return this.#read.key;
  }

  /** Throws Refused if this device does not have it. */
  async need() {
    const key = await this.get();
    if (!key) throw new Refused(409, 'no_account_key', 'This device does not have the account key', 0);
    return key;
  }

  /** Store it, and forget the next one. @param {AccountKey} key */
  async keep(key) {
    await this.client.storage.write([
      ['state', 'account-key', toBase64(key.seed)],
      ['state', 'next-account-key'],
    ]);
  }

  /** A new key, with this device alone. @param {string} [password] which the server asks for where there is a key */
  async replace(password) {
    await this.finishReplacing();
    const seed = password ? undefined : await this.client.storage.get('state', 'next-account-key');
    const key = seed === undefined ? AccountKey.generate() : new AccountKey(fromBase64(seed));
    const { user, device } = this.client.me;
    const devices = { [device]: await this.client.mls.signatureKey() };
    const list = signDeviceList(key, { user: user.id, counter: 1, devices });
    await this.client.storage.write([['state', 'next-account-key', toBase64(key.seed)]]);
    try {
      const body = { ...list, ...(password ? { password } : {}) };
      await this.client.api.callUntilAnswered('PUT', 'account/device-list', body);
      await this.#adopt(key, list);
    } catch (error) {
      // It was sent until there was an answer, so an earlier time may have succeeded.
      if (error instanceof Refused && (await this.finishReplacing())) return;
      if (error instanceof Refused && error.isFinal) await this.client.storage.write([['state', 'next-account-key']]);
      throw error;
    }
  }

  /**
   * The client stopped while it replaced the key. Returns whether the server has the new one. If it shows another list,
   * that may be a lie: the key is kept.
   */
  async finishReplacing() {
    const seed = await this.client.storage.get('state', 'next-account-key');
    if (seed === undefined) return false;
    const key = new AccountKey(fromBase64(seed));
    const list = await this.listAtServer();
    const isStored = list?.account_key === key.publicKey;
    if (isStored) await this.#adopt(key, list);
    return isStored;
  }

  /** The newest list that the server has; null: there is no account key. */
  async listAtServer() {
    try {
      return await this.client.api.callUntilAnswered('GET', `users/${this.client.me.user.id}/device-list`);
    } catch (error) {
      if (error instanceof Refused && error.code === 'no_device_list') return null;
      throw error;
    }
  }

  /** @param {AccountKey} key @param {import('./device-list.js').SignedList} list */
  async #adopt(key, list) {
    await this.identities.replace(this.client.me.user.id, list);
    await this.keep(key);
  }
}
