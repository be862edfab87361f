// @ts-check
/**
 * What a device reads of MLS frames itself (RFC 9420), because CoreCrypto does not say it: whose key package it is, the
 * group, epoch and leaves of a group info, and the group and epoch of a commit or message. Signatures are CoreCrypto's to
 * check.
 */
import { x25519 } from '../../vendor/curves.js';
import { toHex } from '../util/bytes.js';

export const DOMAIN = 'sottovoce'; // part of every identity; not the server's address, which may change
const IDENTITY = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):([0-9a-f]{1,16})@/; // its one spelling is checked, too
const MLS_10 = 1;
const SUITE = 1; // MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519
const BASIC = 1;
const KEY_PACKAGE_SOURCE = 1;
const PUBLIC_MESSAGE = 1;
const PRIVATE_MESSAGE = 2;
const GROUP_INFO = 4;
const NEW_MEMBER_COMMIT = 4; // type of a sender
const COMMIT_SOURCE = 3;
const LEAF_NODE = 1;
const RATCHET_TREE = 2; // an extension
const CAPABILITIES = 5; // vectors in Capabilities
const PARENT_VECTORS = 3; // encryption key, parent hash, unmerged leaves

/** @typedef {{ user: string, device: string }} ClientName */
/** @typedef {ClientName & { signatureKey: Uint8Array }} Leaf */
/** @typedef {Leaf & { notBefore: number, notAfter: number }} KeyPackage times in s */

/** A frame that is not what this protocol uses. */
export class MalformedFrame extends Error {
  name = 'MalformedFrame';
}

/** The text of an identity: it has exactly one spelling. @param {ClientName} name */
export function identityText({ user, device }) {
  return `${user}:${device.replace(/^0+(?=.)/, '')}@${DOMAIN}`;
}

/** @param {Uint8Array} identity @returns {ClientName} Throws MalformedFrame. */
export function parseIdentity(identity) {
  const text = new TextDecoder().decode(identity);
  const [, user, device] = IDENTITY.exec(text) ?? [];
  if (user === undefined) throw new MalformedFrame('the identity is not of this protocol');
  const name = { user, device: device.padStart(16, '0') };
  if (identityText(name) !== text) throw new MalformedFrame('the identity is not in its one spelling');
  return name;
}

/** RFC 9420, sections 10 and 7.2. @param {Uint8Array} bytes @returns {KeyPackage} Throws MalformedFrame. */
export function parseKeyPackage(bytes) {
  const reader = new Reader(bytes);
  reader.expect(2, MLS_10, 'version');
  reader.expect(2, SUITE, 'cipher suite');
  checkHpkeKey(reader.vector(), 'init key');
  const leaf = leafOf(reader);
  checkHpkeKey(leaf.encryptionKey, 'encryption key');
  reader.expect(1, KEY_PACKAGE_SOURCE, 'leaf node source');
  const { user, device, signatureKey } = leaf;
  return { user, device, signatureKey, notBefore: reader.number(8), notAfter: reader.number(8) };
}

/**
 * Nobody can encrypt to a point of low order (RFC 9180, section 7.1.4). One such key in a group would stop every commit
 * with an update path. Throws MalformedFrame.
 * @param {Uint8Array} key @param {string} what
 */
function checkHpkeKey(key, what) {
  try {
    x25519.scalarMult(new Uint8Array(32), key); // of low order with one scalar, of low order with all
  } catch {
    throw new MalformedFrame(`the ${what} is not a usable X25519 public key`);
  }
}

/**
 * A leaf node up to its source, RFC 9420, section 7.2.
 * @param {Reader} reader @returns {Leaf & { encryptionKey: Uint8Array }}
 */
function leafOf(reader) {
  const encryptionKey = reader.vector();
  const signatureKey = reader.vector();
  reader.expect(2, BASIC, 'credential type');
  const name = parseIdentity(reader.vector());
  for (let n = 0; n < CAPABILITIES; n++) reader.vector();
  return { ...name, signatureKey, encryptionKey };
}

/** The leaves of a ratchet tree, RFC 9420, section 12.4.3.3. @param {Uint8Array} tree @returns {Leaf[]} */
function leavesOf(tree) {
  const nodes = new Reader(new Reader(tree).vector());
  /** @type {Leaf[]} */
  const leaves = [];
  while (!nodes.isAtEnd) {
    if (nodes.number(1) === 0) continue; // blank
    if (nodes.number(1) === LEAF_NODE) {
      leaves.push(leafOf(nodes));
      const source = nodes.number(1);
      if (source === KEY_PACKAGE_SOURCE) nodes.number(16); // lifetime
      if (source === COMMIT_SOURCE) nodes.vector(); // parent hash
      nodes.vector(); // extensions
      nodes.vector(); // signature
    } else {
      for (let n = 0; n < PARENT_VECTORS; n++) nodes.vector();
    }
  }
  return leaves;
}

/**
 * What a commit or message says of itself, RFC 9420, sections 6.1 and 6.3: nothing of it is encrypted.
 * @param {Uint8Array} bytes
 * @returns {{ conversation: string, epoch: number, isPublic: boolean, isExternal: boolean }} `isPublic`: it is not
 *   encrypted, as every commit; `isExternal`: its sender is not a member, and joins by it. Throws MalformedFrame.
 */
export function parseHead(bytes) {
  const reader = new Reader(bytes);
  reader.expect(2, MLS_10, 'version');
  const format = reader.number(2);
  if (format !== PUBLIC_MESSAGE && format !== PRIVATE_MESSAGE) throw new MalformedFrame('no message of a group');
  const [conversation, epoch] = [reader.uuid(), reader.number(8)];
  const isPublic = format === PUBLIC_MESSAGE;
  return { conversation, epoch, isPublic, isExternal: isPublic && reader.number(1) === NEW_MEMBER_COMMIT };
}

/**
 * RFC 9420, sections 12.4.3 and 8.1.
 * @param {Uint8Array} bytes @returns {{ conversation: string, epoch: number, leaves: Leaf[] }} Throws MalformedFrame.
 */
export function parseGroupInfo(bytes) {
  const reader = new Reader(bytes);
  reader.expect(2, MLS_10, 'version');
  reader.expect(2, GROUP_INFO, 'wire format');
  reader.expect(2, MLS_10, 'version of the group');
  reader.expect(2, SUITE, 'cipher suite');
  const [conversation, epoch] = [reader.uuid(), reader.number(8)];
  reader.vector(); // tree hash
  reader.vector(); // confirmed transcript hash
  reader.vector(); // extensions of the group
  const extensions = new Reader(reader.vector());
  while (!extensions.isAtEnd) {
    const [type, data] = [extensions.number(2), extensions.vector()];
    if (type === RATCHET_TREE) return { conversation, epoch, leaves: leavesOf(data) };
  }
  throw new MalformedFrame('the group info has no ratchet tree');
}

class Reader {
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }

  /** @param {number} length */
  #take(length) {
    const taken = this.bytes.subarray(this.#at, this.#at + length);
    if (taken.length < length) throw new MalformedFrame('the frame is too short');
    this.#at += length;
    return taken;
  }

  get isAtEnd() {
    return this.#at === this.bytes.length;
  }

  /** Big-endian; above 2^53 it is not exact. @param {number} length */
  number(length) {
    return this.#take(length).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** @param {number} length @param {number} wanted @param {string} what */
  expect(length, wanted, what) {
    if (this.number(length) !== wanted) throw new MalformedFrame(`the ${what} must be ${wanted}`);
  }

  /** A group id; ours are UUIDs. */
  uuid() {
    const [, ...parts] = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(toHex(this.vector())) ?? [];
    if (!parts.length) throw new MalformedFrame('the group id is not a UUID');
    return parts.join('-');
  }

  /** An opaque vector with a length of 1, 2 or 4 bytes, section 2.1.2. */
  vector() {
    const [first] = this.#take(1);
    const more = [0, 1, 3, -1][first >> 6];
    if (more < 0) throw new MalformedFrame('the length of a vector has no such form');
    return this.#take((first & 0x3f) * 256 ** more + this.number(more));
  }
}
