// @ts-check
/** The device list of this account: devices that have the account key sign newer ones. */
import { Refused } from '../transport/api.js';
import { oneByOne } from '../util/one-by-one.js';
import { DEVICES_MAX, devicesInBoth, openDeviceList, signDeviceList } from './device-list.js';
import { isListed } from './identity.js';
import { thumbprintOf } from './thumbprint.js';

const TRIES = 5;

/**
 * @typedef {import('./account-key.js').AccountKey} AccountKey
 * @typedef {import('./device-list.js').DeviceList['devices']} Devices
 */

export class OwnList {
  #oneByOne = oneByOne();

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./identities.js').Identities} parts.identities
   * @param {import('./own-key.js').OwnKey} parts.ownKey
   */
  constructor(client, { identities, ownKey }) {
    this.client = client;
    this.identities = identities;
    this.ownKey = ownKey;
    client.listen('list conflict', ({ signed }) => client.later(() => this.#mend(signed)));
  }

  /** Whether the newest list has it. @param {string} device @param {Uint8Array} signatureKey */
  async has(device, signatureKey) {
    const known = await this.identities.of(this.client.me.user.id);
    return known !== undefined && isListed(known, { device, thumbprint: await thumbprintOf(signatureKey) });
  }

  async hasThisDevice() {
    return this.has(this.client.me.device, await this.client.mls.signatureKey());
  }

  /** Add this device. @param {AccountKey} key */
  async addThisDevice(key) {
    const own = await this.client.mls.signatureKey();
    await this.publish(key, ({ devices }) => ({ ...devices, [this.client.me.device]: own }));
  }

  /** Take a device out of the list, which must be before the server removes it. @param {string} device */
  async remove(device) {
    const key = await this.ownKey.get();
    const known = await this.identities.of(this.client.me.user.id);
    if (!key || !known?.devices[device] || Object.keys(known.devices).length === 1) return;
    await this.publish(key, ({ devices: { [device]: _, ...others } }) => others);
  }

  /**
   * Sign and publish a newer list, on top of the newest one of this key.
   * @param {AccountKey} key @param {(list: Pick<import('./device-list.js').DeviceList, 'counter' | 'devices'>) => Devices} change
   * @returns {Promise<void>}
   */
  publish(key, change) {
    return this.#oneByOne(() => this.#publishNow(key, change));
  }

  /** @param {AccountKey} key @param {(list: Pick<import('./device-list.js').DeviceList, 'counter' | 'devices'>) => Devices} change */
  async #publishNow(key, change) {
    const { api, me } = this.client;
    for (let tries = 1; ; tries++) {
      await this.identities.refresh(me.user.id);
      const known = await this.identities.of(me.user.id);
      if (known && known.key !== key.publicKey)
        throw new Refused(409, 'other_account_key', 'The server shows another account key', 0);
      const before = known ? openDeviceList(known.signed, me.user.id) : { counter: 0, devices: {} };
      const devices = await this.#fitting(Object.entries(change(before)), known?.removed);
      const list = signDeviceList(key, { user: me.user.id, counter: before.counter + 1, devices });
      try {
        await api.callUntilAnswered('PUT', 'account/device-list', list);
        return await this.identities.accept(me.user.id, list);
      } catch (error) {
        if (!(error instanceof Refused && error.code === 'stale_device_list') || tries === TRIES) throw error;
      }
    }
  }

  /**
   * A server that lies has shown a device of the account an older list. If it has taken two lists with one counter,
   * contacts have one or the other: the next one has the devices of both. What only one has may have been removed by a
   * list before the other.
   * @param {import('./device-list.js').SignedList} second with the counter of the newest list, or that list
   */
  async #mend(second) {
    const { user, device } = this.client.me;
    const [key, known] = [await this.ownKey.get(), await this.identities.of(user.id)];
    if (!key || !known || !(await this.hasThisDevice())) return;
    const [mine, theirs] = [known.signed, second].map((list) => openDeviceList(list, user.id));
    if (theirs.counter !== mine.counter) return; // a newer one came meanwhile
    const own = await this.client.mls.signatureKey();
    await this.publish(key, ({ counter, devices }) =>
      counter > mine.counter ? devices : { ...devicesInBoth(mine, theirs), [device]: own },
    );
  }

  /**
   * Without those that a list has omitted before: contacts would not count them again. A device that the server does not
   * show stays, since the server may hide it, unless the list would be too long.
   * @param {[string, Uint8Array][]} devices ids and signature keys @param {string[]} [removed] thumbprints
   * @returns {Promise<Devices>}
   */
  async #fitting(devices, removed = []) {
    const thumbprints = await Promise.all(devices.map(([, key]) => thumbprintOf(key)));
    const left = devices.filter((_, nth) => !removed.includes(thumbprints[nth]));
    if (left.length <= DEVICES_MAX) return Object.fromEntries(left);
    const registered = new Set((await this.client.api.callUntilAnswered('GET', 'devices')).map(({ id }) => id));
    return Object.fromEntries(left.filter(([device]) => registered.has(device)));
  }
}
