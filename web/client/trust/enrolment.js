// @ts-check
/**
 * Whether this device is in its account's device list, and how it comes into it.
 *
 * The first device of an account makes the account key. A further one waits until it is listed: another device links it
 * (`linking.js`), or the user enters the recovery key (`recovery-key.js`), or gives the password for a new account key.
 * All contacts then see that the key changed. A password alone adds no reader.
 */
import { Refused } from '../transport/api.js';
import { isEqual } from '../util/equal.js';
import { LIST_LIFE_S, openDeviceList } from './device-list.js';
import { encodeHandover, parseHandover } from './handover.js';
import { thumbprintOf } from './thumbprint.js';

const RENEW_S = 30 * 24 * 3600; // a list of this age is signed again

/**
 * @typedef {'unknown' | 'listed' | 'waiting' | 'removed'} Standing waiting: the account key has not listed this device;
 *   removed: a newer list of the same key omits it, and its session will end
 */

export class Enrolment {
  /** @type {Standing} */
  standing = 'unknown';

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/expected-users.js').ExpectedUsers} parts.expectedUsers
   * @param {import('./identities.js').Identities} parts.identities
   * @param {import('./own-key.js').OwnKey} parts.ownKey
   * @param {import('./own-list.js').OwnList} parts.ownList
   */
  constructor(client, { expectedUsers, identities, ownKey, ownList }) {
    this.client = client;
    this.expectedUsers = expectedUsers;
    this.identities = identities;
    this.ownKey = ownKey;
    this.ownList = ownList;
    client.listen('identity', ({ user }) => user === client.me.user.id && client.later(() => this.#updateStanding()));
  }

  /** Whether what counts here as the account's list is of its own account key, which this device has. */
  async knowsOwnList() {
    const [key, known] = [await this.ownKey.get(), await this.identities.of(this.client.me.user.id)];
    return key !== null && known?.key === key.publicKey;
  }

  /** Throws Refused where the server alone says which devices this account has. */
  async check() {
    if (!(await this.knowsOwnList())) throw new Refused(403, 'not_listed', 'This device is not confirmed', 0);
  }

  get isListed() {
    return this.standing === 'listed';
  }

  /** As it was when this device was last connected. */
  async resume() {
    if (this.standing === 'unknown') this.standing = (await this.client.storage.get('state', 'standing')) ?? 'unknown';
  }

  /** With the newest list of the account: make the account key if there is none, and renew an old list. */
  async bringUpToDate() {
    await this.ownKey.finishReplacing();
    const key = await this.ownKey.get();
    if (key) await this.#renew(key);
    else if (!(await this.ownKey.listAtServer())) await this.#makeFirstKey();
    await this.#updateStanding();
  }

  /**
   * Sign a newer list where this one is old, or has removed devices; or one with this device, if the client stopped
   * between the key and the list.
   * @param {import('./account-key.js').AccountKey} key
   */
  async #renew(key) {
    const { user, device } = this.client.me;
    await this.identities.refresh(user.id);
    const known = await this.identities.of(user.id);
    if (known && known.key !== key.publicKey) return;
    const atServer = await this.ownKey.listAtServer();
    const isStored = isEqual(atServer?.signature, known?.signed.signature);
    const own = await this.#thumbprint();
    if (known?.devices[device] === own) {
      const age = LIST_LIFE_S - (known.notAfter - Date.now() / 1000);
      const hasRemoved = !isEqual(
        Object.keys(openDeviceList(known.signed, user.id).devices),
        Object.keys(known.devices),
      );
      if (age > RENEW_S || hasRemoved || !isStored) await this.ownList.publish(key, ({ devices }) => devices);
    } else if (!known?.removed?.includes(own)) await this.ownList.addThisDevice(key);
  }

  /** The account has no key: make one that lists this device alone. */
  async #makeFirstKey() {
    try {
      await this.ownKey.replace();
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'account_key_exists')) throw error; // another device was first
    }
  }

  /**
   * A new account key, with this device alone. The others are removed: no list would vouch for them any more, and
   * contacts would send nothing where they are. Contacts are shown that the key changed.
   * @param {string} password
   */
  startAgain(password) {
    return this.client.inTurn(async () => {
      await this.ownKey.replace(password);
      const { api, me } = this.client;
      for (const { id } of await api.callUntilAnswered('GET', 'devices'))
        if (id !== me.device) await api.callUntilAnswered('DELETE', `devices/${id}`);
      await this.#updateStanding();
    });
  }

  /** What another device of this user needs, of all that this one knows. @returns {Promise<Uint8Array>} */
  async handover() {
    const own = await this.identities.of(this.client.me.user.id);
    return encodeHandover({
      key: await this.ownKey.need(),
      list: own?.signed ?? null,
      contacts: await this.identities.ofContacts(),
      groups: await this.expectedUsers.ofVerified(),
    });
  }

  /**
   * The account key came from the user, so it is the right one whatever the server says. So is the list that came with
   * it: the server may show an older one, which has devices that were removed, or none.
   * @param {Uint8Array} handover
   */
  async take(handover) {
    const { key, list, contacts, groups } = parseHandover(handover);
    const { user } = this.client.me;
    const before = await this.identities.of(user.id);
    const isOther = before !== undefined && before.key !== key.publicKey;
    if (isOther && list) await this.identities.replace(user.id, list);
    else if (isOther) await this.identities.forget(user.id);
    else if (list) await this.identities.accept(user.id, list);
    await this.identities.refresh(user.id);
    // Without a handed-over list, the first account key that the server shows was kept. It is another one: a lie.
    if ((await this.identities.of(user.id))?.key !== key.publicKey) await this.identities.forget(user.id);
    const known = await this.identities.of(user.id);
    if (known?.removed?.includes(await this.#thumbprint())) {
      await this.#become('removed'); // before it took the answer: it does not wait any more
      throw new Refused(409, 'device_removed', 'This device was removed: log out, and log in again', 0);
    }
    await this.identities.expect(contacts);
    await this.expectedUsers.write(groups);
    await this.ownKey.keep(key);
    if (!(await this.ownList.hasThisDevice())) await this.ownList.addThisDevice(key);
    await this.#updateStanding();
  }

  async #updateStanding() {
    await this.#become(await this.#standingNow());
  }

  /** @param {Standing} standing */
  async #become(standing) {
    if (standing === this.standing) return;
    this.standing = standing;
    await this.client.storage.write([['state', 'standing', standing]]);
    await this.client.emitAndWait('standing', { standing });
  }

  /** @returns {Promise<Standing>} */
  async #standingNow() {
    const [key, known] = [await this.ownKey.get(), await this.identities.of(this.client.me.user.id)];
    if (!key && this.standing === 'removed') return 'removed';
    // Also where another device has made another account key.
    if (!key || !known || known.changed || known.key !== key.publicKey) return 'waiting';
    if (await this.ownList.hasThisDevice()) return 'listed';
    // It may have been listed and omitted before it noticed.
    const isOmitted = this.standing === 'listed' || known.removed?.includes(await this.#thumbprint());
    return isOmitted || this.standing === 'removed' ? 'removed' : 'waiting';
  }

  async #thumbprint() {
    return thumbprintOf(await this.client.mls.signatureKey());
  }
}
