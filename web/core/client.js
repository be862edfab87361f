// @ts-check
/**
 * One device of one account: what it knows, what it hears, and what it still has to say.
 *
 * Everything that changes a group or reads the log goes through `#inTurn`, one thing after the other. What was read is
 * stored before it is acknowledged, and what is to be said before it is sent; so a crash at any moment loses nothing.
 */
import { Api, Refused, sleep } from './api.js';
import { fromBase64, randomBytes, toBase64, toHex } from './bytes.js';
import { decodeContent, encodeContent, newId } from './content.js';
import { CommitRejected, Mls, Undecryptable } from './mls.js';
import { safetyNumber } from './safety.js';

const KEY_PACKAGES = 50;
const FEW = 20; // key packages; then new ones are made
const MAX_CONTENT_BYTES = 180_000; // padded, encrypted and in base64 it fits the server's frame
const COMMIT_TRIES = 10;
const RECONNECT_MS = 200;
const RECONNECT_MAX_MS = 10_000;
const IN_FLIGHT_MAX = 32; // messages that the server has not answered yet

/**
 * @typedef {import('./content.js').Content} Content
 * @typedef {import('./mls.js').ClientName} ClientName
 * @typedef {import('./mls.js').Member} Member
 * @typedef {import('./storage.js').Storage} Storage
 * @typedef {{ token: string, user: { id: string, username: string }, device: string, databaseKey: string, isRegistered: boolean }} Me
 * @typedef {{ id: string, since: number, cursor: number, isActive: boolean, members: Member[] }} Conversation
 *   we joined after the entry `since`, and have read up to `cursor`
 * @typedef {{ seq: number, at: string, sender: ClientName, content: Content | null }} Message
 *   without content where its author has deleted it
 * @typedef {{ id: string, order: number, conversation: string, content: Content }} Waiting
 * @typedef {object} Platform
 * @property {Storage} storage
 * @property {(me: Me) => Promise<import('@wireapp/core-crypto/browser').Database>} openDatabase
 * @property {() => Promise<void>} [persist] what makes that database durable, where it is not by itself
 * @property {string} [name] of the device, as its owner sees it in the list
 * @property {typeof fetch} [fetch]
 * @property {any} [WebSocket]
 */

export class Client extends EventTarget {
  /** @type {Me} */
  me = /** @type {any} */ (null);
  /** @type {Mls} */
  mls = /** @type {any} */ (null);
  /** @type {any} */
  #socket = null;
  #wanted = false;
  #isReady = false;
  #failures = 0;
  #order = 0;
  /** @type {Set<string>} ids of messages on their way */
  #inFlight = new Set();
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {string} server @param {Platform} platform */
  constructor(server, platform) {
    super();
    this.platform = platform;
    this.storage = platform.storage;
    this.api = new Api(server, platform);
  }

  // Who we are

  /** The device of an earlier time, if there is one. */
  async resume() {
    const me = await this.storage.get('state', 'me');
    if (!me) return false;
    await this.#become(me);
    if (!me.isRegistered) await this.#registerDevice(); // we crashed in the middle of it
    return true;
  }

  /** @param {string} username @param {string} password @param {string} [inviteCode] */
  async register(username, password, inviteCode) {
    const body = { username, password, ...(inviteCode ? { invite_code: inviteCode } : {}) };
    await this.#signIn(await this.api.call('POST', 'accounts', body));
  }

  /** A new device of an account. @param {string} username @param {string} password */
  async logIn(username, password) {
    await this.#signIn(await this.api.call('POST', 'sessions', { username, password }));
  }

  /** @param {{ token: string, user: Me['user'] }} answer */
  async #signIn({ token, user }) {
    const device = toHex(randomBytes(8)).replace(/^./, (digit) => (parseInt(digit, 16) & 7).toString(16));
    const me = { token, user, device, databaseKey: toBase64(randomBytes(32)), isRegistered: false };
    await this.storage.put('state', 'me', me); // before there are keys that only it opens
    await this.#become(me);
    await this.#registerDevice();
  }

  async #registerDevice() {
    const key = toBase64(await this.mls.signatureKey());
    const { name = 'a device' } = this.platform;
    await this.api.callUntilAnswered('POST', 'devices', { id: this.me.device, name, signature_key: key });
    await this.#topUp(KEY_PACKAGES);
    this.me = { ...this.me, isRegistered: true };
    await this.storage.put('state', 'me', this.me);
  }

  /** @param {Me} me */
  async #become(me) {
    this.me = me;
    this.api.token = me.token;
    this.mls = await Mls.open({ user: me.user.id, device: me.device }, () => this.platform.openDatabase(me), this.platform.persist);
    const waiting = await this.storage.all('outbox');
    this.#order = Math.max(0, ...waiting.map(([, one]) => one.order));
  }

  /** Ends the session and the device, and forgets everything here. */
  async logOut() {
    this.close();
    await this.api.call('DELETE', `devices/${this.me.device}`).catch((error) => {
      if (!isOver(error)) throw error; // revoked already
    });
    await this.storage.wipe();
  }

  /** Key packages for those who want to add us, and one that may be used again. */
  /** @param {number} few as many as there have to be */
  async #topUp(few) {
    const { count } = await this.api.callUntilAnswered('GET', 'key-packages/count');
    if (count >= few) return;
    const made = await this.mls.keyPackages(Math.max(0, KEY_PACKAGES - count) + 1);
    const [lastResort, ...rest] = made.map(toBase64);
    await this.api.callUntilAnswered('POST', 'key-packages', { key_packages: rest, last_resort: lastResort });
  }

  // The line

  /** Stay connected until `close`. Returns when everything that was missed has been heard. */
  /** Rejects where the session is over. @returns {Promise<void>} */
  connect() {
    this.#wanted = true;
    return new Promise((resolve, reject) => {
      this.addEventListener('ready', () => resolve(), { once: true });
      this.addEventListener('logged out', () => reject(new Error('this session has ended, log in again')), { once: true });
      if (this.#socket === null) this.#open();
      else if (this.#isReady) resolve();
    });
  }

  close() {
    this.#wanted = false;
    this.#socket?.close();
  }

  get isReady() {
    return this.#isReady;
  }

  #open() {
    const socket = this.api.open(
      (frame) => this.#onFrame(frame),
      () => this.#onClose(socket),
    );
    this.#socket = socket;
  }

  /** @param {unknown} socket */
  async #onClose(socket) {
    if (socket !== this.#socket) return; // an older one
    this.#socket = null;
    this.#isReady = false;
    this.#tell('offline', {});
    if (!this.#wanted) return;
    this.#failures += 1;
    if (await this.#isLoggedOut()) {
      this.#wanted = false;
      this.#tell('logged out', {});
      return;
    }
    await sleep(Math.min(RECONNECT_MAX_MS, RECONNECT_MS * 2 ** this.#failures) * (0.5 + Math.random()));
    if (this.#wanted && this.#socket === null) this.#open();
  }

  async #isLoggedOut() {
    try {
      await this.api.call('GET', 'account');
      return false;
    } catch (error) {
      return isOver(error);
    }
  }

  /** @param {any} frame */
  #onFrame(frame) {
    switch (frame.type) {
      case 'entry':
        return this.#later(() => this.#onEntry(frame));
      case 'welcome':
        return this.#later(() => this.#onWelcome(frame));
      case 'ready':
        return this.#later(() => this.#onReady());
      case 'sent':
        return this.#later(() => this.#onSent(frame));
      case 'refused':
        return this.#later(() => this.#onRefused(frame));
      case 'devices_changed':
        return this.#later(() => this.#onDevicesChanged(frame.user));
      case 'key_packages_low':
        return this.#later(() => this.#topUp(KEY_PACKAGES));
      case 'deleted':
        return this.#later(() => this.#onDeleted(frame.conversation, frame.seq));
      case 'typing':
        return this.#tell('typing', frame);
    }
  }

  /** One conversation that is broken must not keep us from the others. @param {() => Promise<unknown>} work */
  async #attempt(work) {
    await work().catch((error) => this.#tell('problem', { error }));
  }

  /** @param {unknown} frame */
  #put(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /**
   * One thing after the other. @template R @param {() => Promise<R>} work @returns {Promise<R>}
   */
  #inTurn(work) {
    const next = this.#last.then(work);
    this.#last = next.catch(() => {});
    return next;
  }

  /** The same where nobody waits to hear how it went. @param {() => Promise<unknown>} work */
  #later(work) {
    this.#inTurn(work).catch((error) => this.#tell('problem', { error }));
  }

  /** When everything that was under way is done. */
  async settled() {
    await this.#last;
  }

  /** @param {string} type @param {object} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  async #onReady() {
    this.#failures = 0;
    await this.#attempt(() => this.#topUp(FEW));
    await this.#attempt(() => this.#joinMissing());
    for (const [, conversation] of await this.storage.all('conversations')) {
      if (conversation.isActive) await this.#attempt(() => this.#removeDue(conversation.id));
    }
    this.#isReady = true;
    this.#inFlight.clear(); // of another line; what arrived all the same is known by its id
    await this.#flush();
    this.#tell('ready', {});
  }

  // Groups

  /** With these people, by name; the devices of all of them are added. @param {string[]} usernames */
  start(usernames) {
    return this.#inTurn(async () => {
      const id = crypto.randomUUID();
      const users = await Promise.all(usernames.map((name) => this.find(name)));
      const keyPackages = (await this.#claim(users)).map(({ bytes }) => bytes);
      await this.mls.create(id, keyPackages, async (bundle) => {
        await this.api.callUntilAnswered('POST', 'conversations', { id, ...Api.bundle(bundle) });
      });
      await this.#remember({ id, since: 0, cursor: 0, isActive: true, members: await this.mls.members(id) });
      return id;
    });
  }

  /** @param {string} username @returns {Promise<{ id: string, username: string }>} */
  find(username) {
    return this.api.callUntilAnswered('GET', `users/${encodeURIComponent(username)}`);
  }

  /** @param {string} conversation @param {string[]} usernames */
  add(conversation, usernames) {
    return this.#inTurn(async () => {
      const users = await Promise.all(usernames.map((name) => this.find(name)));
      const claimed = await this.#claim(users);
      await this.#commit(conversation, async (deliver) => {
        const there = new Set((await this.mls.members(conversation)).map((member) => member.device));
        const keyPackages = claimed.filter(({ device }) => !there.has(device)).map(({ bytes }) => bytes);
        if (keyPackages.length) await this.mls.add(conversation, keyPackages, deliver);
      });
    });
  }

  /** With all devices. @param {string} conversation @param {string} username */
  remove(conversation, username) {
    return this.#inTurn(async () => {
      const { id } = await this.find(username);
      await this.#commit(conversation, async (deliver) => {
        const devices = (await this.mls.members(conversation)).filter((member) => member.user === id);
        if (devices.length) await this.mls.remove(conversation, devices, deliver);
      });
    });
  }

  /** New keys for this device. @param {string} conversation */
  update(conversation) {
    return this.#inTurn(() => this.#commit(conversation, (deliver) => this.mls.update(conversation, deliver)));
  }

  /** @param {string} conversation */
  leave(conversation) {
    return this.#inTurn(() => this.api.callUntilAnswered('POST', `conversations/${conversation}/leave`));
  }

  /** Take a stranger's request, or ignore it. @param {string} conversation @param {'joined' | 'ignored'} state */
  answer(conversation, state) {
    return this.api.callUntilAnswered('PUT', `conversations/${conversation}/state`, { state });
  }

  /** @returns {Promise<any[]>} as the server knows them */
  conversations() {
    return this.api.callUntilAnswered('GET', 'conversations');
  }

  /** One of each device of these users, and of our own others. @param {{ id: string, username: string }[]} users */
  async #claim(users) {
    const own = (await this.api.callUntilAnswered('GET', 'devices')).map((/** @type {any} */ device) => device.id);
    const others = own.filter((/** @type {string} */ id) => id !== this.me.device);
    const handed = [];
    for (const { id, username } of users.filter((user) => user.id !== this.me.user.id)) {
      const theirs = await this.api.callUntilAnswered('POST', `users/${id}/key-packages/claim`, {});
      if (!theirs.length) throw new Error(`${username} has no device that could be added`);
      handed.push(...theirs);
    }
    if (others.length) {
      const body = { devices: others };
      handed.push(...(await this.api.callUntilAnswered('POST', `users/${this.me.user.id}/key-packages/claim`, body)));
    }
    return handed.map((one) => ({ device: one.device, bytes: fromBase64(one.key_package) }));
  }

  /**
   * Do it, and if somebody else's commit came first, do it again on top of theirs.
   * @param {string} conversation @param {(deliver: (bundle: import('./mls.js').Bundle) => Promise<void>) => Promise<void>} work
   */
  async #commit(conversation, work) {
    for (let tries = 1; ; tries++) {
      const known = await this.storage.get('conversations', conversation);
      if (!known?.isActive) throw new Refused(403, 'not_a_leaf', 'This device is not in the group', 0);
      try {
        await work(async (bundle) => {
          const body = { ...Api.bundle(bundle), read: known.cursor };
          await this.api.callUntilAnswered('POST', `conversations/${conversation}/commits`, body);
        });
        return await this.#catchUp(conversation); // what came before it is of the last epoch; soon it is unreadable
      } catch (error) {
        const cause = error instanceof CommitRejected ? error.cause : null;
        if (!isLate(cause) || tries === COMMIT_TRIES) throw cause ?? error;
        await this.#catchUp(conversation);
      }
    }
  }

  /** Join by ourselves what this account is a member of and this device is not in. */
  async #joinMissing() {
    for (const { id, state } of await this.conversations()) {
      const known = await this.storage.get('conversations', id);
      if (!known?.isActive && state !== 'ignored' && state !== 'blocked') await this.#attempt(() => this.#join(id));
    }
  }

  /** By an external commit; what was said before it stays unread. @param {string} id */
  async #join(id) {
    for (let tries = 1; ; tries++) {
      try {
        let cursor = 0;
        await this.mls.join(id, await this.api.groupInfo(id), async (bundle) => {
          const path = `conversations/${id}/commits`;
          cursor = (await this.api.callUntilAnswered('POST', path, { ...Api.bundle(bundle), read: 0 })).seq;
        });
        await this.#enter(id, cursor);
        this.#tell('joined', { conversation: id, after: cursor });
        await this.#flush();
        return;
      } catch (error) {
        const cause = error instanceof CommitRejected ? error.cause : null;
        if (!isLate(cause) || tries === COMMIT_TRIES) throw cause ?? error;
      }
    }
  }

  /** Remove whom the server says has to go; answers whether there was anybody. @param {string} conversation */
  async #removeDue(conversation) {
    const { devices } = await this.api.callUntilAnswered('GET', `conversations/${conversation}/removals`);
    if (!devices.length) return false;
    await this.#commit(conversation, async (deliver) => {
      const due = (await this.api.callUntilAnswered('GET', `conversations/${conversation}/removals`)).devices;
      const names = (await this.mls.members(conversation)).filter((member) => due.includes(member.device));
      if (names.length) await this.mls.remove(conversation, names, deliver);
    });
    return true;
  }

  /** @param {string} user */
  async #onDevicesChanged(user) {
    this.#tell('devices', { user });
    for (const [, conversation] of await this.storage.all('conversations')) {
      const isConcerned = conversation.members.some((/** @type {ClientName} */ member) => member.user === user);
      if (conversation.isActive && isConcerned) await this.#attempt(() => this.#removeDue(conversation.id));
    }
  }

  /** Begin with what follows `seq`. @param {string} id @param {number} seq */
  async #enter(id, seq) {
    const before = await this.storage.get('conversations', id);
    const members = await this.mls.members(id);
    await this.#remember({ id, since: seq, cursor: seq, isActive: true, members });
    if (before) this.#tellOfMembers(id, before.members, members);
  }

  /** Whoever is new, or has another key than before. @param {string} id @param {Member[]} before @param {Member[]} members */
  #tellOfMembers(id, before, members) {
    const known = new Set(before.map(({ device, thumbprint }) => `${device} ${thumbprint}`));
    const added = members.filter(({ device, thumbprint }) => !known.has(`${device} ${thumbprint}`));
    this.#tell('members', { conversation: id, members, added });
  }

  /** @param {Conversation} conversation */
  async #remember(conversation) {
    await this.storage.put('conversations', conversation.id, conversation);
  }

  // What was said

  /** @param {{ conversation: string, seq: number, data?: string }} frame */
  async #onWelcome({ conversation, seq, data }) {
    const known = await this.storage.get('conversations', conversation);
    if (!known?.isActive || known.cursor < seq) {
      await this.mls.forget(conversation);
      try {
        await this.mls.accept(fromBase64(data ?? ''));
      } catch {
        await this.#join(conversation); // its key package was a last resort, and is used up
        return;
      }
      await this.#enter(conversation, seq);
      this.#tell('joined', { conversation, after: seq });
    }
    this.#put({ type: 'ack', conversation, seq });
    await this.#flush();
  }

  /** @param {string} id @returns {Promise<void>} */
  async #catchUp(id) {
    for (;;) {
      const { cursor } = await this.storage.get('conversations', id);
      const entries = await this.api.callUntilAnswered('GET', `conversations/${id}/log?after=${cursor}`);
      // Where the log begins later we were removed and added again: the socket brings both, and what is between.
      if (!entries.length || entries[0].seq > cursor + 1) return;
      for (const entry of entries) await this.#onNext(entry);
      if (!(await this.storage.get('conversations', id)).isActive) return;
    }
  }

  /** @param {any} entry */
  async #onEntry(entry) {
    const conversation = await this.storage.get('conversations', entry.conversation);
    if (!conversation || entry.seq <= conversation.cursor) return; // it came twice
    if (!conversation.isActive) return;
    if (entry.seq > conversation.cursor + 1) await this.#catchUp(entry.conversation);
    else await this.#onNext(entry);
  }

  /** @param {any} entry the one after the last */
  async #onNext(entry) {
    const conversation = await this.storage.get('conversations', entry.conversation);
    if (entry.seq !== conversation.cursor + 1 || !conversation.isActive) return;
    switch (entry.kind) {
      case 'commit':
        if (await this.#onCommit(conversation, entry)) return; // begun anew, with a cursor of its own
        break;
      case 'application':
        await this.#onMessage(entry);
        break;
      case 'left':
        conversation.isActive = !this.#isOurs(conversation, entry.sender);
        if (!conversation.isActive) this.#tell('removed', { conversation: conversation.id });
        else this.#tell('left', { conversation: conversation.id, device: entry.sender });
        break;
    }
    conversation.cursor = entry.seq;
    await this.#remember(conversation);
    this.#put({ type: 'ack', conversation: entry.conversation, seq: entry.seq });
    if (entry.kind === 'left' && conversation.isActive) await this.#removeDue(conversation.id);
    if (entry.kind === 'commit' && conversation.isActive) await this.#flush();
  }

  /** @param {Conversation} conversation @param {string} device */
  #isOurs(conversation, device) {
    return device === this.me.device || conversation.members.some((member) => member.device === device && member.user === this.me.user.id);
  }

  /** @param {Conversation} conversation @param {any} entry @returns {Promise<boolean>} whether we had to begin anew */
  async #onCommit(conversation, entry) {
    const epoch = await this.mls.epoch(conversation.id);
    if (epoch === null || epoch <= entry.epoch) {
      try {
        if (epoch !== entry.epoch || entry.sender === this.me.device) throw new Undecryptable('our state is lost', null);
        const { isActive } = await this.mls.decrypt(conversation.id, fromBase64(entry.data), async () => {});
        conversation.isActive = isActive;
      } catch (error) {
        if (!(error instanceof Undecryptable)) throw error;
        this.#tell('rejoined', { conversation: conversation.id, reason: error.reason });
        await this.#join(conversation.id);
        return true;
      }
    }
    if (!conversation.isActive) {
      await this.mls.forget(conversation.id);
      this.#tell('removed', { conversation: conversation.id });
      return false;
    }
    const before = conversation.members;
    conversation.members = await this.mls.members(conversation.id);
    this.#tellOfMembers(conversation.id, before, conversation.members);
    return false;
  }

  /** @param {any} entry */
  async #onMessage(entry) {
    const key = messageKey(entry.conversation, entry.seq);
    if (entry.sender === this.me.device) {
      if (entry.id !== undefined) await this.#onSent({ id: entry.id, seq: entry.seq, at: entry.at });
    } else if (entry.data === undefined) {
      const sender = { user: '', device: entry.sender };
      await this.#keep(entry.conversation, { seq: entry.seq, at: entry.at, sender, content: null });
    } else {
      try {
        await this.mls.decrypt(entry.conversation, fromBase64(entry.data), async (plaintext, sender) => {
          if (plaintext === null || sender === null) throw new Error('this is no message');
          const message = { seq: entry.seq, at: entry.at, sender, content: decodeContent(plaintext) };
          await this.#keep(entry.conversation, message);
        });
      } catch (error) {
        if (!(error instanceof Undecryptable)) throw error;
        if ((await this.storage.get('messages', key)) !== undefined) return; // we had it, and crashed after that
        this.#tell('undecryptable', { conversation: entry.conversation, seq: entry.seq, reason: error.reason });
      }
    }
  }

  /** @param {string} conversation @param {Message} message */
  async #keep(conversation, message) {
    await this.storage.put('messages', messageKey(conversation, message.seq), message);
    this.#tell('message', { conversation, message });
  }

  /** @param {string} conversation @param {number} seq */
  async #onDeleted(conversation, seq) {
    const message = await this.storage.get('messages', messageKey(conversation, seq));
    if (message) await this.#keep(conversation, { ...message, content: null });
  }

  /** The oldest first. @param {string} conversation @returns {Promise<Message[]>} */
  async messages(conversation) {
    return (await this.storage.all('messages', `${conversation}/`)).map(([, message]) => message);
  }

  // What we say

  /**
   * Returns its id when it is stored here; it is sent as soon as that is possible.
   * @param {string} conversation @param {Omit<import('./content.js').Known, 'id'> & Record<string, any>} content
   */
  async send(conversation, content) {
    const id = newId();
    const whole = /** @type {Content} */ ({ ...content, id });
    if (encodeContent(whole).length > MAX_CONTENT_BYTES) throw new Error('this message is too long');
    const waiting = { id, order: ++this.#order, conversation, content: whole };
    await this.storage.put('outbox', id, waiting);
    this.#later(() => this.#flush());
    return id;
  }

  /** @param {string} conversation @param {string} text */
  say(conversation, text) {
    return this.send(conversation, { kind: 'text', text });
  }

  /** For everyone. @param {string} conversation @param {number} seq */
  unsay(conversation, seq) {
    return this.api.callUntilAnswered('DELETE', `conversations/${conversation}/entries/${seq}`);
  }

  /** @param {string} conversation */
  type(conversation) {
    this.#put({ type: 'typing', conversation });
  }

  /** @returns {Promise<Waiting[]>} what waits to be sent, the oldest first */
  async outbox() {
    const waiting = (await this.storage.all('outbox')).map(([, one]) => one);
    return waiting.sort((one, other) => one.order - other.order);
  }

  /** Return when the server has taken everything that waits to be sent. */
  async allSent() {
    for (;;) {
      const waiting = await this.outbox();
      const known = await Promise.all(waiting.map((one) => this.storage.get('conversations', one.conversation)));
      if (!known.some((conversation) => conversation?.isActive)) return;
      await sleep(20);
    }
  }

  async #flush() {
    if (!this.#isReady) return;
    for (const { id, conversation, content } of await this.outbox()) {
      if (this.#inFlight.size >= IN_FLIGHT_MAX) return;
      const known = await this.storage.get('conversations', conversation);
      if (this.#inFlight.has(id) || !known?.isActive) continue;
      const { epoch, data } = await this.mls.encrypt(conversation, encodeContent(content));
      this.#inFlight.add(id);
      this.#put({ type: 'send', id, conversation, epoch, data: toBase64(data) });
    }
  }

  /** @param {{ id: string, seq: number, at: string }} frame */
  async #onSent({ id, seq, at }) {
    this.#inFlight.delete(id);
    const waiting = await this.storage.get('outbox', id);
    if (!waiting) return;
    const sender = { user: this.me.user.id, device: this.me.device };
    await this.#keep(waiting.conversation, { seq, at, sender, content: waiting.content });
    await this.storage.delete('outbox', id);
    this.#tell('sent', { id, conversation: waiting.conversation, seq });
    await this.#flush();
  }

  /** @param {{ id: string, code: string, error: string }} frame */
  async #onRefused({ id, code, error }) {
    this.#inFlight.delete(id);
    const waiting = await this.storage.get('outbox', id);
    if (!waiting) return;
    switch (code) {
      case 'stale_epoch':
        await this.#catchUp(waiting.conversation);
        break;
      case 'commit_needed':
        if (!(await this.#removeDue(waiting.conversation))) await sleep(RECONNECT_MS * (1 + Math.random()));
        break;
      case 'busy':
      case 'unavailable':
        await sleep(RECONNECT_MS * (0.5 + Math.random()));
        break;
      case 'not_a_leaf':
        return; // removed; the entry that says so is on its way
      default:
        await this.storage.delete('outbox', id);
        this.#tell('failed', { ...waiting, code, error });
        return;
    }
    await this.#flush();
  }

  // Trust

  /** To compare with another member. @param {string} conversation @param {string} user */
  async safetyNumber(conversation, user) {
    const members = await this.mls.members(conversation);
    const [mine, theirs] = [this.me.user.id, user].map((id) => ({
      user: id,
      thumbprints: members.filter((member) => member.user === id).map((member) => member.thumbprint),
    }));
    return safetyNumber(mine, theirs);
  }
}

/** @param {string} conversation @param {number} seq */
function messageKey(conversation, seq) {
  return `${conversation}/${String(seq).padStart(12, '0')}`;
}

/** The session has ended. @param {unknown} error */
function isOver(error) {
  return error instanceof Refused && error.status === 401;
}

/** The group or its log has moved on: read, and try again. @param {unknown} cause */
function isLate(cause) {
  return cause instanceof Refused && ['stale_epoch', 'tree_differs', 'unread_messages'].includes(cause.code);
}
