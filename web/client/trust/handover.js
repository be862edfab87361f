// @ts-check
/**
 * What a new device gets from the user: the account key, the account's newest list of devices, and the account keys of
 * contacts. The server can then show it no other ones. `docs/PROTOCOL.md` has the format.
 */
import { fromBase64, toBase64, uuidBytes, uuidOf } from '../util/bytes.js';
import { AccountKey, SEED_BYTES } from './account-key.js';

const SIGNATURE_BYTES = 64;
const ID_BYTES = 16;
const KEY_BYTES = 32;
const NAME_MAX_BYTES = 255;
const CONTACTS_MAX = 400; // the server stores 64 KiB
const FIRST_OF_LABEL = 'S'.charCodeAt(0); // of a list without its length before it, in earlier versions

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @typedef {import('./device-list.js').SignedList} SignedList
 * @typedef {object} ContactKey
 * @property {string} user
 * @property {string} key the account key, in base64
 * @property {boolean} isVerified by the user
 * @property {string} name that the contact had when it was verified
 */

/**
 * @param {AccountKey} key @param {SignedList | undefined} list the newest @param {ContactKey[]} contacts
 * @returns {Uint8Array}
 */
export function encodeHandover(key, list, contacts) {
  if (!list) return key.seed;
  const bytes = fromBase64(list.device_list);
  const verifiedFirst = contacts.toSorted((one, other) => Number(other.isVerified) - Number(one.isVerified));
  return Uint8Array.from([
    ...key.seed,
    ...fromBase64(list.signature),
    bytes.length >> 8,
    bytes.length & 255,
    ...bytes,
    ...verifiedFirst.slice(0, CONTACTS_MAX).flatMap((one) => [...encodeContact(one)]),
  ]);
}

/** @param {ContactKey} contact */
function encodeContact({ user, key, isVerified, name }) {
  const named = encoder.encode(name).subarray(0, NAME_MAX_BYTES);
  return [...uuidBytes(user), ...fromBase64(key), Number(isVerified), named.length, ...named];
}

/**
 * Handovers of earlier versions have no contacts, or no list either.
 * @param {Uint8Array} bytes @returns {{ key: AccountKey, list: SignedList | null, contacts: ContactKey[] }}
 */
export function parseHandover(bytes) {
  const key = new AccountKey(bytes.slice(0, SEED_BYTES));
  const rest = bytes.subarray(SEED_BYTES + SIGNATURE_BYTES);
  if (!rest.length) return { key, list: null, contacts: [] };
  const signature = toBase64(bytes.subarray(SEED_BYTES, SEED_BYTES + SIGNATURE_BYTES));
  const isEarlier = rest[0] === FIRST_OF_LABEL;
  const [from, to] = isEarlier ? [0, rest.length] : [2, 2 + rest[0] * 256 + rest[1]];
  const list = { account_key: key.publicKey, device_list: toBase64(rest.subarray(from, to)), signature };
  return { key, list, contacts: contactsIn(rest.subarray(to)) };
}

/** @param {Uint8Array} bytes */
function contactsIn(bytes) {
  /** @type {ContactKey[]} */
  const contacts = [];
  for (let at = 0; at < bytes.length;) {
    const ofKey = at + ID_BYTES;
    const [isVerified, length] = bytes.subarray(ofKey + KEY_BYTES);
    const ofName = ofKey + KEY_BYTES + 2;
    contacts.push({
      user: uuidOf(bytes.subarray(at, ofKey)),
      key: toBase64(bytes.subarray(ofKey, ofKey + KEY_BYTES)),
      isVerified: isVerified === 1,
      name: decoder.decode(bytes.subarray(ofName, ofName + length)),
    });
    at = ofName + length;
  }
  return contacts;
}
