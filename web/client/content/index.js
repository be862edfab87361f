// @ts-check
/**
 * What is inside the ciphertext: one JSON object a message. `docs/PROTOCOL.md` lists the kinds.
 *
 * Any member can send any bytes. Content of a known kind keeps its known fields only. Content of a kind that this client
 * does not know is stored as text and not shown: a newer client may have sent it.
 */
import { randomBytes, toHex } from '../util/bytes.js';
import { deletion } from './delete.js';
import { statedList } from './device-list.js';
import { edit } from './edit.js';
import { groupName } from './group-name.js';
import { isId } from './kind.js';
import { leave } from './leave.js';
import { reaction } from './reaction.js';
import { receipt } from './receipt.js';
import { removal } from './removal.js';
import { text } from './text.js';

/** One line for each kind. */
export const KINDS = {
  text,
  edit,
  delete: deletion,
  reaction,
  receipt,
  group: groupName,
  device_list: statedList,
  leave,
  removal,
};

/**
 * @typedef {import('./kind.js').Item} Item
 * @typedef {typeof KINDS} Kinds
 * @typedef {Parameters<Kinds[keyof Kinds]['references']>[0]} Known
 * @typedef {{ kind: 'unknown', id: string, raw: string }} Unknown `raw`: its JSON; empty if that is too long
 * @typedef {Known | Unknown} Content
 * @typedef {{ [Name in keyof Kinds]: Omit<Extract<Known, { kind: Name }>, 'id'> & { id?: string } }[keyof Kinds]} Draft
 *   content that may still be without an id
 * @typedef {import('./kind.js').Kind<{ kind: string, id: string, [field: string]: any }>} AnyKind
 */

const DEPTH_MAX = 16; // of arrays and objects in each other; a known kind has two levels
const UNKNOWN_MAX_CHARS = 65_536; // of the JSON of an unknown kind that is stored

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param {unknown} name @returns {AnyKind | undefined} */
export function kindOf(name) {
  if (typeof name !== 'string' || !Object.hasOwn(KINDS, name)) return undefined;
  return /** @type {AnyKind} */ (/** @type {unknown} */ (KINDS[/** @type {keyof Kinds} */ (name)]));
}

/** Whether it is a message of its own, which a person has written. @param {Content | Draft} content */
export function isMessage({ kind }) {
  return kindOf(kind)?.preview !== undefined;
}

/** One line of text for a message; undefined: it is none. @param {Item | Content} shown */
export function previewOf(shown) {
  for (const name of 'kind' in shown ? [shown.kind] : Object.keys(KINDS)) {
    const preview = kindOf(name)?.preview?.(shown);
    if (preview !== undefined) return preview;
  }
  return undefined;
}

/** A random id of 128 bits. */
export function newId() {
  return toHex(randomBytes(16));
}

/** @param {Content} content */
export function encodeContent(content) {
  return encoder.encode(content.kind === 'unknown' ? content.raw : JSON.stringify(content));
}

/**
 * Never throws: what cannot be decoded is of unknown kind.
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function decodeContent(bytes) {
  let json = '';
  /** @type {unknown} */
  let found = null;
  try {
    json = decoder.decode(bytes);
    if (depthOf(json) <= DEPTH_MAX) found = JSON.parse(json);
  } catch {
    // Not UTF-8, or not JSON.
  }
  return knownIn(found) ?? { kind: 'unknown', id: '', raw: json.length <= UNKNOWN_MAX_CHARS ? json : '' };
}

/** @param {unknown} found decoded JSON @returns {Known | null} its known fields; null if it is of no known kind */
function knownIn(found) {
  if (typeof found !== 'object' || found === null) return null;
  const given = /** @type {Record<string, unknown>} */ (found);
  const kind = kindOf(given.kind);
  if (!kind || !isId(given.id)) return null;
  /** @type {Record<string, unknown>} */
  const known = { kind: given.kind, id: given.id };
  for (const [name, check] of Object.entries(kind.fields)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (!check(value)) return null;
    if (value !== undefined) known[name] = value;
  }
  return /** @type {Known} */ (/** @type {unknown} */ (known));
}

/**
 * How deep arrays and objects are nested in a JSON text, without parsing it: V8's parser and its structured clone
 * overflow the stack at a few thousand levels.
 * @param {string} json
 */
function depthOf(json) {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (isInString) {
      if (sign === '\\') at++;
      else if (sign === '"') isInString = false;
    } else if (sign === '"') isInString = true;
    else if (sign === '[' || sign === '{') deepest = Math.max(deepest, ++depth);
    else if (sign === ']' || sign === '}') depth--;
  }
  return deepest;
}
