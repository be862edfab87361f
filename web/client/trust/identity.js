// @ts-check
/** What a device knows of a user's account key and list of devices, and what becomes of it with a newer list. */
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
 * The devices that were listed, but not in the newest list.
 * @param {Identity | undefined} known @param {Record<string, string>} devices of the newest list
 * @param {string[]} more thumbprints of another list of the same key
 */
export function formerOf(known, devices, more) {
  const now = new Set(Object.values(devices));
  return [...new Set([...(known?.former ?? []), ...more])].filter((one) => !now.has(one)).slice(-FORMER_MAX);
}

/** @param {Record<string, string>} listed @param {string[]} [removed] */
export function withoutRemoved(listed, removed = []) {
  return Object.fromEntries(Object.entries(listed).filter(([, thumbprint]) => !removed.includes(thumbprint)));
}

/** @param {Identity | undefined} known @param {Record<string, string>} listed in a newer list @returns {string[]} */
export function removedBy(known, listed) {
  const now = new Set(Object.values(listed));
  const omitted = Object.values(known?.devices ?? {}).filter((one) => !now.has(one));
  return [...(known?.removed ?? []), ...omitted].slice(-FORMER_MAX);
}
