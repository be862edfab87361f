// @ts-check
/**
 * What is inside the ciphertext: one JSON object a message. `docs/PROTOCOL.md` lists the kinds.
 *
 * A kind that this client does not know is stored as it is and not shown: a newer client may have sent it.
 */
import { randomBytes, toHex } from '../util/bytes.js';
import { deletion } from './delete.js';
import { edit } from './edit.js';
import { groupName } from './group-name.js';
import { isId } from './kind.js';
import { reaction } from './reaction.js';
import { receipt } from './receipt.js';
import { text } from './text.js';

/** One line for each kind. */
export const KINDS = {
  text,
  edit,
  delete: deletion,
  reaction,
  receipt,
  group: groupName,
};

/**
 * @typedef {import('./kind.js').Item} Item
 * @typedef {typeof KINDS} Kinds
 * @typedef {Parameters<Kinds[keyof Kinds]['references']>[0]} Known
 * @typedef {{ kind: 'unknown', id: string, raw: unknown }} Unknown
 * @typedef {Known | Unknown} Content
 * @typedef {{ [Name in keyof Kinds]: Omit<Extract<Known, { kind: Name }>, 'id'> & { id?: string } }[keyof Kinds]} Draft
 *   content that may still be without an id
 * @typedef {import('./kind.js').Kind<{ kind: string, id: string, [field: string]: any }>} AnyKind
 */

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

/** The line of this item in the list of conversations; undefined: it has none. @param {Item} item */
export function previewOf(item) {
  for (const name of Object.keys(KINDS)) {
    const preview = kindOf(name)?.preview?.(item);
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
  return encoder.encode(JSON.stringify(content.kind === 'unknown' ? content.raw : content));
}

/**
 * Never throws: what cannot be decoded is of unknown kind.
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function decodeContent(bytes) {
  /** @type {unknown} */
  let raw;
  try {
    raw = JSON.parse(decoder.decode(bytes));
  } catch {
    return { kind: 'unknown', id: '', raw: null };
  }
  if (isKnown(raw)) return raw;
  const { id = '' } = /** @type {{ id?: unknown } | null} */ (raw) ?? {};
  return { kind: 'unknown', id: typeof id === 'string' ? id : '', raw };
}

/** @param {unknown} raw @returns {raw is Known} */
function isKnown(raw) {
  if (typeof raw !== 'object' || raw === null) return false;
  const given = /** @type {Record<string, unknown>} */ (raw);
  const kind = kindOf(given.kind);
  return (
    kind !== undefined && isId(given.id) && Object.entries(kind.fields).every(([name, check]) => check(given[name]))
  );
}
