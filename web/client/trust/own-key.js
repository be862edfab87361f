// @ts-check
/**
 * The account key of this device's user, as this device keeps it.
 *
 * A new key counts when the server has stored its list. Until then it is kept beside the one of before: the server may
 * refuse it, or store it although its answer is lost.
 */
import { Refused } from '../transport/api.js';
import { fromBase64, toBase64 } from '../util/bytes.js';
import { AccountKey } from './account-key.js';
import { signDeviceList } from './device-list.js';

export class OwnKey {
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
    return seed === undefined ? null : new AccountKey(fromBase64(seed));
  }

  /** Throws Refused if this device does not have it. */
  async need() {
    const key = await this.get();
    if (!key) throw new Refused(409, 'no_account_key', 'This device does not have the account key', 0);
    return key;
  }

  /** It came from the user. @param {AccountKey} key */
  async keep(key) {
    await this.client.storage.write([
      ['state', 'account-key', toBase64(key.seed)],
      ['state', 'next-account-key'],
    ]);
  }

  /** A new key, with this device alone. @param {string} [password] which the server asks for where there is a key */
  async replace(password) {
    const key = AccountKey.generate();
    const { user, device } = this.client.me;
    const devices = { [device]: await this.client.mls.signatureKey() };
    const list = signDeviceList(key, { user: user.id, counter: 1, devices });
    await this.client.storage.write([['state', 'next-account-key', toBase64(key.seed)]]);
    try {
      const body = { ...list, ...(password ? { password } : {}) };
      await this.client.api.callUntilAnswered('PUT', 'account/device-list', body);
    } catch (error) {
      if (error instanceof Refused) await this.client.storage.write([['state', 'next-account-key']]);
      throw error;
    }
    await this.#adopt(key, list);
  }

  /**
   * This device ended while it replaced the key.
   * @param {() => Promise<import('./device-list.js').SignedList | null>} listAtServer
   */
  async finishReplacing(listAtServer) {
    const seed = await this.client.storage.get('state', 'next-account-key');
    if (seed === undefined) return;
    const key = new AccountKey(fromBase64(seed));
    const stored = await listAtServer();
    if (stored?.account_key === key.publicKey) await this.#adopt(key, stored);
    else await this.client.storage.write([['state', 'next-account-key']]); // its list has not reached the server
  }

  /** @param {AccountKey} key @param {import('./device-list.js').SignedList} list */
  async #adopt(key, list) {
    const { user } = this.client.me;
    await this.identities.forget(user.id);
    await this.identities.accept(user.id, list);
    await this.keep(key);
  }
}
