// @ts-check
/**
 * Who is in each group: after a commit the members are read from MLS, and stored with what is known about how they came.
 *
 * It emits, and waits for its listeners:
 *  - 'members changed': after a commit that changed the members was stored
 *  - 'own device removed': after a commit that removed another device of this account
 */
import { ForgedGroup } from '../mls/errors.js';
import { parseHead } from '../mls/frames.js';
import { fromBase64 } from '../util/bytes.js';
import { isEqual } from '../util/equal.js';
import { marked } from './changes.js';
import { regrouped } from './reducer.js';

/**
 * @typedef {import('./reducer.js').Conversation} Conversation
 * @typedef {import('../mls/core-crypto.js').Member} Member
 * @typedef {import('../transport/frames.d.ts').LogEntry} LogEntry
 */

export class Roster {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./store.js').ConversationStore} parts.store
   * @param {import('../trust/verified.js').VerifiedKeys} parts.trust
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('../mls/lineage.js').Lineage} parts.lineage
   */
  constructor(client, { store, trust, identities, lineage }) {
    this.client = client;
    this.store = store;
    this.trust = trust;
    this.identities = identities;
    this.lineage = lineage;
  }

  /**
   * The group is in the epoch that this commit began.
   * @param {Conversation} conversation @param {LogEntry} entry @param {boolean} [isMissed] or in one before it
   */
  async afterCommit(conversation, entry, isMissed = false) {
    const { id } = conversation;
    const { seq, at, sender } = entry;
    const members = await this.#membersOf(conversation);
    if (!members) return;
    const by = this.userOf({ ...conversation, members: [...members, ...conversation.members] }, sender);
    const epoch = (await this.client.mls.epoch(id)) ?? 0;
    const isByMember = !isMissed && !isExternal(entry) && (await this.#isByMember(conversation, epoch));
    const { conversation: after, notice } = await this.regroup(
      { ...conversation, epoch, joined: isExternal(entry) ? seq : conversation.joined },
      members,
      by,
      { isByMember, neverListed: await this.#neverListed(conversation, members) },
    );
    await this.store.write(
      this.#markedForNew(after, notice, conversation, seq),
      notice ? { seq, at, user: by, notice } : undefined,
    );
    if (notice)
      await this.client.emitAndWait('members changed', { conversation: id, notice, before: conversation, members, sender }); // prettier-ignore
    const isThere = new Set(members.map(({ device }) => device));
    if (conversation.members.some(({ user, device }) => user === this.client.me.user.id && !isThere.has(device)))
      await this.client.emitAndWait('own device removed', { conversation: id });
  }

  /**
   * Whether a member made the commit that led to this epoch. Of one that was missed in between nothing is known here. Of the
   * others the server says who made them: it may have been an intruder.
   * @param {Conversation} before @param {number} epoch
   */
  async #isByMember(before, epoch) {
    return epoch <= (before.epoch ?? epoch) + 1 && !(await this.#isIntruded(before));
  }

  /**
   * New members cannot read earlier messages, so receipts for those do not wait for them.
   * @param {Conversation} after @param {import('./reducer.js').Change | null} change @param {Conversation} before
   * @param {number} seq
   */
  #markedForNew(after, change, before, seq) {
    const fresh = (change?.added ?? []).filter((user) => !before.seen?.includes(user));
    return fresh.reduce((one, user) => marked(one, user, 'read', seq, this.client.me.user.id), after);
  }

  /**
   * The conversation with these members, and with what is known here of their keys and of how they came. Where an intruder
   * may have removed a verified user, nothing is sent until the user of this device agrees.
   * @param {Conversation} before @param {Member[]} members @param {string} by the user who changed them
   * @param {Parameters<typeof regrouped>[3]} about
   */
  async regroup(before, members, by, about) {
    const { conversation, notice } = regrouped(before, members, by, about);
    const intruders = await this.#intruders(before, members);
    const gone = (await this.#isIntruded(before)) ? verifiedGone(before, members) : [];
    return { conversation: await this.trust.pinned({ ...withMissing(conversation, gone), intruders }), notice };
  }

  /** A device is in it that its account has not listed, or a user whom no member has added. @param {Conversation} conversation */
  async #isIntruded({ members, strangers = [] }) {
    return strangers.length > 0 || (await this.identities.unlisted(members)).length > 0;
  }

  /**
   * Leaves that were not listed when they came. What such a leaf says is not its user's, also if it was listed once: the
   * server may have let a removed device in again.
   * @param {Conversation} before @param {Member[]} members
   */
  async #intruders({ members: before, intruders = [] }, members) {
    const known = new Set(before.map(({ thumbprint }) => thumbprint));
    const fresh = await this.identities.unlisted(members.filter(({ thumbprint }) => !known.has(thumbprint)));
    const isThere = new Set(members.map(({ thumbprint }) => thumbprint));
    return [...intruders, ...fresh.map(({ thumbprint }) => thumbprint)].filter((one) => isThere.has(one));
  }

  /**
   * Users with a device that is not in the group any more, and that their account has never listed.
   * @param {Conversation} before @param {Member[]} members
   */
  async #neverListed(before, members) {
    const isThere = new Set(members.map(({ thumbprint }) => thumbprint));
    /** @type {Set<string>} */
    const users = new Set();
    for (const leaf of before.members)
      if (!isThere.has(leaf.thumbprint) && (await this.identities.isForeign(leaf, leaf))) users.add(leaf.user);
    return [...users];
  }

  /**
   * The members as MLS has them. If the group is forged, that is stored, and nothing is returned.
   * @param {Conversation} conversation
   */
  async #membersOf(conversation) {
    try {
      return await this.client.mls.members(conversation.id);
    } catch (error) {
      if (!(error instanceof ForgedGroup)) throw error;
      await this.store.write({ ...conversation, isForged: true });
      return null;
    }
  }

  /**
   * Store the members of the group's epoch, if they are not stored: after a commit of this device, whose entry the server
   * may withhold, and where the client stopped after it applied commits.
   * @param {string} id
   */
  async read(id) {
    const conversation = await this.store.get(id);
    if (!conversation?.isActive) return;
    const members = await this.#membersOf(conversation);
    const epoch = (await this.client.mls.epoch(id)) ?? 0;
    if (!members || isEqual([members, epoch], [conversation.members, conversation.epoch])) return;
    const isByMember = await this.lineage.isOwn(id, conversation.epoch ?? epoch, epoch);
    const { conversation: after } = await this.regroup(conversation, members, this.client.me.user.id, { isByMember });
    await this.store.write({ ...after, epoch });
  }

  /** @param {Conversation} conversation @param {string} device */
  userOf(conversation, device) {
    if (device === this.client.me.device) return this.client.me.user.id;
    return conversation.members.find((member) => member.device === device)?.user ?? '';
  }
}

/**
 * Verified users who are not in the group any more, and did not say that they leave.
 * @param {Conversation} before @param {Member[]} members
 */
export function verifiedGone({ members: before, verified, released = [], strangers = [] }, members) {
  const isThere = new Set(members.map(({ user }) => user));
  const gone = before.filter(
    ({ user, device }) =>
      verified[user] !== undefined &&
      ![...isThere, ...released, ...strangers].includes(user) &&
      !released.includes(device),
  );
  return [...new Set(gone.map(({ user }) => user))];
}

/**
 * These are missing, too, until they are back or the user of this device agrees.
 * @param {Conversation} conversation @param {string[]} gone
 */
export function withMissing(conversation, gone) {
  const isThere = new Set(conversation.members.map(({ user }) => user));
  const missing = [...new Set([...(conversation.missing ?? []), ...gone])].filter((user) => !isThere.has(user));
  return { ...conversation, missing };
}

/** Whether its sender joins the group by it (an external commit). @param {LogEntry} entry a commit that was applied */
function isExternal({ data }) {
  return data !== undefined && parseHead(fromBase64(data)).isExternal;
}
