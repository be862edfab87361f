// @ts-check
/**
 * Messages that the server has not confirmed yet.
 *
 * A message is stored before it is sent, and stays until the server has confirmed it. Messages of one conversation are
 * sent in the order in which they were written. A text that the server rejected for good stays with its `failure` until
 * the user retries or discards it. So does one that would reach a device that was not in the group when it was written:
 * whom the server or another member adds afterwards reads it only if its author agrees, or if the account key of one who
 * was there has listed the device. Nothing is sent to a device that its account key has not listed. A message that was written for
 * a group is never sent to a direct conversation, nor the reverse.
 */
import { ForgedGroup, HeldBack } from '../mls/errors.js';
import { Refused, sleep } from '../transport/api.js';
import { toBase64 } from '../util/bytes.js';
import { decodeContent, encodeContent, isMessage, kindOf, newId } from '../content/index.js';
import { readerCheck, readersOf } from './readers.js';

const MAX_CONTENT_BYTES = 180_000; // padded, encrypted and in base64 it fits the server's frame
const IN_FLIGHT_MAX = 32; // messages that the server has not answered yet
const RETRY_MS = 200;
const POLL_MS = 20;
const HELD = ['unlisted_device', 'stranger', 'removal_asked']; // failures that end without the author
const LATER_MS = 5000; // where the server cannot be reached

/**
 * @typedef {import('../content/index.js').Content} Content
 *
 * @typedef {import('./readers.js').Reader} Reader
 *
 * @typedef {object} Waiting
 * @property {string} id
 * @property {number} order
 * @property {string} at RFC 3339
 * @property {string} conversation
 * @property {boolean} isDirect what the conversation was when the message was written
 * @property {Content} content
 * @property {Reader[]} [readers] the devices that were in the group when it was written; undefined where everyone in the
 *   group may read it
 * @property {{ code: string, message: string }} [failure]
 */

export class Outbox {
  /** Of the newest message; null until it was read from storage. @type {Promise<number> | null} */
  #order = null;
  /**
   * Messages that were sent and are not confirmed, by id.
   * @type {Map<string, { conversation: string, epoch: number }>}
   */
  #inFlight = new Map();
  /**
   * Conversations with messages of an earlier epoch in flight, which no other message may overtake.
   * @type {Set<string>}
   */
  #held = new Set();
  #directQueue = Promise.resolve();
  /**
   * Sends a message of a direct conversation, and returns when the server has stored it. Direct sets it.
   * @type {(waiting: Waiting) => Promise<void>}
   */
  deliverDirect = async () => {
    throw new Error('direct conversations are not set up');
  };

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./store.js').ConversationStore} parts.store
   * @param {import('./sync.js').Sync} parts.sync
   * @param {import('../mls/membership.js').Membership} parts.membership
   * @param {import('../mls/removals.js').Removals} parts.removals
   * @param {import('../mls/healing.js').Healing} parts.healing
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('../trust/statements.js').Statements} parts.statements
   */
  constructor(client, { store, sync, membership, removals, healing, identities, statements }) {
    this.client = client;
    this.store = store;
    this.sync = sync;
    this.membership = membership;
    this.removals = removals;
    this.healing = healing;
    this.identities = identities;
    this.statements = statements;
    client.listen('identity', () => client.later(() => this.retryHeld()));
    client.on('own message', (frame) => this.onSent(frame));
    client.on('epoch', () => this.retryHeld());
    client.on('agreed', () => this.retryHeld());
    client.on('joined', ({ conversation }) => this.#startOver(conversation));
  }

  /** @returns {Promise<number>} */
  #nextOrder() {
    const last = this.#order ?? this.waiting().then((all) => Math.max(0, ...all.map(({ order }) => order)));
    const next = last.then((order) => order + 1);
    this.#order = next;
    next.catch(() => (this.#order = null)); // the next call reads the storage again
    return next;
  }

  /** The oldest first. @returns {Promise<Waiting[]>} */
  async waiting() {
    const found = (await this.client.storage.all('outbox')).map(([, one]) => one);
    return found.sort((one, other) => one.order - other.order);
  }

  /**
   * Returns the message's id when it is stored here. The same id again is the same message, and is sent once.
   * @param {string} conversation
   * @param {import('../content/index.js').Draft} content
   */
  async send(conversation, content) {
    const { id = newId() } = content;
    if (content.id && (await this.#isKnown(conversation, id))) return id;
    const whole = /** @type {Content} */ ({ ...content, id });
    const encoded = encodeContent(whole);
    if (encoded.length > MAX_CONTENT_BYTES) throw new Refused(413, 'too_long', 'The message is too long', 0);
    if (decodeContent(encoded).kind === 'unknown')
      throw new Refused(400, 'unsendable', 'The message contains characters that cannot be sent', 0);
    const known = await this.store.get(conversation);
    const statement = isMessage(whole) && known?.kind !== 'direct' ? await this.statements.due(conversation) : null;
    if (statement)
      await this.#keep(await this.#written(conversation, { ...statement.content, id: newId() }, known), [
        statement.change,
      ]);
    await this.#keep(await this.#written(conversation, whole, known));
    this.client.later(() => this.flush());
    return id;
  }

  /**
   * @param {string} conversation @param {Content} content
   * @param {import('./reducer.js').Conversation | undefined} known @returns {Promise<Waiting>}
   */
  async #written(conversation, content, known) {
    const isDirect = known?.kind === 'direct';
    const order = await this.#nextOrder();
    /** @type {Waiting} */
    const waiting = { id: content.id, order, at: new Date().toISOString(), conversation, isDirect, content };
    if (kindOf(content.kind)?.isBound && !isDirect) waiting.readers = readersOf(known);
    return waiting;
  }

  /** @param {string} conversation @param {string} id */
  async #isKnown(conversation, id) {
    const { storage } = this.client;
    return (
      (await storage.get('outbox', id)) !== undefined ||
      (await storage.get('ids', `${conversation}/${id}`)) !== undefined
    );
  }

  /** Remove a message that needs no sending any more. @param {string} id */
  async drop(id) {
    this.#inFlight.delete(id);
    await this.client.storage.write([
      ['outbox', id],
      ['state', `sealed/${id}`],
    ]);
    this.client.emit('dropped', { id });
  }

  /**
   * Give a waiting message a new id, because the server has stored the old one in a form that nobody can read.
   * @param {string} id @param {import('../storage/storage.js').Change[]} more changes that must be written with it
   */
  async renew(id, more) {
    const before = await this.client.storage.get('outbox', id);
    if (!before) return;
    const fresh = newId();
    const waiting = { ...before, id: fresh, content: { ...before.content, id: fresh }, failure: undefined };
    await this.client.storage.write([['outbox', id], ['state', `sealed/${id}`], ['outbox', fresh, waiting], ...more]);
    this.#inFlight.delete(id);
    this.client.emit('dropped', { id });
    this.client.emit('waiting', waiting);
    this.client.later(() => this.flush());
  }

  /** Send a message that has failed once more, to the group as it is now. @param {string} id */
  retry(id) {
    return this.client.inTurn(async () => {
      const waiting = await this.client.storage.get('outbox', id);
      if (waiting?.failure) {
        const readers = waiting.readers && readersOf(await this.store.get(waiting.conversation));
        await this.#keep({ ...waiting, readers, failure: undefined });
      }
      await this.flush();
    });
  }

  /** Devices were listed, or removed: what waits for that is sent. */
  async retryHeld() {
    const held = (await this.waiting()).filter(({ failure }) => HELD.includes(failure?.code ?? ''));
    for (const waiting of held) await this.#keep({ ...waiting, failure: undefined });
    await this.flush();
  }

  /** Remove a message that has failed. @param {string} id */
  discard(id) {
    return this.client.inTurn(async () => {
      if ((await this.client.storage.get('outbox', id))?.failure) await this.drop(id);
    });
  }

  /** @param {Waiting} waiting @param {import('../storage/storage.js').Change[]} [more] written with it */
  async #keep(waiting, more = []) {
    await this.client.storage.write([['outbox', waiting.id, waiting], ...more]);
    this.client.emit('waiting', waiting);
  }

  /**
   * Send these, and return when the server has them, or has refused them; at the latest after `ms`.
   * @param {{ conversation: string, content: import('../content/index.js').Draft }[]} contents @param {number} ms
   */
  async sendNow(contents, ms) {
    const open = new Set(
      await Promise.all(contents.map(({ conversation, content }) => this.send(conversation, content))),
    );
    const late = sleep(ms).then(() => open.clear());
    while (open.size) {
      const waiting = new Set((await this.waiting()).filter(({ failure }) => !failure).map(({ id }) => id));
      for (const id of open) if (!waiting.has(id)) open.delete(id);
      if (open.size) await Promise.race([sleep(POLL_MS), late]);
    }
  }

  /** @param {string} conversation @param {string} text */
  sendText(conversation, text) {
    return this.send(conversation, { kind: 'text', text });
  }

  /** Returns when the server has confirmed everything that can be sent. */
  async allSent() {
    for (;;) {
      const waiting = (await this.waiting()).filter(({ failure }) => !failure);
      const known = await Promise.all(waiting.map((one) => this.client.storage.get('conversations', one.conversation)));
      if (!known.some((conversation) => conversation?.isActive)) return;
      await sleep(POLL_MS);
    }
  }

  /** After a reconnection: send unconfirmed messages again; the server recognises one that it has by its id. */
  restart() {
    this.#inFlight.clear();
    return this.flush();
  }

  /**
   * This device has joined the group again: entries of before do not come any more, and might have confirmed messages.
   * @param {string} conversation
   */
  #startOver(conversation) {
    for (const [id, one] of this.#inFlight) if (one.conversation === conversation) this.#inFlight.delete(id);
    return this.flush();
  }

  /** @param {string} conversation @param {number} [epoch] */
  #hasInFlight(conversation, epoch = Infinity) {
    return [...this.#inFlight.values()].some((one) => one.conversation === conversation && one.epoch < epoch);
  }

  /** Send what can be sent now. */
  async flush() {
    if (!this.client.connection.isReady) return;
    let waiting = await this.waiting();
    const due = new Set(waiting.filter(({ readers, failure }) => readers && !failure).map((one) => one.conversation));
    for (const id of due) {
      if ((await this.store.get(id))?.isActive && (await this.healing.beforeMessages(id)))
        waiting = await this.waiting(); // the update's entry has sent some
    }
    for (const one of waiting) {
      if (this.#inFlight.size >= IN_FLIGHT_MAX) return;
      const known = await this.store.get(one.conversation);
      if (this.#inFlight.has(one.id) || one.failure || !known?.isActive || known.isForged) continue;
      if (one.isDirect !== (known.kind === 'direct')) continue;
      if (this.#held.has(one.conversation) && this.#hasInFlight(one.conversation)) continue;
      this.#held.delete(one.conversation);
      if (one.isDirect) this.#deliver(one);
      // One message that cannot be encrypted must not stop the others.
      else await this.client.attempt(() => this.#encrypt(one));
    }
  }

  /** @param {Waiting} waiting */
  async #encrypt({ id, conversation, content, readers }) {
    const encrypted = await this.#encryptedFor(conversation, content, readers);
    if (encrypted instanceof HeldBack) return this.#onRejected(id, encrypted.code, encrypted.message);
    const { epoch, data } = encrypted;
    if (this.#hasInFlight(conversation, epoch)) {
      this.#held.add(conversation); // the server may reject those, and they must be sent again first
      return;
    }
    this.#inFlight.set(id, { conversation, epoch });
    this.client.connection.send({ type: 'send', id, conversation, epoch, data: toBase64(data) });
  }

  /**
   * Returns the error where the group has devices that must not read it.
   * @param {string} conversation @param {Content} content @param {Reader[]} [readers]
   */
  async #encryptedFor(conversation, content, readers) {
    const check = readers && (await readerCheck(this.identities, await this.store.get(conversation), readers));
    try {
      return await this.client.mls.encrypt(conversation, encodeContent(content), check);
    } catch (error) {
      if (error instanceof HeldBack) return error;
      if (error instanceof ForgedGroup) await this.sync.readMembers(conversation);
      throw error;
    }
  }

  /** A message is not in flight any more, which makes room for others. @param {string} id */
  release(id) {
    this.#inFlight.delete(id);
    // Reads the whole outbox, so not for each message.
    if (this.#inFlight.size <= IN_FLIGHT_MAX / 2) this.client.later(() => this.flush());
  }

  /** Messages of direct conversations are sent one after the other, beside those of groups. @param {Waiting} waiting */
  #deliver(waiting) {
    const { id, conversation } = waiting;
    this.#inFlight.set(id, { conversation, epoch: 0 });
    this.#directQueue = this.#directQueue.then(async () => {
      try {
        await this.deliverDirect(waiting); // a text leaves the outbox when it comes back from the server
        if (waiting.content.kind !== 'text') await this.drop(id);
      } catch (error) {
        const isAnswer = error instanceof Refused && [400, 403, 404, 409].includes(error.status);
        if (isAnswer) this.client.later(() => this.onRefused({ id, code: error.code, error: error.message }));
        else setTimeout(() => this.#tryAgain(id), LATER_MS); // not reachable, or busy
      }
    });
  }

  /** @param {string} id */
  #tryAgain(id) {
    this.#inFlight.delete(id);
    this.client.later(() => this.flush());
  }

  /**
   * The server has stored a message. Its entry gives it its place in the log. Where this device is
   * further in the log already, its entry does not come any more: the message then comes behind what it has read.
   * @param {{ id: string, seq: number, at: string }} frame
   */
  async onStored({ id, seq, at }) {
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting || waiting.isDirect) return;
    const { conversation } = waiting;
    const cursor = (await this.store.get(conversation))?.cursor ?? 0;
    if (seq <= cursor)
      await this.onSent({ id, conversation, seq: await this.store.freePlace(conversation, cursor), at });
  }

  /**
   * The entry of a message of this device has come.
   * @param {{ id: string, conversation: string, seq: number, at: string }} entry
   */
  async onSent({ id, conversation, seq, at }) {
    const waiting = await this.client.storage.get('outbox', id);
    if (waiting?.conversation !== conversation) return;
    this.release(id);
    const sender = { user: this.client.me.user.id, device: this.client.me.device };
    const count = waiting.isDirect ? [] : [await this.healing.counted(conversation)];
    const entry = { seq, at, sender, content: waiting.content };
    await this.store.apply(conversation, entry, [['outbox', id], ...count]);
    this.client.emit('sent', { id, conversation, seq });
  }

  /** @param {{ id: string, code: string, error: string }} frame */
  async onRefused({ id, code, error }) {
    const sentIn = this.#inFlight.get(id)?.epoch;
    this.#inFlight.delete(id);
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return;
    switch (code) {
      case 'stale_epoch':
        await this.sync.catchUp(waiting.conversation);
        // The server refuses the epoch that this device is in after it has read the whole log.
        if ((await this.client.mls.epoch(waiting.conversation)) === sentIn) {
          await sleep(RETRY_MS * Math.random());
          await this.membership.joinIfElsewhere(waiting.conversation);
        }
        break;
      case 'commit_needed': {
        const done = await this.removals.removeDue(waiting.conversation);
        if (done === 'asked') {
          await this.#onRejected(id, 'removal_asked', error);
          return this.release(id);
        }
        if (done === 'none') await sleep(RETRY_MS * (1 + Math.random()));
        break;
      }
      case 'busy':
      case 'unavailable':
        await sleep(RETRY_MS * (0.5 + Math.random()));
        break;
      case 'not_a_leaf':
        return; // this device was removed; the entry follows
      default:
        await this.#onRejected(id, code, error);
        return this.release(id);
    }
    await this.flush();
  }

  /**
   * It cannot be sent as it is. A message then waits for its author; anything else is dropped.
   * @param {string} id @param {string} code @param {string} error
   */
  async #onRejected(id, code, error) {
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return;
    if (isMessage(waiting.content)) await this.#keep({ ...waiting, failure: { code, message: error } });
    else await this.drop(id);
    this.client.emit('failed', { ...waiting, code, error });
  }
}
