// @ts-check
/** Conversations as groups: who is in them, how they change, how this device comes into them. */
import { Api, Refused } from '../transport/api.js';
import { fromBase64 } from '../util/bytes.js';
import { CommitRejected } from './core-crypto.js';
import { isSame } from '../util/equal.js';
import { soon } from '../util/debounce.js';
import { emptyConversation } from '../conversations/changes.js';
import { regrouped } from '../conversations/reducer.js';
import { hasLostTrust } from '../trust/verified.js';

const COMMIT_TRIES = 10;

/**
 * @typedef {import('./core-crypto.js').Bundle} Bundle
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../conversations/reducer.js').Notice} Notice
 * @typedef {import('../conversations/reducer.js').Person} Person
 * @typedef {import('../transport/frames.d.ts').ListedConversation} Shown as the server knows it
 */

export class Membership {
  /**
   * @param {import('../context.js').Context} client
   * @param {{ store: import('../conversations/store.js').ConversationStore, sync: import('../conversations/sync.js').Sync, trust: import('../trust/verified.js').VerifiedKeys }} parts
   */
  constructor(client, { store, sync, trust }) {
    this.client = client;
    this.store = store;
    this.sync = sync;
    this.trust = trust;
    client.on('state lost', async ({ conversation, reason }) => {
      client.emit('rejoined', { conversation, reason });
      await this.join(conversation, { what: 'rejoined' });
    });
    client.on('members', async ({ notice }) => {
      if (notice.added.length || notice.removed.length) this.refreshSoon();
    });
    client.on('left', async ({ conversation }) => {
      this.refreshSoon();
      await this.removeDue(conversation);
    });
    this.refreshSoon = soon(() => client.attempt(() => this.refresh()));
  }

  /** With these people, by name; the devices of all of them are added. @param {string[]} usernames @param {`${string}-${string}-${string}-${string}-${string}`} [id] */
  async start(usernames, id = crypto.randomUUID()) {
    if (await this.store.get(id)) return id; // asked again
    await this.client.inTurn(async () => {
      const users = await Promise.all(usernames.map((username) => this.find(username)));
      const keyPackages = (await this.#claim(users)).map(({ bytes }) => bytes);
      await this.client.mls.create(id, keyPackages, async (bundle) => {
        await this.client.api.callUntilAnswered('POST', 'conversations', { id, ...Api.bundle(bundle) });
      });
      const me = this.client.me.user;
      const people = [
        { ...me, role: /** @type {const} */ ('owner') },
        ...users.map(({ id, username }) => ({ id, username, role: /** @type {const} */ ('member') })),
      ];
      const members = await this.client.mls.members(id);
      const last = { seq: 0, at: new Date().toISOString(), user: me.id, text: '' };
      await this.store.write(
        await this.trust.pinned({ ...emptyConversation(id), state: 'joined', isActive: true, members, people, last }),
      );
    });
    return id;
  }

  /** @param {string} username @returns {Promise<{ id: string, username: string }>} */
  find(username) {
    return this.client.api.callUntilAnswered('GET', `users/${encodeURIComponent(username)}`);
  }

  /** @param {string} id @param {string[]} usernames */
  add(id, usernames) {
    return this.client.inTurn(async () => {
      const users = await Promise.all(usernames.map((name) => this.find(name)));
      const claimed = await this.#claim(users);
      await this.#commit(id, async (deliver) => {
        const there = new Set((await this.client.mls.members(id)).map((member) => member.device));
        const keyPackages = claimed.filter(({ device }) => !there.has(device)).map(({ bytes }) => bytes);
        if (keyPackages.length) await this.client.mls.add(id, keyPackages, deliver);
      });
    });
  }

  /** With all devices. @param {string} id @param {string} user */
  remove(id, user) {
    return this.client.inTurn(() =>
      this.#commit(id, async (deliver) => {
        const devices = (await this.client.mls.members(id)).filter((member) => member.user === user);
        if (devices.length) await this.client.mls.remove(id, devices, deliver);
      }),
    );
  }

  /** New keys for this device. @param {string} id */
  update(id) {
    return this.client.inTurn(() => this.#commit(id, (deliver) => this.client.mls.update(id, deliver)));
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

  /** Take a stranger's request, or ignore it. @param {string} id @param {'joined' | 'ignored'} state */
  async answer(id, state) {
    await this.client.api.callUntilAnswered('PUT', `conversations/${id}/state`, { state });
    await this.refresh();
  }

  /** @returns {Promise<Shown[]>} as the server knows them */
  list() {
    return this.client.api.callUntilAnswered('GET', 'conversations');
  }

  /** What the server knows of people and their roles. */
  async refresh() {
    await this.client.inTurn(async () => {
      for (const { id, state, members: people } of await this.list()) {
        const known = await this.store.get(id);
        if (known && !isSame([known.state, known.people], [state, people]))
          await this.store.write({ ...known, state, people });
      }
    });
  }

  // How this device comes into groups, and others out of them

  /** @param {Omit<import('../transport/frames.d.ts').WelcomeFrame, 'type'>} frame */
  async onWelcome({ conversation: id, seq, data }) {
    const known = await this.store.get(id);
    if (known?.kind === 'direct') return;
    if (!known?.isActive || known.cursor < seq) {
      await this.client.mls.forget(id);
      try {
        await this.client.mls.accept(fromBase64(data ?? ''));
      } catch {
        await this.join(id); // its key package was a last resort, and is used up
        return;
      }
      await this.#enter(id, seq, { what: 'joined' });
    }
    this.client.connection.send({ type: 'ack', conversation: id, seq });
  }

  /** Join by ourselves what this account is a member of and this device is not in. */
  async joinMissing() {
    for (const { id, state } of await this.list()) {
      const known = await this.store.get(id);
      if (known?.kind === 'direct') continue; // and stays it
      if (!known?.isActive && state !== 'ignored' && state !== 'blocked')
        await this.client.attempt(() => this.join(id));
    }
  }

  /** By an external commit; what was said before it stays unread. @param {string} id @param {{ what: 'joined' | 'rejoined' }} [notice] */
  async join(id, notice = { what: 'joined' }) {
    for (let tries = 1; ; tries++) {
      try {
        let cursor = 0;
        await this.client.mls.join(id, await this.client.api.groupInfo(id), async (bundle) => {
          const body = { ...Api.bundle(bundle), read: 0 };
          cursor = (await this.client.api.callUntilAnswered('POST', `conversations/${id}/commits`, body)).seq;
        });
        await this.#enter(id, cursor, notice);
        return;
      } catch (error) {
        const cause = error instanceof CommitRejected ? error.cause : null;
        if (!isLate(cause) || tries === COMMIT_TRIES) throw cause ?? error;
      }
    }
  }

  /** Begin with what follows `seq`. @param {string} id @param {number} seq @param {{ what: 'joined' | 'rejoined' }} notice */
  async #enter(id, seq, notice) {
    const before = await this.store.get(id);
    const members = await this.client.mls.members(id);
    const after = before ? regrouped(before, members, this.client.me.user.id) : null;
    const at = new Date().toISOString();
    const entered = await this.trust.pinned({
      ...emptyConversation(id),
      last: { seq, at, user: '', text: '' },
      ...after?.conversation,
      since: seq,
      cursor: seq,
      isActive: true,
      members,
    });
    const told = after?.notice ? { ...notice, change: after.notice } : notice; // keys that are new are said
    if (before && hasLostTrust(before, entered)) await this.client.emitAndWait('keys changed', { conversation: id });
    await this.store.write(entered, { seq, at, user: this.client.me.user.id, notice: told });
    if (after?.notice) this.client.emit('members', { conversation: id, notice: after.notice });
    this.refreshSoon();
    await this.client.emitAndWait('joined', { conversation: id, after: seq });
  }

  /** Remove whom the server says has to go; answers whether there was anybody. @param {string} id */
  async removeDue(id) {
    const { devices } = await this.client.api.callUntilAnswered('GET', `conversations/${id}/removals`);
    if (!devices.length) return false;
    await this.#commit(id, async (deliver) => {
      const due = (await this.client.api.callUntilAnswered('GET', `conversations/${id}/removals`)).devices;
      const names = (await this.client.mls.members(id)).filter((member) => due.includes(member.device));
      if (names.length) await this.client.mls.remove(id, names, deliver);
    });
    return true;
  }

  /** In all of them, or in those of one user. @param {string} [user] */
  async removeAllDue(user) {
    for (const [id, { isActive, members, kind }] of await this.client.storage.all('conversations')) {
      if (kind === 'direct') continue;
      const isConcerned = user === undefined || members.some((member) => member.user === user);
      if (isActive && isConcerned) await this.client.attempt(() => this.removeDue(id));
    }
  }

  /** One of each device of these users, and of our own others. @param {{ id: string, username: string }[]} users */
  async #claim(users) {
    const { api, me } = this.client;
    const own = (await api.callUntilAnswered('GET', 'devices')).map((device) => device.id);
    const others = own.filter((id) => id !== me.device);
    const handed = [];
    for (const { id, username } of users.filter((user) => user.id !== me.user.id)) {
      const theirs = await api.callUntilAnswered('POST', `users/${id}/key-packages/claim`, {});
      if (!theirs.length)
        throw new Refused(404, 'has_no_device', `${username} has no device here that could be added.`, 0);
      handed.push(...theirs);
    }
    if (others.length)
      handed.push(
        ...(await api.callUntilAnswered('POST', `users/${me.user.id}/key-packages/claim`, { devices: others })),
      );
    return handed.map((one) => ({ device: one.device, bytes: fromBase64(one.key_package) }));
  }

  /**
   * Do it, and if somebody else's commit came first, do it again on top of theirs.
   * @param {string} id @param {(deliver: (bundle: Bundle) => Promise<void>) => Promise<void>} work
   */
  async #commit(id, work) {
    for (let tries = 1; ; tries++) {
      const known = await this.store.get(id);
      if (!known?.isActive) throw new Refused(403, 'not_a_leaf', 'This device is not in the group', 0);
      try {
        await work(async (bundle) => {
          const body = { ...Api.bundle(bundle), read: known.cursor };
          await this.client.api.callUntilAnswered('POST', `conversations/${id}/commits`, body);
        });
        return await this.sync.catchUp(id); // what came before it is of the last epoch; soon it is unreadable
      } catch (error) {
        const cause = error instanceof CommitRejected ? error.cause : null;
        if (!isLate(cause) || tries === COMMIT_TRIES) throw cause ?? error;
        await this.sync.catchUp(id);
      }
    }
  }
}

/** The group or its log has moved on: read, and try again. @param {unknown} cause */
function isLate(cause) {
  return cause instanceof Refused && ['stale_epoch', 'tree_differs', 'unread_messages'].includes(cause.code);
}
