// @ts-check
/**
 * The members of groups: how a group is created, how members and devices are added and removed, and how this device
 * joins.
 *
 * A change is a commit on the newest epoch. If another device's commit came first, the log is read and the change is
 * made again on top of it.
 */
import { Api, Refused } from '../transport/api.js';
import { fromBase64 } from '../util/bytes.js';
import { CommitRejected, ForgedGroup, OutdatedGroup } from './errors.js';
import { parseGroupInfo } from './frames.js';
import { claimAll } from './claimed-key-packages.js';
import { thumbprintOf } from '../trust/thumbprint.js';
import { isEqual } from '../util/equal.js';
import { debounce } from '../util/debounce.js';
import { emptyConversation } from '../conversations/changes.js';
import { regrouped } from '../conversations/reducer.js';

const COMMIT_TRIES = 10;

/**
 * @typedef {import('./transactions.js').Bundle} Bundle
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../conversations/reducer.js').Notice} Notice
 * @typedef {import('../conversations/reducer.js').Person} Person
 * @typedef {import('../transport/frames.d.ts').ListedConversation} Shown as the server knows it
 */

export class Membership {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../conversations/sync.js').Sync} parts.sync
   * @param {import('../trust/verified.js').VerifiedKeys} parts.trust
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('./lineage.js').Lineage} parts.lineage
   */
  constructor(client, { store, sync, trust, identities, lineage }) {
    this.client = client;
    this.store = store;
    this.sync = sync;
    this.trust = trust;
    this.identities = identities;
    this.lineage = lineage;
    client.on('state lost', async ({ conversation, reason }) => {
      client.emit('rejoined', { conversation, reason });
      await this.join(conversation, { what: 'rejoined' });
    });
    client.on('members changed', async ({ conversation, notice }) => {
      client.emit('members', { conversation, notice });
      if (notice.added.length || notice.removed.length) this.refreshSoon();
    });
    client.on('epoch', async ({ conversation }) => {
      const { people = [], members = [] } = (await store.get(conversation)) ?? {};
      const isThere = new Set(members.map(({ user }) => user));
      if (people.some(({ id }) => !isThere.has(id))) this.refreshSoon(); // who left is not among the members changed
    });
    this.refreshSoon = debounce(() => client.attempt(() => this.refresh()));
  }

  /**
   * Create a group with all devices of these users. The same id again returns the group that it made.
   * @param {string[]} usernames @param {`${string}-${string}-${string}-${string}-${string}`} [id]
   */
  async start(usernames, id = crypto.randomUUID()) {
    if (await this.store.get(id)) return id;
    await this.client.inTurn(async () => {
      const users = await Promise.all(usernames.map((username) => this.find(username)));
      const keyPackages = (await claimAll(this.client, this.identities, users)).map(({ bytes }) => bytes);
      await this.client.mls
        .create(id, keyPackages, async (bundle) => {
          await this.client.api.callUntilAnswered('POST', 'conversations', { id, ...Api.bundle(bundle) });
        })
        .catch((/** @type {unknown} */ error) => {
          throw error instanceof CommitRejected ? error.cause : error;
        });
      const me = this.client.me.user;
      const people = [
        { ...me, role: /** @type {const} */ ('owner') },
        ...users.map(({ id, username }) => ({ id, username, role: /** @type {const} */ ('member') })),
      ];
      const members = await this.client.mls.members(id);
      const epoch = (await this.client.mls.epoch(id)) ?? 0;
      const last = { seq: 0, at: new Date().toISOString(), user: me.id, text: '' };
      await this.store.write(
        await this.trust.pinned({
          ...emptyConversation(id),
          state: 'joined',
          isActive: true,
          epoch,
          members,
          people,
          last,
        }),
      );
      await this.client.emitAndWait('created', { conversation: id });
    });
    return id;
  }

  /**
   * Throws Refused where the user has verified another person of this name: the server would put someone in their place.
   * @param {string} username @returns {Promise<{ id: string, username: string }>}
   */
  async find(username) {
    const found = await this.client.api.callUntilAnswered('GET', `users/${encodeURIComponent(username)}`);
    if (await this.trust.isNameOfAnother(username, found.id))
      throw new Refused(409, 'other_person', `${username} was verified as another user`, 0);
    return found;
  }

  /** @param {string} id @param {string[]} usernames */
  add(id, usernames) {
    return this.client.inTurn(async () => {
      const users = await Promise.all(usernames.map((name) => this.find(name)));
      const claimed = await claimAll(this.client, this.identities, users);
      await this.commit(id, async (deliver) => {
        const there = new Set((await this.client.mls.members(id)).map((member) => member.device));
        const keyPackages = claimed.filter(({ device }) => !there.has(device)).map(({ bytes }) => bytes);
        if (keyPackages.length) await this.client.mls.add(id, keyPackages, deliver);
      });
    });
  }

  /** Remove a member with all devices. @param {string} id @param {string} user */
  remove(id, user) {
    return this.client.inTurn(() =>
      this.commit(id, async (deliver) => {
        const devices = (await this.client.mls.members(id)).filter((member) => member.user === user);
        if (devices.length) await this.client.mls.remove(id, devices, deliver);
      }),
    );
  }

  /** New keys for this device's leaf. @param {string} id */
  update(id) {
    return this.client.inTurn(() => this.commit(id, (deliver) => this.client.mls.update(id, deliver)));
  }

  /** The same within other work, once: throws Refused if another commit came first. @param {string} id */
  updateOnce(id) {
    return this.commit(id, (deliver) => this.client.mls.update(id, deliver), 1);
  }

  /** @param {string} id */
  leave(id) {
    return this.client.inTurn(() => this.client.api.callUntilAnswered('POST', `conversations/${id}/leave`));
  }

  /** @param {string} id @param {string} user @param {Person['role']} role */
  async setRole(id, user, role) {
    await this.client.api.callUntilAnswered('PUT', `conversations/${id}/members/${user}`, { role });
    await this.refresh();
  }

  /** The user agrees that those whom no member has added read along. @param {string} id */
  acceptStrangers(id) {
    return this.client.inTurn(async () => {
      const known = await this.store.get(id);
      if (!known?.strangers?.length) return;
      await this.store.write({ ...known, strangers: [] });
      await this.client.emitAndWait('agreed', { conversation: id });
    });
  }

  /** Accept or ignore a message request. @param {string} id @param {'joined' | 'ignored'} state */
  async answer(id, state) {
    await this.client.api.callUntilAnswered('PUT', `conversations/${id}/state`, { state });
    await this.refresh();
  }

  /** The groups of this account, as the server lists them. @returns {Promise<Shown[]>} */
  list() {
    return this.client.api.callUntilAnswered('GET', 'conversations');
  }

  /** Fetch names, pictures and roles of members. */
  async refresh() {
    await this.client.inTurn(async () => {
      for (const { id, state, members: people } of await this.list()) {
        const known = await this.store.get(id);
        if (known && !isEqual([known.state, known.people], [state, people]))
          await this.store.write({ ...known, state, people });
      }
    });
  }

  // Joining

  /** @param {Omit<import('../transport/frames.d.ts').WelcomeFrame, 'type'>} frame */
  async onWelcome({ conversation: id, seq, data }) {
    const known = await this.store.get(id);
    if (known?.kind === 'direct') return;
    if ((known?.cursor ?? 0) < seq) {
      // A welcome never replaces the state of a group that this device is in: its maker chose the members.
      if (known?.isActive) return this.join(id, { what: 'rejoined' });
      try {
        await this.client.mls.accept(id, fromBase64(data ?? ''), known?.epoch ?? 0);
      } catch {
        await this.join(id); // its last-resort key package was used before
        return;
      }
      await this.#enter(id, seq, { what: 'joined' });
    }
    this.client.connection.send({ type: 'ack', conversation: id, seq });
  }

  /** Join the groups of this account in which this device has no leaf, or one that the server does not have. */
  async joinMissing() {
    for (const shown of await this.list()) {
      const { id, state } = shown;
      const known = await this.store.get(id);
      if (known?.kind === 'direct') continue; // it never becomes a group
      if (known?.isActive) await this.client.attempt(() => this.#joinIfElsewhere(shown));
      else if (state !== 'ignored' && state !== 'blocked') await this.client.attempt(() => this.join(id));
    }
  }

  /**
   * Join by an external commit; earlier messages stay unreadable.
   * @param {string} id @param {{ what: 'joined' | 'rejoined' }} [notice]
   */
  async join(id, notice = { what: 'joined' }) {
    for (let tries = 1; ; tries++) {
      const known = await this.store.get(id);
      try {
        let cursor = 0;
        const groupInfo = await this.client.api.groupInfo(id);
        await this.#checkOffered(id, parseGroupInfo(groupInfo), known);
        await this.client.mls.join(id, groupInfo, async (bundle) => {
          const body = { ...Api.bundle(bundle), read: 0 };
          cursor = (await this.client.api.callUntilAnswered('POST', `conversations/${id}/commits`, body)).seq;
          await this.lineage.remember(id, bundle.commit, cursor);
        });
        await this.store.rewind(id, Math.max(0, cursor - 1));
        await this.#enter(id, cursor, notice);
        return;
      } catch (error) {
        const cause = error instanceof CommitRejected ? error.cause : null;
        if (!isLate(cause) || tries === COMMIT_TRIES) throw cause ?? error;
      }
    }
  }

  /**
   * The state of a group never goes back: a group info of an earlier epoch would let a removed member in again. Only
   * where all its leaves are those of today's members, the server has shown this device epochs that it did not have, or
   * was set back to a backup. The same has to hold after the group was forged. Throws OutdatedGroup, ForgedGroup.
   * @param {string} id @param {ReturnType<typeof parseGroupInfo>} offered @param {Conversation | undefined} known
   */
  async #checkOffered(id, offered, known) {
    if (offered.conversation !== id) throw new OutdatedGroup('the group info is of another group');
    if (new Set(offered.leaves.map(({ device }) => device)).size !== offered.leaves.length)
      throw new ForgedGroup('two leaves of the group have the same device');
    if (!known || (offered.epoch >= (known.epoch ?? 0) && !known.isForged)) return;
    const users = new Set(known.members.map(({ user }) => user));
    const isKnown = new Set(known.members.map(({ device, thumbprint }) => `${device} ${thumbprint}`));
    for (const { user, device, signatureKey } of offered.leaves) {
      const thumbprint = await thumbprintOf(signatureKey);
      if (isKnown.has(`${device} ${thumbprint}`)) continue;
      const isListed = users.has(user) && (await this.identities.listsOf([user])).get(user)?.has(thumbprint);
      if (!isListed) throw new OutdatedGroup('the group info is older than what this device has seen');
    }
  }

  /** Join again where this device has another state than the group on the server. @param {string} id */
  async joinIfElsewhere(id) {
    const shown = (await this.list()).find((one) => one.id === id);
    if (shown) await this.#joinIfElsewhere(shown);
  }

  /** @param {Shown} shown */
  async #joinIfElsewhere({ id, epoch, last_seq: last }) {
    const known = await this.store.get(id);
    if (!known?.isActive) return;
    // A device that has read the whole log and is in another epoch has not seen a commit, or one that is not in the log.
    const isElsewhere = known.cursor >= last && (await this.client.mls.epoch(id)) !== epoch;
    if (known.isForged || known.cursor > last || isElsewhere)
      await this.client.emitAndWait('state lost', { conversation: id, reason: 'the server has another group' });
  }

  /**
   * Store a group that this device has joined; its log begins after `seq`.
   * @param {string} id @param {number} seq @param {{ what: 'joined' | 'rejoined' }} notice
   */
  async #enter(id, seq, notice) {
    const before = await this.store.get(id);
    const members = await this.client.mls.members(id);
    const epoch = (await this.client.mls.epoch(id)) ?? 0;
    const after = before ? regrouped(before, members, this.client.me.user.id, isAnyVerified(before)) : null;
    const at = new Date().toISOString();
    const entered = await this.trust.pinned({
      ...emptyConversation(id),
      last: { seq, at, user: '', text: '' },
      ...after?.conversation,
      since: seq,
      cursor: seq,
      isActive: true,
      isForged: false,
      epoch,
      members,
    });
    const told = after?.notice ? { ...notice, change: after.notice } : notice; // new keys of the others must be shown
    await this.store.write(entered, { seq, at, user: this.client.me.user.id, notice: told });
    if (after?.notice) this.client.emit('members', { conversation: id, notice: after.notice });
    this.refreshSoon();
    await this.client.emitAndWait('joined', { conversation: id, after: seq });
  }

  /**
   * Make a commit; if another one came first, make it again on top of that one.
   * @param {string} id @param {(deliver: (bundle: Bundle) => Promise<void>) => Promise<void>} work
   * @param {number} [most] tries
   */
  async commit(id, work, most = COMMIT_TRIES) {
    for (let tries = 1; ; tries++) {
      const known = await this.store.get(id);
      if (!known?.isActive) throw new Refused(403, 'not_a_leaf', 'This device is not in the group', 0);
      try {
        await work(async (bundle) => {
          await this.lineage.remember(id, bundle.commit, known.cursor);
          const body = { ...Api.bundle(bundle), read: known.cursor };
          await this.client.api.callUntilAnswered('POST', `conversations/${id}/commits`, body);
        });
        await this.sync.catchUp(id); // messages of the last epoch become unreadable soon
        return await this.sync.readMembers(id);
      } catch (error) {
        const cause = error instanceof CommitRejected ? error.cause : null;
        if (!isLate(cause) || tries === most) throw cause ?? error;
        await this.sync.catchUp(id);
        if (tries > 1) await this.joinIfElsewhere(id);
      }
    }
  }
}

/** @param {Conversation} conversation */
function isAnyVerified({ verified }) {
  return Object.keys(verified).length > 0;
}

/** The group or its log is further than this device: read the log and try again. @param {unknown} cause */
function isLate(cause) {
  return cause instanceof Refused && ['stale_epoch', 'tree_differs', 'unread_messages'].includes(cause.code);
}
