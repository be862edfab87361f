// @ts-check
/**
 * What is inside the ciphertext: one JSON object a message. `docs/PROTOCOL.md` lists the kinds.
 *
 * A kind that this client does not know is kept as it is and shown as nothing: a newer client may have sent it.
 */
import { randomBytes, toHex } from '../util/bytes.js';

/**
 * @typedef {{ kind: 'text', id: string, text: string, reply_to?: string }} Text
 * @typedef {{ kind: 'edit', id: string, of: string, text: string }} Edit
 * @typedef {{ kind: 'delete', id: string, of: string }} Delete
 * @typedef {{ kind: 'reaction', id: string, of: string, emoji: string }} Reaction an empty emoji takes it back
 * @typedef {{ kind: 'receipt', id: string, of: string[], state: 'delivered' | 'read' }} Receipt
 * @typedef {{ kind: 'group', id: string, name: string }} GroupName
 * @typedef {{ kind: 'unknown', id: string, raw: unknown }} Unknown
 * @typedef {Text | Edit | Delete | Reaction | Receipt | GroupName} Known
 * @typedef {Known | Unknown} Content
 */

/** The fields of each kind, with the type that each has to have. */
const FIELDS = {
  text: { text: 'string' },
  edit: { of: 'id', text: 'string' },
  delete: { of: 'id' },
  reaction: { of: 'id', emoji: 'emoji' },
  receipt: { of: 'ids', state: 'state' },
  group: { name: 'name' },
};

const OPTIONAL = { reply_to: 'id' };
const NAME_MAX = 60;
/** Controls, halves of characters, and what turns the direction of a line. Joiners are seen: emoji and Persian need them. */
const UNSEEN = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const IDS_MAX = 50; // that one receipt is about

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** An id that nobody else makes. */
export function newId() {
  return toHex(randomBytes(16));
}

/** @param {Content} content */
export function encodeContent(content) {
  return encoder.encode(JSON.stringify(content.kind === 'unknown' ? content.raw : content));
}

/**
 * Never throws: what cannot be read is of unknown kind.
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function decodeContent(bytes) {
  let raw;
  try {
    raw = JSON.parse(decoder.decode(bytes));
  } catch {
    return { kind: 'unknown', id: '', raw: null };
  }
  return isKnown(raw) ? raw : { kind: 'unknown', id: typeof raw?.id === 'string' ? raw.id : '', raw };
}

/** @param {any} raw @returns {raw is Known} */
function isKnown(raw) {
  if (typeof raw !== 'object' || raw === null || !isOf(raw.id, 'id') || !Object.hasOwn(FIELDS, raw.kind)) {
    return false;
  }
  const fields = FIELDS[/** @type {keyof typeof FIELDS} */ (raw.kind)];
  return (
    Object.entries(fields).every(([name, type]) => isOf(raw[name], type)) &&
    Object.entries(OPTIONAL).every(([name, type]) => raw[name] === undefined || isOf(raw[name], type))
  );
}

/** @param {unknown} value @param {string} type @returns {boolean} */
function isOf(value, type) {
  switch (type) {
    case 'id':
      return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
    case 'ids':
      return Array.isArray(value) && value.length <= IDS_MAX && value.every((one) => isOf(one, 'id'));
    case 'emoji':
      return value === '' || (typeof value === 'string' && /^\p{RGI_Emoji}$/v.test(value));
    case 'name':
      return typeof value === 'string' && value.trim() === value && value !== '' && [...value].length <= NAME_MAX && !UNSEEN.test(value);
    case 'state':
      return value === 'delivered' || value === 'read';
    default:
      return typeof value === type;
  }
}
