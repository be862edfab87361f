// @ts-check
/**
 * The members of groups: how a group is created, and how members and devices are added and removed.
 *
 * A change is a commit on the newest epoch. If another device's commit came first, the log is read and the change is
 * made again on top of it.
 */
import { emptyConversation, ended, withListed, withoutWayBack } from '../conversations/changes.js';
import { Api, Refused } from '../transport/api.js';
import { debounce } from '../util/debounce.js';
import { isEqual } from '../util/equal.js';
import { claimAll } from './claimed-key-packages.js';
import { untilAccepted } from './retry.js';

/**
 * @typedef {import('./transactions.js').Bundle} Bundle
 * @typedef {import('../conversations/reducer.js').Person} Person
 */

export class Membership {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../conversations/expected-users.js').ExpectedUsers} parts.expectedUsers
   * @param {import('../conversations/sync.js').Sync} parts.sync
   * @param {import('../conversations/roster.js').Roster} parts.roster
   * @param {import('../trust/verified.js').VerifiedKeys} parts.trust
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('../trust/enrolment.js').Enrolment} parts.enrolment
   * @param {import('./lineage.js').Lineage} parts.lineage
   * @param {import('./joining.js').Joining} parts.joining
   */
  constructor(client, { store, expectedUsers, sync, roster, trust, identities, enrolment, lineage, joining }) {
    this.client = client;
    this.store = store;
    this.expectedUsers = expectedUsers;
    this.sync = sync;
    this.roster = roster;
    this.trust = trust;
    this.identities = identities;
    this.enrolment = enrolment;
    this.lineage = lineage;
    this.joining = joining;
    client.on('joined', async () => this.refreshSoon());
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
    await this.client.inTurn(async () => {
      const known = await this.store.get(id); // the server may have stored it, and said that it did not
      if (known?.kind === 'direct') throw new Refused(409, 'not_a_group', 'The server has another conversation', 0);
      if (known) return;
      await this.enrolment.check();
      const users = await Promise.all(usernames.map((username) => this.find(username)));
      await this.expectedUsers.write([{ id, users: users.map((user) => user.id) }]);
      const keyPackages = (await claimAll(this.client, this.identities, users)).map(({ bytes }) => bytes);
      await untilAccepted(() =>
        this.client.mls.create(id, keyPackages, async (bundle) => {
          await this.client.api.callUntilAnswered('POST', 'conversations', { id, ...Api.bundle(bundle) });
        }),
      );
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
      await this.expectedUsers.clear(id);
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
    await this.trust.checkName(username, found.id);
    return found;
  }

  /** @param {string} id @param {string[]} usernames */
  add(id, usernames) {
    return this.client.inTurn(async () => {
      await this.enrolment.check();
      const users = await Promise.all(usernames.map((name) => this.find(name)));
      const claimed = await claimAll(this.client, this.identities, users);
      await this.commit(id, async (deliver) => {
        const there = new Set((await this.client.mls.members(id)).map((member) => member.device));
        const keyPackages = claimed.filter(({ device }) => !there.has(device)).map(({ bytes }) => bytes);
        if (keyPackages.length) await this.client.mls.add(id, keyPackages, deliver);
      });
    });
  }

  /** Remove a member with all devices; they may not come back without being added. @param {string} id @param {string} user */
  remove(id, user) {
    return this.client.inTurn(async () => {
      await this.client.emitAndWait('removing', { conversation: id, user });
      await this.commit(id, async (deliver) => {
        const devices = (await this.client.mls.members(id)).filter((member) => member.user === user);
        if (devices.length) await this.client.mls.remove(id, devices, deliver);
      });
      const known = await this.store.get(id);
      if (known) await this.store.write(withoutWayBack(known, user));
      await this.client.emitAndWait('user removed', { conversation: id, user });
    });
  }

  /** New keys for this device's leaf, within other work. @param {string} id @param {{ tries?: number }} [limit] */
  update(id, limit) {
    return this.commit(id, (deliver) => this.client.mls.update(id, deliver), limit);
  }

  /** @param {string} id */
  leave(id) {
    return this.client.inTurn(async () => {
      try {
        await this.client.api.callUntilAnswered('POST', `conversations/${id}/leave`);
      } catch (error) {
        if (!(error instanceof Refused && error.code === 'no_such_conversation')) throw error;
        const known = await this.store.get(id); // a server had made it up
        if (known) await this.store.write(ended(known));
        await this.client.mls.forget(id);
      }
    });
  }

  /** @param {string} id @param {string} user @param {Person['role']} role */
  async setRole(id, user, role) {
    await this.client.api.callUntilAnswered('PUT', `conversations/${id}/members/${user}`, { role });
    await this.refresh();
  }

  /**
   * The user agrees that these, whom no member has added, read along. Others may have come since they were shown.
   * @param {string} id @param {string[]} users
   */
  acceptStrangers(id, users) {
    return this.client.inTurn(async () => {
      const known = await this.store.get(id);
      if (!known?.strangers?.length) return;
      for (const user of users) await this.trust.checkName(known.names[user] ?? '', user);
      await this.store.write({ ...known, strangers: known.strangers.filter((user) => !users.includes(user)) });
      await this.client.emitAndWait('agreed', {});
    });
  }

  /** Accept or ignore a message request. @param {string} id @param {'joined' | 'ignored'} state */
  async answer(id, state) {
    await this.client.api.callUntilAnswered('PUT', `conversations/${id}/state`, { state });
    await this.client.inTurn(async () => {
      const known = await this.store.get(id);
      if (known) await this.store.write({ ...known, state });
    });
    await this.refresh();
  }

  /** Fetch names, pictures and roles of members. */
  async refresh() {
    await this.client.inTurn(async () => {
      for (const { id, state, members: people } of await this.joining.list()) {
        const known = await this.store.get(id);
        const now = known && withListed(known, state, people);
        if (now && !isEqual(now, known)) await this.store.write(now);
      }
    });
  }

  /**
   * Make a commit; if another one came first, make it again on top of that one.
   * @param {string} id @param {(deliver: (bundle: Bundle) => Promise<void>) => Promise<void>} work
   * @param {{ tries?: number }} [limit]
   */
  async commit(id, work, limit) {
    await untilAccepted(
      () => this.#commitOnce(id, work),
      async (tried, code) => {
        await this.sync.catchUp(id);
        if (tried === 1) return;
        // This device has read the log and has another state: who added it may have led it into a fork.
        if (code === 'tree_differs') await this.client.emitAndWait('state lost', { conversation: id, reason: code });
        else await this.joining.joinIfElsewhere(id);
      },
      limit,
    );
    await this.sync.catchUp(id); // messages of the last epoch become unreadable soon
    await this.roster.read(id);
  }

  /** @param {string} id @param {(deliver: (bundle: Bundle) => Promise<void>) => Promise<void>} work */
  async #commitOnce(id, work) {
    await this.roster.read(id); // otherwise what an earlier commit has changed would pass for this device's own work
    const known = await this.store.get(id);
    if (!known?.isActive) throw new Refused(403, 'not_a_leaf', 'This device is not in the group', 0);
    await work(async (bundle) => {
      const body = { ...Api.bundle(bundle), read: known.cursor };
      await this.client.api.callUntilAnswered('POST', `conversations/${id}/commits`, body);
      // Not a commit that was refused: it would hide which one has begun this epoch.
      await this.lineage.remember(id, bundle.commit, known.cursor, { isOwn: true });
    });
  }
}
