// @ts-check
/**
 * Applies the commits of the log, and remembers which one began the newest epoch of each group. A server that gives two
 * halves of a group two commits of one epoch forks it: the log then shows this device a commit that is not the one that
 * it has applied.
 */
import { fromBase64, toBase64 } from '../util/bytes.js';
import { Undecryptable } from './errors.js';
import { MalformedFrame, parseHead } from './frames.js';

/**
 * @typedef {import('../transport/frames.d.ts').LogEntry} LogEntry
 * @typedef {{ epoch: number, hash: string, seq: number, isOwn?: boolean, isEnd?: boolean }} Applied a commit: the epoch
 *   that it ended, and its entry. `isOwn`: this device made it; `isEnd`: it removed this device
 */

export class Lineage {
  /** @param {import('../context.js').Context} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * To be called before the state of MLS changes: after a crash in between, the commit is applied once more.
   * @param {string} id @param {Uint8Array} commit @param {number} seq the entry behind which the next commits are
   * @param {Pick<Applied, 'isOwn' | 'isEnd'>} about
   */
  async remember(id, commit, seq, about) {
    const applied = { epoch: parseHead(commit).epoch, hash: await hashOf(commit), seq, ...about };
    await this.client.storage.write([['state', `commit/${id}`, applied]]);
  }

  /** Whether this device made the only commit between these epochs. @param {string} id @param {number} from @param {number} to */
  async isOwn(id, from, to) {
    const last = await this.#last(id);
    return last?.isOwn === true && last.epoch === from && to === from + 1;
  }

  /**
   * Whether another commit than the one with this hash began this epoch here. This device does not know which one did if
   * it was welcomed to that epoch, or created it.
   * @param {string} id @param {number} epoch @param {string} [hash] in base64
   */
  async isAnother(id, epoch, hash) {
    const last = await this.#last(id);
    return hash !== undefined && last?.epoch === epoch - 1 && last.hash !== hash;
  }

  /**
   * Apply a commit, unless it was applied before. Returns whether this device is still in the group. Throws
   * MalformedFrame, and Undecryptable where the state does not fit the log.
   * @param {string} id @param {LogEntry} entry
   */
  async apply(id, entry) {
    const { data, epoch: claimed, seq, sender } = entry;
    const commit = data === undefined ? null : fromBase64(data);
    const ended = commit ? headOf(id, commit).epoch : claimed; // the server's claim counts where there is nothing else
    let epoch = await this.client.mls.epoch(id);
    if (epoch !== null && epoch < ended) epoch = await this.#applyMissed(id, seq);
    if (epoch !== null && epoch > ended) {
      if (commit && (await this.#isFork(id, commit))) throw new Undecryptable('the server has forked it', null);
      return true;
    }
    // The client stopped after the commit that removed it, which it applied.
    if (epoch === null && (await this.isLast(entry)) && (await this.#last(id))?.isEnd) return false;
    if (!commit || epoch !== ended || sender === this.client.me.device)
      throw new Undecryptable('our state is lost', null);
    return (await this.#decrypt(id, commit, seq)).isActive;
  }

  /**
   * Apply the commits that this device has not seen, if the server has them after all.
   * @param {string} id @param {number} before their entries are before this one
   * @returns {Promise<number | null>} the epoch
   */
  async #applyMissed(id, before) {
    const { mls, api } = this.client;
    let { seq = 0 } = (await this.#last(id)) ?? {};
    while (seq < before) {
      const entries = await api.callUntilAnswered('GET', `conversations/${id}/log?after=${seq}`);
      for (const entry of entries) if (entry.seq < before) await this.#applyOne(id, entry);
      const last = entries.at(-1)?.seq ?? before;
      if (last <= seq) break; // a lie
      seq = last;
    }
    return mls.epoch(id);
  }

  /** Apply a commit if it is the next one. @param {string} id @param {LogEntry} entry */
  async #applyOne(id, { kind, data, seq }) {
    if (kind !== 'commit' || data === undefined) return;
    const commit = fromBase64(data);
    try {
      if (headOf(id, commit).epoch !== (await this.client.mls.epoch(id))) return;
      await this.#decrypt(id, commit, seq);
    } catch (error) {
      if (!(error instanceof Undecryptable || error instanceof MalformedFrame)) throw error;
    }
  }

  /** @param {string} id @param {Uint8Array} commit @param {number} seq */
  #decrypt(id, commit, seq) {
    return this.client.mls.decrypt(id, commit, (_, __, isActive) =>
      this.remember(id, commit, seq, { isEnd: !isActive }),
    );
  }

  /** @param {string} id @returns {Promise<Applied | undefined>} */
  #last(id) {
    return this.client.storage.get('state', `commit/${id}`);
  }

  /** This commit ended the same epoch as the last one, and is another. @param {string} id @param {Uint8Array} commit */
  async #isFork(id, commit) {
    const last = await this.#last(id);
    return last?.epoch === parseHead(commit).epoch && last.hash !== (await hashOf(commit));
  }

  /** Whether it is the commit that was applied last. @param {LogEntry} entry */
  async isLast({ conversation, data }) {
    if (data === undefined) return false;
    return (await this.#last(conversation))?.hash === (await hashOf(fromBase64(data)));
  }
}

/** @param {Uint8Array} commit */
async function hashOf(commit) {
  return toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (commit))));
}

/** What a commit says of itself. @param {string} id @param {Uint8Array} commit Throws MalformedFrame. */
function headOf(id, commit) {
  const head = parseHead(commit);
  if (head.conversation !== id) throw new MalformedFrame('the commit is of another group');
  if (!head.isPublic) throw new MalformedFrame('the server calls a message a commit');
  return head;
}
