// @ts-check
/** A device made of bytes: it signs what MLS lets anyone see, and knows no secret of a group. */
import { createHash } from 'node:crypto';
import { ed25519 } from '../vendor/curves.js';
import { fromBase64, randomBytes, toBase64, toHex, uuidBytes } from '../client/util/bytes.js';
import { PASSWORD } from './password.js';
import { server, unique } from './users.js';

/** @typedef {Iterable<number>} Bytes */

const KEY_BYTES = 32;
const CAPABILITIES = [...opaque([0, 1]), ...opaque([0, 1]), ...opaque([]), ...opaque([]), ...opaque([0, 1, 0, 2])];

/** @param {Bytes[]} parts */
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** @param {number} number @param {number} length */
const uint = (number, length) =>
  Array.from({ length }, (_, at) => Number((BigInt(number) >> BigInt(8 * (length - 1 - at))) & 255n));

/** RFC 9420, section 2.1.2. @param {Bytes} given @returns {number[]} */
function opaque(given) {
  const content = [...given];
  if (content.length < 64) return [content.length, ...content];
  if (content.length < 16384) return [...uint(content.length | 0x4000, 2), ...content];
  return [...uint(content.length + 0x80000000, 4), ...content];
}

/** A node, or a blank one. @param {Bytes | null} node @param {number[]} [type] */
const optional = (node, type = []) => (node ? [1, ...type, ...node] : [0]);

/** @param {Bytes[]} parts */
const sha256 = (...parts) =>
  createHash('sha256')
    .update(joined(...parts))
    .digest();

/** @param {string} text */
const ascii = (text) => new TextEncoder().encode(text);

/** The third member of a group, whose tree has three leaves and in the end one parent, the root. */
export class HandMade {
  #seed = randomBytes(KEY_BYTES);
  #key = ed25519.getPublicKey(this.#seed);
  #device = `0${toHex(randomBytes(8)).slice(1)}`;
  #token = '';
  username = unique('mallory');
  user = '';

  /** @param {string} method @param {string} path @param {object} [body] */
  async call(method, path, body) {
    const headers = {
      'Content-Type': 'application/json',
      ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
    };
    const answer = await fetch(`${server}/v2/${path}`, { method, headers, body: body && JSON.stringify(body) });
    const found = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(found.error), { code: found.code });
    return found;
  }

  async register() {
    const { token, user } = await this.call('POST', 'accounts', { username: this.username, password: PASSWORD });
    [this.#token, this.user] = [token, user.id];
    await this.call('POST', 'devices', { id: this.#device, name: 'x', signature_key: toBase64(this.#key) });
    await this.call('POST', 'key-packages', { key_packages: [toBase64(this.#keyPackage())] });
  }

  /**
   * End the epoch of a group with a commit that nobody can follow: its signature, its tag and its secrets are random.
   * @param {string} id
   * @param {{ isJoinable: boolean }} how whether the group info is as the server wants it; its external key is random too
   */
  async breakEpoch(id, { isJoinable }) {
    const { epoch, group_info: former } = await this.call('GET', `conversations/${id}/group-info`);
    const before = read(fromBase64(former));
    const group = opaque(uuidBytes(id));
    const [first, parent, second] = before.nodes; // of alice, of both, of bob
    const [tag, signature, rootKey] = [randomBytes(32), randomBytes(64), randomBytes(KEY_BYTES)];
    const pair = sha256([2], optional(parent), opaque(leafHash(0, first)), opaque(leafHash(1, second)));
    const parentHash = sha256(opaque(rootKey), opaque([]), opaque(pair));
    const leaf = this.#leaf([3, ...opaque(isJoinable ? parentHash : randomBytes(32))], [...group, ...uint(2, 4)]);
    const root = joined(opaque(rootKey), opaque([]), opaque([]));
    const half = sha256([2], optional(null), opaque(leafHash(2, leaf)), opaque(leafHash(3, null)));
    const treeHash = sha256([2], optional(root), opaque(pair), opaque(half));

    const content = joined(
      uint(1, 2), // WireFormat
      group,
      uint(epoch, 8),
      [1, ...uint(2, 4)],
      opaque([]),
      [3, ...opaque([]), 1],
      leaf,
      opaque(joined(opaque(rootKey), opaque([]))),
      opaque(signature),
    );
    const transcriptHash = sha256(sha256(before.transcriptHash, opaque(before.tag)), content);
    const commit = joined(uint(1, 2), content, opaque(tag), opaque(randomBytes(32)));

    const nodes = joined(...[first, parent, second, root, leaf].map((node, at) => optional(node, at % 2 ? [2] : [1])));
    const hashes = isJoinable ? [treeHash, transcriptHash] : [randomBytes(32), randomBytes(32)];
    const context = [...uint(1, 2), ...uint(1, 2), ...group, ...uint(epoch + 1, 8), ...hashes.flatMap(opaque)];
    const extensions = [
      ...uint(2, 2),
      ...opaque(opaque(nodes)),
      ...uint(4, 2),
      ...opaque(opaque(randomBytes(KEY_BYTES))),
    ];
    const signed = joined(context, opaque(before.extensions), opaque(extensions), opaque(tag), uint(2, 4));
    const groupInfo = joined(uint(1, 2), uint(4, 2), signed, this.#sign('GroupInfoTBS', signed));
    const body = { commit: toBase64(commit), group_info: toBase64(groupInfo), read: 1_000_000 };
    await this.call('POST', `conversations/${id}/commits`, body);
  }

  /** @param {string} label @param {Bytes} content */
  #sign(label, content) {
    return opaque(ed25519.sign(joined(opaque(ascii(`MLS 1.0 ${label}`)), opaque(content)), this.#seed));
  }

  /** @param {Bytes} source @param {Bytes} [place] */
  #leaf(source, place = []) {
    const identity = ascii(`${this.user}:${this.#device.replace(/^0+/, '')}@sottovoce`);
    const keys = [...opaque(randomBytes(KEY_BYTES)), ...opaque(this.#key)];
    const signed = joined(keys, uint(1, 2), opaque(identity), CAPABILITIES, source, opaque([]));
    return joined(signed, this.#sign('LeafNodeTBS', joined(signed, place)));
  }

  #keyPackage() {
    const now = Math.floor(Date.now() / 1000);
    const leaf = this.#leaf([1, ...uint(now - 3600, 8), ...uint(now + 86400, 8)]);
    const signed = joined(uint(1, 2), uint(1, 2), opaque(randomBytes(KEY_BYTES)), leaf, opaque([]));
    return joined(signed, this.#sign('KeyPackageTBS', signed));
  }
}

/** Section 7.8. @param {number} number @param {Uint8Array | null} leaf */
function leafHash(number, leaf) {
  return sha256([1], uint(number, 4), optional(leaf));
}

/**
 * What a group info says, with its leaves as they are on the wire.
 * @param {Uint8Array} info
 */
function read(info) {
  let at = 0;
  const take = (/** @type {number} */ length) => info.subarray(at, (at += length));
  const vector = () => {
    const [first] = take(1);
    const more = [0, 1, 3][first >> 6];
    return take([...take(more)].reduce((length, byte) => length * 256 + byte, first & 63));
  };
  take(8);
  vector(); // group id
  take(8);
  vector(); // tree hash
  const [transcriptHash, extensions, ofInfo] = [vector(), vector(), vector()];
  const tag = vector();
  at -= opaque(tag).length + ofInfo.length;
  if (take(2)[1] !== 2) throw new Error('the ratchet tree must be the first extension');
  const tree = vector();
  at -= tree.length;
  const all = vector();
  const end = at;
  at -= all.length;
  /** @type {(Uint8Array | null)[]} */
  const nodes = [];
  while (at < end) {
    if (take(1)[0] === 0) {
      nodes.push(null);
      continue;
    }
    const isLeaf = take(1)[0] === 1;
    const from = at;
    vector();
    vector();
    if (isLeaf) {
      take(2);
      for (let n = 0; n < 6; n++) vector(); // identity, capabilities
      const [source] = take(1);
      if (source === 1) take(16);
      if (source === 3) vector();
      vector();
    }
    vector();
    nodes.push(info.slice(from, at));
  }
  return { transcriptHash, extensions, tag, nodes };
}
