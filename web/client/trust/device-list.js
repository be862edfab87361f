// @ts-check
/** Device lists: which devices an account has, signed by its account key. `docs/PROTOCOL.md` has the format. */
import { fromBase64, fromHex, isBase64, toBase64, toHex, uuidBytes, uuidOf } from '../util/bytes.js';
import { DAY_MS } from '../util/time.js';
import { isSignedBy } from './account-key.js';

const LABEL = new TextEncoder().encode('Sottovoce device list 1');
const HEAD_BYTES = LABEL.length + 32;
const ENTRY_BYTES = 40;
export const DEVICES_MAX = 16;
export const LIST_LIFE_S = 365 * 24 * 3600;

/**
 * @typedef {object} DeviceList
 * @property {string} user
 * @property {number} counter
 * @property {number} notAfter Unix time in seconds
 * @property {Record<string, Uint8Array>} devices signature keys, by the devices' ids in hex
 *
 * @typedef {{ account_key: string, device_list: string, signature: string }} SignedList in base64
 */

/** Not a device list, or not signed by this key. */
export class BadDeviceList extends Error {
  name = 'BadDeviceList';
}

/** @param {DeviceList} list @returns {Uint8Array} what the account key signs */
export function encodeDeviceList({ user, counter, notAfter, devices }) {
  const entries = Object.entries(devices).sort(([one], [other]) => (one < other ? -1 : 1));
  const bytes = new Uint8Array(HEAD_BYTES + ENTRY_BYTES * entries.length);
  const view = new DataView(bytes.buffer);
  bytes.set(LABEL);
  bytes.set(uuidBytes(user), LABEL.length);
  view.setBigUint64(LABEL.length + 16, BigInt(counter));
  view.setBigUint64(LABEL.length + 24, BigInt(notAfter));
  entries.forEach(([device, key], nth) => {
    bytes.set(fromHex(device), HEAD_BYTES + ENTRY_BYTES * nth);
    bytes.set(key, HEAD_BYTES + ENTRY_BYTES * nth + 8);
  });
  return bytes;
}

/**
 * A list that is valid for a year.
 * @param {import('./account-key.js').AccountKey} key @param {Omit<DeviceList, 'notAfter'>} list @returns {SignedList}
 */
export function signDeviceList(key, list) {
  const bytes = encodeDeviceList({ ...list, notAfter: Math.floor(Date.now() / 1000) + LIST_LIFE_S });
  return { account_key: key.publicKey, device_list: toBase64(bytes), signature: toBase64(key.sign(bytes)) };
}

/**
 * The list that the account key has signed for this user. Throws BadDeviceList. A counter is at most the Unix time in ms:
 * a thief of the account key could sign the highest number of all, and no list could follow it.
 * @param {SignedList} signed @param {string} user @returns {DeviceList}
 */
export function openDeviceList({ account_key: key, device_list: list, signature }, user) {
  if (![key, list, signature].every(isBase64)) throw new BadDeviceList('not base64');
  const bytes = fromBase64(list);
  if (!isSignedBy(fromBase64(key), bytes, fromBase64(signature)))
    throw new BadDeviceList('the list is not signed by this account key');
  const found = parseDeviceList(bytes);
  if (found.user !== user) throw new BadDeviceList('the list is of another user');
  if (found.counter > Date.now() + DAY_MS) throw new BadDeviceList('the counter is ahead of the time');
  return found;
}

/** @param {Uint8Array} bytes @returns {DeviceList} Throws BadDeviceList. */
export function parseDeviceList(bytes) {
  const count = (bytes.length - HEAD_BYTES) / ENTRY_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > DEVICES_MAX) throw new BadDeviceList('a wrong length');
  if (LABEL.some((byte, at) => bytes[at] !== byte)) throw new BadDeviceList('another label');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  /** @type {Record<string, Uint8Array>} */
  const devices = {};
  let before = '';
  for (let nth = 0; nth < count; nth++) {
    const entry = bytes.subarray(HEAD_BYTES + ENTRY_BYTES * nth, HEAD_BYTES + ENTRY_BYTES * (nth + 1));
    const device = toHex(entry.subarray(0, 8));
    if (device <= before) throw new BadDeviceList('the devices are not in ascending order');
    devices[device] = entry.slice(8);
    before = device;
  }
  return {
    user: uuidOf(bytes.subarray(LABEL.length, LABEL.length + 16)),
    counter: numberAt(view, LABEL.length + 16),
    notAfter: numberAt(view, LABEL.length + 24),
    devices,
  };
}

/** @param {DataView} view @param {number} at */
function numberAt(view, at) {
  const number = view.getBigUint64(at);
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadDeviceList('a number is too large');
  return Number(number);
}

/** The devices that both lists have. @param {DeviceList} one @param {DeviceList} other */
export function devicesInBoth(one, other) {
  return Object.fromEntries(Object.entries(one.devices).filter(([device]) => device in other.devices));
}
