// @ts-check
/**
 * Sends the waiting messages of groups, encrypted with MLS.
 *
 * Messages of one group are sent in the order in which they were written. A message that would reach a device that was
 * not in the group when it was written is held back: whom the server or another member adds afterwards reads it only if
 * its author agrees, or if the account key of one who was there has listed the device. Nothing is sent to a device that
 * its account key has not listed.
 */
import { canSend } from '../conversations/changes.js';
import { readerCheck } from '../conversations/readers.js';
import { encodeContent } from '../content/index.js';
import { Refused, sleep } from '../transport/api.js';
import { toBase64 } from '../util/bytes.js';
import { ForgedGroup, HeldBack, PASSING } from './errors.js';

const IN_FLIGHT_MAX = 32; // messages that the server has not answered yet
const RETRY_MS = 200;
const PAUSE_MAX_MS = 60_000;

/**
 * @typedef {import('../content/index.js').Content} Content
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../conversations/outbox.js').Waiting} Waiting
 * @typedef {import('../conversations/readers.js').Reader} Reader
 */

export class GroupSender {
  /**
   * Messages that were sent and are not confirmed, by id.
   * @type {Map<string, { conversation: string, epoch: number }>}
   */
  #inFlight = new Map();
  /**
   * Groups with messages of an earlier epoch in flight, which no other message may overtake.
   * @type {Set<string>}
   */
  #behind = new Set();
  /**
   * Groups to which the server has refused messages, and how often; while it lasts, nothing is sent to them.
   * @type {Map<string, { count: number, lasts: boolean }>}
   */
  #pauses = new Map();
  /** The epoch in which this device tried to remove unlisted leaves, by group. @type {Map<string, number>} */
  #removalTriedIn = new Map();

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../conversations/outbox.js').Outbox} parts.outbox
   * @param {import('../conversations/sync.js').Sync} parts.sync
   * @param {import('../conversations/roster.js').Roster} parts.roster
   * @param {import('./joining.js').Joining} parts.joining
   * @param {import('./removals.js').Removals} parts.removals
   * @param {import('./healing.js').Healing} parts.healing
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('../trust/enrolment.js').Enrolment} parts.enrolment
   */
  constructor(client, { store, outbox, sync, roster, joining, removals, healing, identities, enrolment }) {
    this.client = client;
    this.store = store;
    this.outbox = outbox;
    this.sync = sync;
    this.roster = roster;
    this.joining = joining;
    this.removals = removals;
    this.healing = healing;
    this.identities = identities;
    this.enrolment = enrolment;
    client.on('due', () => this.flush());
    client.on('ready', () => this.#sendAgain());
    client.on('joined', ({ conversation }) => this.#onJoined(conversation));
    client.on('own message', (entry) => this.#onOwnEntry(entry));
    client.on('epoch', ({ conversation }) => this.#startOver(conversation));
    client.on('agreed', () => this.#retryPassing());
    client.listen('identity', () => client.later(() => this.#retryPassing()));
    client.listen('dropped', ({ id }) => this.#inFlight.delete(id));
  }

  /** Send what can be sent now. */
  async flush() {
    if (!this.client.connection.isReady) return;
    let waiting = await this.#waiting();
    const due = new Set(waiting.filter(({ readers, failure }) => readers && !failure).map((one) => one.conversation));
    for (const id of due) {
      const known = await this.store.get(id);
      if (!canSend(known)) continue;
      if (await this.beforeMessages(known)) waiting = await this.#waiting(); // the commit's entry has sent some
    }
    for (const one of waiting) {
      if (this.#inFlight.size >= IN_FLIGHT_MAX) return;
      const known = await this.store.get(one.conversation);
      if (this.#inFlight.has(one.id) || one.failure || this.#isPaused(one.conversation)) continue;
      if (!canSend(known)) continue;
      if (this.#behind.has(one.conversation) && this.#hasInFlight(one.conversation)) continue;
      this.#behind.delete(one.conversation);
      // One message that cannot be encrypted must not stop the others.
      await this.client.attempt(() => this.#send(one, known));
    }
  }

  /** Commit what is due. Returns whether there was something. @param {Conversation} conversation */
  async beforeMessages(conversation) {
    return (await this.#removeOmitted(conversation)) || this.healing.beforeMessages(conversation.id);
  }

  async #waiting() {
    return (await this.outbox.waiting()).filter(({ isDirect }) => !isDirect);
  }

  /** @param {Waiting} waiting @param {Conversation} known */
  async #send({ id, conversation, content, readers }, known) {
    const encrypted = await this.#encrypt(known, content, readers);
    if (encrypted instanceof HeldBack) return this.outbox.fail(id, encrypted.code, encrypted.message);
    const { epoch, data } = encrypted;
    if (this.#hasInFlight(conversation, epoch)) {
      this.#behind.add(conversation); // the server may reject those, and they must be sent again first
      return;
    }
    this.#inFlight.set(id, { conversation, epoch });
    this.client.connection.send({ type: 'send', id, conversation, epoch, data: toBase64(data) });
  }

  /**
   * Returns the error where the group has devices that must not read it.
   * @param {Conversation} conversation @param {Content} content @param {Reader[]} [readers]
   */
  async #encrypt(conversation, content, readers) {
    if (readers && !(await this.enrolment.knowsOwnList()))
      return new HeldBack('unlisted_device', 'this device does not know which devices its account has');
    const check = readers && (await readerCheck(this.identities, conversation, readers));
    try {
      return await this.client.mls.encrypt(conversation.id, encodeContent(content), check);
    } catch (error) {
      if (error instanceof HeldBack) return error;
      if (error instanceof ForgedGroup) await this.roster.read(conversation.id);
      throw error;
    }
  }

  /**
   * Remove leaves that a list of their account omits, or whose list has expired, at most once in each epoch: a server
   * that lies could refuse it.
   * Returns whether this device tried.
   * @param {Conversation} conversation
   */
  async #removeOmitted({ id, members, epoch = 0 }) {
    if (this.#removalTriedIn.get(id) === epoch) return false;
    const isDue = (await this.identities.omitted(members)).length > 0 || (await this.identities.hasExpired(members));
    if (!isDue) return false;
    await this.client.attempt(async () => {
      await this.removals.removeDue(id).catch((/** @type {unknown} */ error) => {
        if (error instanceof Refused && error.isFinal) this.#removalTriedIn.set(id, epoch);
        throw error;
      });
      this.#removalTriedIn.set(id, epoch);
    });
    return true;
  }

  /** @param {string} conversation @param {number} [epoch] */
  #hasInFlight(conversation, epoch = Infinity) {
    return [...this.#inFlight.values()].some((one) => one.conversation === conversation && one.epoch < epoch);
  }

  /** After a reconnection: the server recognises a message that it has by its id. */
  #sendAgain() {
    this.#inFlight.clear();
    this.#pauses.clear();
    return this.#retryPassing();
  }

  /**
   * This device has joined the group again: entries of before do not come any more, and might have confirmed messages.
   * @param {string} conversation
   */
  #onJoined(conversation) {
    for (const [id, one] of this.#inFlight) if (one.conversation === conversation) this.#inFlight.delete(id);
    return this.#startOver(conversation);
  }

  /** The group has changed, and what it was refused for may be gone. @param {string} conversation */
  #startOver(conversation) {
    this.#pauses.delete(conversation);
    return this.#retryPassing(conversation);
  }

  /** Devices were listed, or removed: what waits for that is sent. @param {string} [conversation] */
  async #retryPassing(conversation) {
    await this.outbox.clearPassing(conversation);
    await this.flush();
  }

  /** @param {string} conversation */
  #isPaused(conversation) {
    return this.#pauses.get(conversation)?.lasts === true;
  }

  /** Send nothing to the group for a while, which grows from time to time. @param {string} conversation */
  #pause(conversation) {
    if (this.#isPaused(conversation)) return; // the server refuses all that were in flight
    const count = (this.#pauses.get(conversation)?.count ?? 0) + 1;
    const ms = Math.min(RETRY_MS * 2 ** count, PAUSE_MAX_MS) * (0.5 + Math.random() / 2);
    const pause = { count, lasts: true };
    this.#pauses.set(conversation, pause);
    const timer = setTimeout(() => {
      pause.lasts = false;
      this.client.later(() => this.flush());
    }, ms);
    /** @type {{ unref?: () => void }} */ (timer).unref?.(); // in Node it does not keep the process
  }

  // What the server answers

  /**
   * The server has stored a message. Its entry gives it its place in the log. Where this device is further in the log
   * already, its entry does not come any more: the message then comes behind what it has read.
   * @param {{ id: string, seq: number, at: string }} frame
   */
  async onStored({ id, seq, at }) {
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return this.#release(id); // its entry came before, and it was sent twice
    if (waiting.isDirect) return;
    const { conversation } = waiting;
    const cursor = (await this.store.get(conversation))?.cursor ?? 0;
    if (seq <= cursor)
      await this.#onOwnEntry({ id, conversation, seq: await this.store.freePlace(conversation, cursor), at });
  }

  /**
   * The entry of a message of this device has come.
   * @param {import('../events.d.ts').WaitedEvents['own message']} entry
   */
  async #onOwnEntry({ id, conversation, seq, at, progress }) {
    const waiting = await this.client.storage.get('outbox', id);
    if (waiting?.conversation !== conversation) return;
    this.#pauses.delete(conversation);
    this.#release(id);
    const sender = { user: this.client.me.user.id, device: this.client.me.device };
    const count = await this.healing.counted(conversation);
    await this.store.apply(
      conversation,
      { seq, at, sender, content: waiting.content },
      [['outbox', id], count],
      progress,
    );
    this.client.emit('sent', { id, conversation, seq });
  }

  /** A message is not in flight any more, which makes room for others. @param {string} id */
  #release(id) {
    this.#inFlight.delete(id);
    // Reads the whole outbox, so not for each message.
    if (this.#inFlight.size <= IN_FLIGHT_MAX / 2) this.client.later(() => this.flush());
  }

  /** @param {{ id: string, code: string, error: string }} frame */
  async onRefused({ id, code, error }) {
    const sentIn = this.#inFlight.get(id)?.epoch;
    this.#inFlight.delete(id);
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return;
    const { conversation } = waiting;
    // What goes wrong in between is no reason to leave the message where it is.
    const next = (await this.client.attempt(() => this.#remedy(code, conversation, sentIn))) ?? 'later';
    if (next === 'later') return this.#pause(conversation);
    if (next === 'now') return this.flush();
    await this.outbox.fail(id, next.failure, error);
    this.#release(id);
  }

  /**
   * Do what a refusal asks for.
   * @param {string} code @param {string} conversation @param {number} [sentIn] epoch
   * @returns {Promise<'now' | 'later' | { failure: string }>} when to send it again
   */
  async #remedy(code, conversation, sentIn) {
    switch (code) {
      case 'stale_epoch':
        await this.sync.catchUp(conversation);
        // The server refuses the epoch that this device is in after it has read the whole log.
        if ((await this.client.mls.epoch(conversation)) === sentIn) {
          await sleep(RETRY_MS * Math.random());
          await this.joining.joinIfElsewhere(conversation);
        }
        return 'now';
      case 'commit_needed':
        switch (await this.removals.removeDue(conversation)) {
          case 'asked':
            return { failure: 'removal_asked' };
          case 'removed':
            return 'now';
          default:
            return 'later';
        }
      case 'busy':
      case 'unavailable':
      case 'not_a_leaf': // this device was removed; the entry follows
        return 'later';
      default:
        // What holds a message back without its author is known here, and not to the server.
        return PASSING.includes(code) ? 'later' : { failure: code };
    }
  }
}
