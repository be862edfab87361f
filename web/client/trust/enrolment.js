// @ts-check
/**
 * This device in its account's list of devices.
 *
 * The first device of an account makes the account key. A further one waits until it is listed: another device links it
 * (`linking.js`), or the user enters the recovery key (`recovery-key.js`), or gives the password for a new account key,
 * which all contacts are shown. A password alone adds no reader.
 */
import { Refused } from '../transport/api.js';
import { fromBase64, toBase64 } from '../util/bytes.js';
import { oneByOne } from '../util/one-by-one.js';
import { AccountKey, SEED_BYTES } from './account-key.js';
import { devicesInBoth, encodeDeviceList, openDeviceList } from './device-list.js';
import { isListed } from './identities.js';
import { thumbprintOf } from './thumbprint.js';

const LIST_LIFE_S = 365 * 24 * 3600;
const RENEW_S = 30 * 24 * 3600; // a list of this age is signed again
const TRIES = 5;
const SIGNATURE_BYTES = 64;

/**
 * @typedef {import('./device-list.js').DeviceList} DeviceList
 * @typedef {'unknown' | 'listed' | 'waiting' | 'removed'} Standing waiting: the account key has not listed this device;
 *   removed: a newer list of the same key omits it, and its session will end
 */

export class Enrolment {
  /** @type {Standing} */
  standing = 'unknown';
  #listByList = oneByOne();

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('./identities.js').Identities} parts.identities
   */
  constructor(client, { store, identities }) {
    this.client = client;
    this.store = store;
    this.identities = identities;
    client.listen('identity', ({ user }) => user === client.me.user.id && client.later(() => this.#stand()));
    client.listen('list to mend', ({ second }) => client.later(() => this.#mend(second)));
  }

  get isListed() {
    return this.standing === 'listed';
  }

  /** As it was when this device was last connected. */
  async resume() {
    if (this.standing === 'unknown') this.standing = (await this.client.storage.get('state', 'standing')) ?? 'unknown';
  }

  /** With the newest list of the account: make the account key if there is none, and renew an old list. */
  async settle() {
    const { user } = this.client.me;
    const key = await this.#key();
    if (key) {
      await this.identities.refresh(user.id);
      const known = await this.identities.of(user.id);
      const age = known ? LIST_LIFE_S - (known.notAfter - Date.now() / 1000) : 0;
      if (known && age > RENEW_S && isListed(known, await this.#leaf())) await this.publish(key, (devices) => devices);
    } else if (!(await this.#stored())) await this.#found();
    await this.#stand();
  }

  /** The account has no key: make one that lists this device alone. */
  async #found() {
    try {
      await this.#replace(AccountKey.generate());
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'account_key_exists')) throw error; // another device was first
    }
  }

  /**
   * A new account key, with this device alone. The others are removed: no list would vouch for them any more, and
   * contacts would send nothing where they are. Contacts are shown that the key changed.
   * @param {string} password
   */
  async startAgain(password) {
    await this.#replace(AccountKey.generate(), password);
    const { api, me } = this.client;
    for (const { id } of await api.callUntilAnswered('GET', 'devices'))
      if (id !== me.device) await api.callUntilAnswered('DELETE', `devices/${id}`);
    await this.#stand();
  }

  /** @param {AccountKey} key @param {string} [password] */
  async #replace(key, password) {
    const { user, device } = this.client.me;
    const own = await this.client.mls.signatureKey();
    const body = signed(key, { user: user.id, counter: 1, notAfter: ends(), devices: { [device]: own } });
    // First, because the server may have stored the list although its answer is lost.
    await this.client.storage.write([['state', 'account-key', toBase64(key.seed)]]);
    await this.identities.forget(user.id);
    try {
      await this.client.api.callUntilAnswered('PUT', 'account/device-list', {
        ...body,
        ...(password ? { password } : {}),
      });
    } catch (error) {
      if (error instanceof Refused) await this.client.storage.write([['state', 'account-key']]);
      throw error;
    }
    await this.identities.accept(user.id, body);
  }

  /** Take a device out of the list, which must be before the server removes it. @param {string} device */
  async unlist(device) {
    const key = await this.#key();
    const known = await this.identities.of(this.client.me.user.id);
    if (!key || !known?.devices[device] || Object.keys(known.devices).length === 1) return;
    await this.publish(key, ({ [device]: _, ...others }) => others);
  }

  /** What a new device gets from the user: the account key's seed, and the newest list behind its signature. */
  async handover() {
    const key = await this.ownKey();
    const known = await this.identities.of(this.client.me.user.id);
    if (!known) return key.seed;
    return Uint8Array.from([
      ...key.seed,
      ...fromBase64(known.signed.signature),
      ...fromBase64(known.signed.device_list),
    ]);
  }

  /**
   * The account key came from the user, so it is the right one whatever the server says. So is the list that came with
   * it: the server may show an older one, which has devices that were removed, or none.
   * @param {Uint8Array} handover
   */
  async take(handover) {
    const key = new AccountKey(handover.slice(0, SEED_BYTES));
    const { user, device } = this.client.me;
    const before = await this.identities.of(user.id);
    if (before && before.key !== key.publicKey) await this.identities.forget(user.id);
    const list = handover.subarray(SEED_BYTES);
    if (list.length) await this.identities.accept(user.id, signedIn(key, list)); // none in those of earlier versions
    await this.identities.refresh(user.id);
    // Without a handed-over list, the first account key that the server shows was kept. It is another one: a lie.
    if ((await this.identities.of(user.id))?.key !== key.publicKey) await this.identities.forget(user.id);
    const known = await this.identities.of(user.id);
    const leaf = await this.#leaf();
    if (known?.removed?.includes(leaf.thumbprint))
      throw new Refused(409, 'device_removed', 'This device was removed: log out, and log in again', 0);
    await this.client.storage.write([['state', 'account-key', toBase64(key.seed)]]);
    if (!known || !isListed(known, leaf)) {
      const own = await this.client.mls.signatureKey();
      await this.publish(key, (devices) => ({ ...devices, [device]: own }));
    }
    await this.#stand();
  }

  /**
   * Sign and publish a newer list, on top of the newest one of this key.
   * @param {AccountKey} key
   * @param {(devices: DeviceList['devices']) => DeviceList['devices']} change
   * @returns {Promise<void>}
   */
  publish(key, change) {
    return this.#listByList(() => this.#publishNow(key, change));
  }

  /** @param {AccountKey} key @param {(devices: DeviceList['devices']) => DeviceList['devices']} change */
  async #publishNow(key, change) {
    const { api, me } = this.client;
    for (let tries = 1; ; tries++) {
      await this.identities.refresh(me.user.id);
      const known = await this.identities.of(me.user.id);
      if (known && known.key !== key.publicKey)
        throw new Refused(409, 'other_account_key', 'The server shows another account key', 0);
      const before = known ? openDeviceList(known.signed, me.user.id) : { counter: 0, devices: {} };
      const registered = new Set((await api.callUntilAnswered('GET', 'devices')).map(({ id }) => id));
      const wanted = await stillListed(Object.entries(change(before.devices)), known?.removed);
      await this.#checkHidden(wanted.map(([device]) => device).filter((device) => !registered.has(device)));
      const devices = Object.fromEntries(wanted.filter(([device]) => registered.has(device)));
      const body = signed(key, { user: me.user.id, counter: before.counter + 1, notAfter: ends(), devices });
      try {
        await api.callUntilAnswered('PUT', 'account/device-list', body);
        return await this.identities.accept(me.user.id, body);
      } catch (error) {
        if (!(error instanceof Refused && error.code === 'stale_device_list') || tries === TRIES) throw error;
      }
    }
  }

  /**
   * A server that lies has shown a device of the account an older list. If it has taken two lists with one counter,
   * contacts have one or the other: the next one has the devices of both. What only one has may have been removed by a
   * list before the other.
   * @param {import('./device-list.js').SignedList} [second] with the counter of the newest list
   */
  async #mend(second) {
    const { user, device } = this.client.me;
    const [key, known] = [await this.#key(), await this.identities.of(user.id)];
    if (!key || !known || !this.isListed) return;
    const [mine, theirs] = [known.signed, second ?? known.signed].map((list) => openDeviceList(list, user.id));
    if (theirs.counter !== mine.counter) return; // a newer one came meanwhile
    const own = await this.client.mls.signatureKey();
    await this.publish(key, () => ({ ...devicesInBoth(mine, theirs), [device]: own }));
  }

  /**
   * A list omits devices that the server does not have any more. If one of them is still in a group, and did not say that
   * it leaves, the server may hide it, and the list would remove it. Throws Refused.
   * @param {string[]} devices
   */
  async #checkHidden(devices) {
    const me = this.client.me.user.id;
    for (const { isActive, members, released = [] } of devices.length ? await this.store.list() : [])
      for (const { user, device } of isActive ? members : [])
        if (user === me && devices.includes(device) && !released.includes(device))
          throw new Refused(409, 'device_hidden', 'The server does not show a device that is in your conversations', 0);
  }

  async #stand() {
    const known = await this.identities.of(this.client.me.user.id);
    const standing = await this.#standingBy(known);
    if (standing === this.standing) return;
    this.standing = standing;
    await this.client.storage.write([['state', 'standing', standing]]);
    await this.client.emitAndWait('standing', { standing });
  }

  /** @param {import('./identities.js').Identity | undefined} known @returns {Promise<Standing>} */
  async #standingBy(known) {
    // Also where another device has made another account key.
    if (!known || known.changed || !(await this.#key())) return 'waiting';
    if (isListed(known, await this.#leaf())) return 'listed';
    return this.standing === 'listed' || this.standing === 'removed' ? 'removed' : 'waiting';
  }

  /** @returns {Promise<AccountKey | null>} */
  async #key() {
    const seed = await this.client.storage.get('state', 'account-key');
    return seed === undefined ? null : new AccountKey(fromBase64(seed));
  }

  async ownKey() {
    const key = await this.#key();
    if (!key) throw new Refused(409, 'no_account_key', 'This device does not have the account key', 0);
    return key;
  }

  /** What the server has stored; null: there is no account key. */
  async #stored() {
    try {
      return await this.client.api.callUntilAnswered('GET', `users/${this.client.me.user.id}/device-list`);
    } catch (error) {
      if (error instanceof Refused && error.code === 'no_device_list') return null;
      throw error;
    }
  }

  /** Whether the newest list has it. @param {string} device @param {Uint8Array} signatureKey */
  async lists(device, signatureKey) {
    const known = await this.identities.of(this.client.me.user.id);
    return known !== undefined && isListed(known, { device, thumbprint: await thumbprintOf(signatureKey) });
  }

  async #leaf() {
    return { device: this.client.me.device, thumbprint: await thumbprintOf(await this.client.mls.signatureKey()) };
  }
}

/**
 * Without those that a list has omitted before: contacts would not count them again.
 * @param {[string, Uint8Array][]} devices ids and signature keys @param {string[]} [removed] thumbprints
 */
async function stillListed(devices, removed = []) {
  const thumbprints = await Promise.all(devices.map(([, key]) => thumbprintOf(key)));
  return devices.filter((_, nth) => !removed.includes(thumbprints[nth]));
}

/** @param {AccountKey} key @param {Uint8Array} bytes the signature, and the list */
function signedIn(key, bytes) {
  const [signature, list] = [bytes.subarray(0, SIGNATURE_BYTES), bytes.subarray(SIGNATURE_BYTES)].map(toBase64);
  return { account_key: key.publicKey, device_list: list, signature };
}

/** @param {AccountKey} key @param {DeviceList} list */
function signed(key, list) {
  const bytes = encodeDeviceList(list);
  return { account_key: key.publicKey, device_list: toBase64(bytes), signature: toBase64(key.sign(bytes)) };
}

function ends() {
  return Math.floor(Date.now() / 1000) + LIST_LIFE_S;
}
