// @ts-check
/** What a device knows of a user's account key and list of devices, and what becomes of it with another list. Pure. */
import { isEqual } from '../util/equal.js';
import { isOver } from '../util/time.js';

const FORMER_MAX = 256;

/**
 * @typedef {object} Identity
 * @property {string} key the account key, in base64
 * @property {number} counter of the newest list
 * @property {number} notAfter Unix time in seconds
 * @property {Record<string, string>} devices thumbprints of the listed devices, by their ids, without removed ones
 * @property {string[]} [removed] thumbprints of the devices that a newer list omitted, the newest last
 * @property {string[]} [former] thumbprints in other lists of the key, the newest last
 * @property {import('./device-list.js').SignedList} signed the newest list
 * @property {import('./device-list.js').SignedList} [changed] the list of another account key, which the user has not accepted
 *
 * @typedef {object} ListInfo a valid list
 * @property {import('./device-list.js').SignedList} signed
 * @property {number} counter
 * @property {number} notAfter Unix time in seconds
 * @property {Record<string, string>} thumbprints of its devices, by their ids
 */

/** The thumbprints of the devices that count now: none once the list has expired. @param {Identity} identity */
export function listedIn(identity) {
  return isOver(identity) ? [] : Object.values(identity.devices);
}

/** @param {Identity} identity @param {{ device: string, thumbprint: string }} member */
export function isListed(identity, { device, thumbprint }) {
  return !isOver(identity) && identity.devices[device] === thumbprint;
}

/**
 * Another device has seen a list with this counter, which has still to come: until then the user has no device.
 * @param {string} key @param {number} counter @param {string[]} removed thumbprints @returns {Identity}
 */
export function expected(key, counter, removed) {
  const signed = { account_key: key, device_list: '', signature: '' };
  return { key, counter, notAfter: Number.MAX_SAFE_INTEGER, devices: {}, removed, signed };
}

/** Whether its newest list has still to come. @param {Identity} identity */
export function isExpected({ signed }) {
  return signed.device_list === '';
}

/** Another device has seen that these devices were removed. @param {Identity} known @param {string[]} removed */
export function withRemoved(known, removed) {
  const all = [...new Set([...removed, ...(known.removed ?? [])])].slice(-FORMER_MAX);
  return { ...known, devices: withoutRemoved(known.devices, all), removed: all };
}

/** The first that is known of an account key. @param {ListInfo} list @returns {Identity} */
export function firstIdentity(list) {
  return withNewerList(undefined, list);
}

/**
 * With another list of the same account key.
 * @param {Identity} known @param {ListInfo} list @param {boolean} isStated by a device of the user, not by the server
 * @returns {Identity}
 */
export function withList(known, list, isStated) {
  if (list.counter > known.counter || (list.counter === known.counter && isExpected(known)))
    return withNewerList(known, list);
  const former = formerOf(known, known.devices, Object.values(withoutRemoved(list.thumbprints, known.removed)));
  // If the server shows the newest list again, another key that was kept aside was a lie, or a mistake.
  const isWithdrawn = !isStated && list.counter === known.counter;
  return { ...known, former, changed: isWithdrawn ? undefined : known.changed };
}

/** @param {Identity | undefined} known @param {ListInfo} list @returns {Identity} */
function withNewerList(known, { signed, counter, notAfter, thumbprints }) {
  const devices = withoutRemoved(thumbprints, known?.removed);
  const former = formerOf(known, devices, Object.values(known?.devices ?? {}));
  return {
    key: signed.account_key,
    counter,
    notAfter,
    devices,
    removed: removedBy(known, thumbprints),
    former,
    signed,
  };
}

/**
 * Whether a list contradicts those that are known: it has a device that one of them has removed, or the counter of the
 * newest one and other devices.
 * @param {Identity} known @param {ListInfo} list of the same account key, not older than the newest one
 */
export function isConflict({ counter, devices, removed = [] }, list) {
  const listed = withoutRemoved(list.thumbprints, removed);
  if (list.counter === counter) return !isEqual(listed, devices);
  return !isEqual(listed, list.thumbprints);
}

/**
 * The devices that were listed, but not in the newest list.
 * @param {Identity | undefined} known @param {Record<string, string>} devices of the newest list
 * @param {string[]} more thumbprints of another list of the same key
 */
function formerOf(known, devices, more) {
  const now = new Set(Object.values(devices));
  return [...new Set([...(known?.former ?? []), ...more])].filter((one) => !now.has(one)).slice(-FORMER_MAX);
}

/** @param {Record<string, string>} thumbprints @param {string[]} [removed] */
function withoutRemoved(thumbprints, removed = []) {
  return Object.fromEntries(Object.entries(thumbprints).filter(([, thumbprint]) => !removed.includes(thumbprint)));
}

/** @param {Identity | undefined} known @param {Record<string, string>} listed in a newer list @returns {string[]} */
function removedBy(known, listed) {
  const now = new Set(Object.values(listed));
  const omitted = Object.values(known?.devices ?? {}).filter((one) => !now.has(one));
  return [...(known?.removed ?? []), ...omitted].slice(-FORMER_MAX);
}
