// @ts-check
/**
 * Which commit began the newest epoch of each group. A server that gives two halves of a group two commits of one epoch
 * forks it: the log then shows this device a commit that is not the one that it has applied.
 */
import { toBase64 } from '../util/bytes.js';
import { parseHead } from './frames.js';

/** @typedef {{ epoch: number, hash: string, seq: number }} Applied a commit: the epoch that it ended, and its entry */

export class Lineage {
  /** @param {import('../context.js').Context} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * To be called before the state of MLS changes: after a crash in between, the commit is applied once more.
   * @param {string} id @param {Uint8Array} commit @param {number} seq the entry behind which the next commits are
   */
  async remember(id, commit, seq) {
    const { epoch } = parseHead(commit);
    await this.client.storage.write([['state', `commit/${id}`, { epoch, hash: await hashOf(commit), seq }]]);
  }

  /** @param {string} id @returns {Promise<Applied | undefined>} */
  last(id) {
    return this.client.storage.get('state', `commit/${id}`);
  }

  /** This commit ended the same epoch as the last one, and is another. @param {string} id @param {Uint8Array} commit */
  async isFork(id, commit) {
    const last = await this.last(id);
    return last?.epoch === parseHead(commit).epoch && last.hash !== (await hashOf(commit));
  }
}

/** @param {Uint8Array} commit */
async function hashOf(commit) {
  return toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (commit))));
}
