// @ts-check
/**
 * What a new device gets from the user: the account key, the account's newest list of devices, the account keys of
 * contacts, and who is in the groups of those whom the user has verified. The server can then show it nothing else.
 * `docs/PROTOCOL.md` has the format.
 */
import { fromBase64, fromBase64url, toBase64, toBase64url, uuidBytes, uuidOf } from '../util/bytes.js';
import { AccountKey, SEED_BYTES } from './account-key.js';

const SIGNATURE_BYTES = 64;
const ID_BYTES = 16;
const KEY_BYTES = 32;
const COUNTER_BYTES = 8;
const NAME_MAX_BYTES = 255;
const THUMBPRINT_BYTES = 32;
const REMOVED_MAX = 8;
const CONTACTS_MAX_BYTES = 40_000; // the server stores 64 KiB of all
const GROUPS_MAX_BYTES = 20_000;
const FIRST_OF_LABEL = 'S'.charCodeAt(0); // of a list without its length before it, in earlier versions

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @typedef {import('./device-list.js').SignedList} SignedList
 *
 * @typedef {object} ContactKey
 * @property {string} user
 * @property {string} key the account key, in base64
 * @property {number} counter of the newest list
 * @property {string[]} removed thumbprints of the devices that lists have omitted, the newest last: only the last ones
 *   are handed over
 * @property {boolean} isVerified by the user
 * @property {string} name that the contact had when it was verified
 *
 * @typedef {{ id: string, users: string[] }} KnownGroup
 *
 * @typedef {object} Handover
 * @property {AccountKey} key
 * @property {SignedList | null} list the newest
 * @property {ContactKey[]} contacts the verified ones first: the others may be left out
 * @property {KnownGroup[]} groups the latest first: earlier ones may be left out
 */

/** @param {Handover} handover @returns {Uint8Array} */
export function encodeHandover({ key, list, contacts, groups }) {
  if (!list) return key.seed;
  const bytes = fromBase64(list.device_list);
  const known = fitting(contacts.map(encodeContact), CONTACTS_MAX_BYTES);
  return Uint8Array.from([
    ...key.seed,
    ...fromBase64(list.signature),
    ...twoBytes(bytes.length),
    ...bytes,
    ...twoBytes(known.length),
    ...known.flat(),
    ...fitting(groups.map(encodeGroup), GROUPS_MAX_BYTES).flat(),
  ]);
}

/** @param {number} number */
function twoBytes(number) {
  return [number >> 8, number & 255];
}

/** The first that fit. @param {number[][]} all @param {number} most bytes */
function fitting(all, most) {
  let length = 0;
  return all.filter((one) => (length += one.length) <= most);
}

/** @param {ContactKey} contact */
function encodeContact({ user, key, counter, removed, isVerified, name }) {
  const named = encoder.encode(name).subarray(0, NAME_MAX_BYTES);
  const count = new Uint8Array(COUNTER_BYTES);
  new DataView(count.buffer).setBigUint64(0, BigInt(counter));
  const omitted = removed.slice(-REMOVED_MAX).map((one) => [...fromBase64url(one)]);
  return [
    ...uuidBytes(user),
    ...fromBase64(key),
    ...count,
    Number(isVerified),
    named.length,
    ...named,
    omitted.length,
    ...omitted.flat(),
  ];
}

/** @param {KnownGroup} group */
function encodeGroup({ id, users }) {
  return [...uuidBytes(id), ...twoBytes(users.length), ...users.flatMap((user) => [...uuidBytes(user)])];
}

/**
 * Handovers of earlier versions have no contacts, or no list either.
 * @param {Uint8Array} bytes @returns {Handover}
 */
export function parseHandover(bytes) {
  const rest = new Bytes(bytes);
  const key = new AccountKey(rest.take(SEED_BYTES).slice());
  if (rest.isAtEnd) return { key, list: null, contacts: [], groups: [] };
  const signature = toBase64(rest.take(SIGNATURE_BYTES));
  const isEarlier = rest.left[0] === FIRST_OF_LABEL;
  const list = toBase64(rest.take(isEarlier ? rest.left.length : rest.number(2)));
  const signed = { account_key: key.publicKey, device_list: list, signature };
  const contacts = Array.from({ length: rest.isAtEnd ? 0 : rest.number(2) }, () => contactIn(rest));
  const groups = [];
  while (!rest.isAtEnd) groups.push(groupIn(rest));
  return { key, list: signed, contacts, groups };
}

/** @param {Bytes} bytes @returns {ContactKey} */
function contactIn(bytes) {
  return {
    user: uuidOf(bytes.take(ID_BYTES)),
    key: toBase64(bytes.take(KEY_BYTES)),
    counter: bytes.number(COUNTER_BYTES),
    isVerified: bytes.number(1) === 1,
    name: decoder.decode(bytes.take(bytes.number(1))),
    removed: Array.from({ length: bytes.number(1) }, () => toBase64url(bytes.take(THUMBPRINT_BYTES))),
  };
}

/** @param {Bytes} bytes @returns {KnownGroup} */
function groupIn(bytes) {
  const id = uuidOf(bytes.take(ID_BYTES));
  return { id, users: Array.from({ length: bytes.number(2) }, () => uuidOf(bytes.take(ID_BYTES))) };
}

/** Bytes that are read from their beginning. The user's own key has authenticated them. */
class Bytes {
  /** @param {Uint8Array} left */
  constructor(left) {
    this.left = left;
  }

  get isAtEnd() {
    return this.left.length === 0;
  }

  /** @param {number} count */
  take(count) {
    const taken = this.left.subarray(0, count);
    this.left = this.left.subarray(count);
    return taken;
  }

  /** Big-endian. @param {number} count of bytes */
  number(count) {
    return this.take(count).reduce((sum, byte) => sum * 256 + byte, 0);
  }
}
