// @ts-check
/**
 * How this device joins groups: by a welcome, or by an external commit where it has none or its state does not fit.
 *
 * The server may offer an earlier state of a group than this device has seen. The device joins it, and sends nothing to
 * users in it whom it does not know until its user agrees.
 */
import { emptyConversation } from '../conversations/changes.js';
import { verifiedGone, withMissing } from '../conversations/roster.js';
import { Api } from '../transport/api.js';
import { fromBase64 } from '../util/bytes.js';
import { ForgedGroup, OutdatedGroup, Undecryptable } from './errors.js';
import { parseGroupInfo } from './frames.js';
import { untilAccepted } from './retry.js';

/**
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../transport/frames.d.ts').ListedConversation} Shown as the server knows it
 */

export class Joining {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../conversations/expected-users.js').ExpectedUsers} parts.expectedUsers
   * @param {import('../conversations/roster.js').Roster} parts.roster
   * @param {import('../conversations/sync.js').Sync} parts.sync
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('../trust/enrolment.js').Enrolment} parts.enrolment
   * @param {import('./lineage.js').Lineage} parts.lineage
   */
  constructor(client, { store, expectedUsers, sync, roster, identities, enrolment, lineage }) {
    this.client = client;
    this.store = store;
    this.expectedUsers = expectedUsers;
    this.roster = roster;
    this.sync = sync;
    this.identities = identities;
    this.enrolment = enrolment;
    this.lineage = lineage;
    client.on('state lost', async ({ conversation, reason }) => {
      await this.join(conversation);
      client.emit('rejoined', { conversation, reason });
    });
    client.on('standing', async ({ standing }) => {
      if (standing === 'listed') await client.attempt(() => this.joinMissing());
    });
  }

  /** The groups of this account, as the server lists them. @returns {Promise<Shown[]>} */
  list() {
    return this.client.api.callUntilAnswered('GET', 'conversations');
  }

  /** @param {Omit<import('../transport/frames.d.ts').WelcomeFrame, 'type'>} frame */
  async onWelcome({ conversation: id, seq, data }) {
    if (!(await this.enrolment.knowsOwnList())) return; // it waits to be confirmed, and joins its groups then
    if (!(await this.#makeRoom(id))) return;
    const known = await this.store.get(id);
    if ((known?.cursor ?? 0) < seq) {
      // A welcome never replaces the state of a group that this device is in: its maker chose the members.
      if (known?.isActive) return this.join(id);
      try {
        await this.client.mls.accept(id, fromBase64(data ?? ''), known?.epoch ?? 0);
      } catch (error) {
        if (!(error instanceof Undecryptable)) this.client.emit('problem', { error });
        await this.join(id); // where it is undecryptable, its last-resort key package was used before
        return;
      }
      await this.#enter(id, seq, { isWelcomed: true });
    }
    this.client.connection.send({ type: 'ack', conversation: id, seq });
  }

  /** Join the groups of this account in which this device has no leaf, or one that the server does not have. */
  async joinMissing() {
    for (const shown of await this.list()) {
      const { id, state } = shown;
      if (!(await this.#makeRoom(id))) continue;
      const known = await this.store.get(id);
      if (known?.isActive) await this.client.attempt(() => this.#joinIfElsewhere(shown));
      else if (state !== 'ignored' && state !== 'blocked') await this.client.attempt(() => this.join(id));
    }
  }

  /**
   * A direct conversation never becomes a group. But a server could call a group one, and hide it by that. So a direct
   * conversation that is in the server's list no more is deleted for a group with its id: the server was able to
   * delete its messages in any case. Returns whether there is room for the group.
   * @param {string} id
   */
  async #makeRoom(id) {
    const known = await this.store.get(id);
    if (known?.kind !== 'direct') return true;
    if (known.isActive) return false;
    await this.store.remove(id);
    return true;
  }

  /**
   * Join by an external commit; earlier messages stay unreadable.
   * @param {string} id
   */
  async join(id) {
    const cursor = await untilAccepted(() => this.#joinOnce(id));
    await this.store.rewind(id, Math.max(0, cursor - 1));
    await this.#enter(id, cursor, { isWelcomed: false });
  }

  /** @param {string} id @returns {Promise<number>} the place of the commit in the log */
  async #joinOnce(id) {
    const known = await this.store.get(id);
    let cursor = 0;
    const groupInfo = await this.client.api.groupInfo(id);
    await this.#checkOffered(id, parseGroupInfo(groupInfo), known);
    await this.client.mls.join(id, groupInfo, async (bundle) => {
      const body = { ...Api.bundle(bundle), read: 0 };
      cursor = (await this.client.api.callUntilAnswered('POST', `conversations/${id}/commits`, body)).seq;
      await this.lineage.remember(id, bundle.commit, cursor, {}); // another member, or the server, chose its members
    });
    return cursor;
  }

  /**
   * The server may offer an earlier state of the group, in which a removed member is, or one that it has made up. It may
   * also have shown this device epochs that the group never had, or run on a backup; then this device has to go back.
   * So an earlier state is joined, and every user in it whom this device does not know is a stranger, who gets no
   * message. So is a user without an account key who has another leaf than before. The same holds after the group was
   * forged. Throws OutdatedGroup, ForgedGroup.
   * @param {string} id @param {ReturnType<typeof parseGroupInfo>} offered @param {Conversation | undefined} known
   */
  async #checkOffered(id, offered, known) {
    if (offered.conversation !== id) throw new OutdatedGroup('the group info is of another group');
    if (new Set(offered.leaves.map(({ device }) => device)).size !== offered.leaves.length)
      throw new ForgedGroup('two leaves of the group have the same device');
    if (!known || !isBack(known, offered.epoch)) return;
    const users = new Set(known.members.map(({ user }) => user));
    // The server may have withheld the lists of some.
    for (const user of users) if (!(await this.identities.of(user))) await this.identities.refresh(user);
  }

  /** Join again where this device has another state than the group on the server. @param {string} id */
  async joinIfElsewhere(id) {
    const shown = (await this.list()).find((one) => one.id === id);
    if (shown) await this.#joinIfElsewhere(shown);
  }

  /** @param {Shown} shown */
  async #joinIfElsewhere({ id, epoch, last_seq: last, commit_hash: hash }) {
    const known = await this.store.get(id);
    if (!known?.isActive) return;
    // A device that has read the whole log and is in another epoch has not seen a commit, or one that is not in the log.
    const isOther = (await this.client.mls.epoch(id)) !== epoch || (await this.lineage.isAnother(id, epoch, hash));
    const isElsewhere = known.cursor >= last && isOther;
    let isLost = known.isForged || known.cursor > last || isElsewhere;
    if (!isLost && known.cursor < last) {
      // A thief of the session may have acknowledged what this device has not received. Where it gets nothing of it, its
      // leaf is gone, or the server has named a false place when it joined.
      await this.sync.catchUp(id);
      const now = await this.store.get(id);
      isLost = now?.isActive === true && now.cursor === known.cursor;
    }
    if (isLost)
      await this.client.emitAndWait('state lost', { conversation: id, reason: 'the server has another group' });
  }

  /**
   * Users without an account key who have a leaf that this device does not know, after it went back.
   * @param {Conversation} before @param {import('./core-crypto.js').Member[]} members @param {number} epoch
   */
  async #unvouched(before, members, epoch) {
    if (!isBack(before, epoch - 1)) return [];
    const lists = await this.identities.listsOf(members.map(({ user }) => user));
    const isKnown = new Set(before.members.map(({ thumbprint }) => thumbprint));
    const me = this.client.me.user.id;
    return members
      .filter(({ user, thumbprint }) => user !== me && !lists.has(user) && !isKnown.has(thumbprint))
      .map(({ user }) => user);
  }

  /**
   * The strangers in a group that this device joins for the first time. There are none where no member is verified. A
   * member who welcomes this device vouches for all members, unless the user, or a handover, has named them before. For a
   * group info only the server vouches.
   * @param {Conversation} entered @param {boolean} isWelcomed
   */
  async #unexpected({ id, members, verified }, isWelcomed) {
    const expected = await this.expectedUsers.of(id);
    if (!Object.keys(verified).length || (!expected && isWelcomed)) return [];
    const isExpected = new Set([this.client.me.user.id, ...(expected ?? Object.keys(verified))]);
    return [...new Set(members.map(({ user }) => user))].filter((user) => !isExpected.has(user));
  }

  /**
   * Store a group that this device has joined; its log begins after `seq`.
   * @param {string} id @param {number} seq @param {{ isWelcomed: boolean }} how
   */
  async #enter(id, seq, { isWelcomed }) {
    const before = await this.store.get(id);
    const members = await this.client.mls.members(id);
    await this.identities.refreshFor(members); // without their lists they would all pass for intruders
    const epoch = (await this.client.mls.epoch(id)) ?? 0;
    const isByMember = before === undefined || !(isAnyVerified(before) || isBack(before, epoch - 1));
    const me = this.client.me.user.id;
    const { conversation: after, notice: change } = await this.roster.regroup(
      before ?? emptyConversation(id),
      members,
      me,
      { isByMember },
    );
    const unvouched = before
      ? await this.#unvouched(before, members, epoch)
      : await this.#unexpected(after, isWelcomed);
    const at = new Date().toISOString();
    const entered = {
      ...withMissing(after, before?.isActive ? verifiedGone(before, members) : []),
      last: after.last ?? { seq, at, user: '', text: '' },
      since: seq,
      cursor: seq,
      isActive: true,
      isForged: false,
      heard: undefined, // nothing is known of the time in between
      epoch,
      joined: seq,
      leaving: after.leaving?.filter((user) => after.released?.includes(user)), // the server said that of the others
      strangers: [...new Set([...(after.strangers ?? []), ...unvouched])],
    };
    const isChanged = before !== undefined && change !== null;
    const what = before?.isActive ? /** @type {const} */ ('rejoined') : /** @type {const} */ ('joined');
    // New keys of the others must be shown.
    await this.store.write(entered, { seq, at, user: me, notice: { what, ...(isChanged && { change }) } });
    await this.expectedUsers.clear(id);
    if (isChanged) this.client.emit('members', { conversation: id, notice: change });
    await this.client.emitAndWait('joined', { conversation: id, after: seq, isWelcomed });
  }
}

/** The group was further before, or was forged. @param {Conversation} known @param {number} epoch that was offered */
function isBack(known, epoch) {
  return epoch < (known.epoch ?? 0) || known.isForged === true;
}

/** @param {Conversation} conversation */
function isAnyVerified({ verified }) {
  return Object.keys(verified).length > 0;
}
