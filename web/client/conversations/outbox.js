// @ts-check
/** What we say: kept until the server has taken it, sent as soon as that is possible, in the order in which it was said. */
import { Refused, sleep } from '../transport/api.js';
import { toBase64 } from '../util/bytes.js';
import { decodeContent, encodeContent, isMessage, kindOf, newId } from '../content/index.js';

const MAX_CONTENT_BYTES = 180_000; // padded, encrypted and in base64 it fits the server's frame
const IN_FLIGHT_MAX = 32; // messages that the server has not answered yet
const RETRY_MS = 200;
const LATER_MS = 5000;

/**
 * @typedef {import('../content/index.js').Content} Content
 * @typedef {{ id: string, order: number, at: string, conversation: string, isDirect: boolean, content: Content, failure?: { code: string, message: string } }} Waiting
 *   what was written for a group goes to nothing else; a text that was refused for good waits for its author's word
 */

export class Outbox {
  /** Of the newest message; null until it was read from storage. @type {Promise<number> | null} */
  #order = null;
  /** @type {Map<string, { conversation: string, epoch: number }>} messages on their way, by id */
  #inFlight = new Map();
  /** @type {Set<string>} conversations in which a commit came after some of those: nothing must overtake them */
  #held = new Set();
  #delivering = Promise.resolve();
  /** Sends a message of a direct conversation; returns when the server has stored it. @type {(waiting: Waiting) => Promise<void>} */
  deliverDirect = async () => {
    throw new Error('direct conversations are not set up');
  };

  /**
   * @param {import('../context.js').Context} client
   * @param {{ store: import('./store.js').ConversationStore, sync: import('./sync.js').Sync, membership: import('../mls/membership.js').Membership }} parts
   */
  constructor(client, { store, sync, membership }) {
    this.client = client;
    this.store = store;
    this.sync = sync;
    this.membership = membership;
    client.on('own message', (frame) => this.onSent(frame));
    client.on('keys changed', ({ conversation }) => this.hold(conversation));
    client.on('epoch', () => this.flush());
    client.on('joined', () => this.flush());
  }

  /** @returns {Promise<number>} */
  #nextOrder() {
    const last = this.#order ?? this.waiting().then((all) => Math.max(0, ...all.map(({ order }) => order)));
    this.#order = last.then((order) => order + 1);
    return this.#order;
  }

  /** @returns {Promise<Waiting[]>} the oldest first */
  async waiting() {
    const found = (await this.client.storage.all('outbox')).map(([, one]) => one);
    return found.sort((one, other) => one.order - other.order);
  }

  /**
   * Returns its id when it is stored here. Who gives it an id may say it again, and it is said once.
   * @param {string} conversation
   * @param {import('../content/index.js').Draft} content
   */
  async send(conversation, content) {
    const { id = newId() } = content;
    if (content.id && (await this.#isKnown(conversation, id))) return id;
    const whole = /** @type {Content} */ ({ ...content, id });
    const encoded = encodeContent(whole);
    if (encoded.length > MAX_CONTENT_BYTES) throw new Error('This message is too long.');
    if (decodeContent(encoded).kind === 'unknown')
      throw new Error('Nobody could read this: there are characters in it that cannot be shown.');
    const isDirect = (await this.store.get(conversation))?.kind === 'direct';
    const waiting = {
      id,
      order: await this.#nextOrder(),
      at: new Date().toISOString(),
      conversation,
      isDirect,
      content: whole,
    };
    await this.#keep(waiting);
    this.client.later(() => this.flush());
    return id;
  }

  /** @param {string} conversation @param {string} id */
  async #isKnown(conversation, id) {
    const { storage } = this.client;
    return (
      (await storage.get('outbox', id)) !== undefined ||
      (await storage.get('ids', `${conversation}/${id}`)) !== undefined
    );
  }

  /** Not any more. @param {string} id */
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

  /** Keys that were compared are not there any more: what was written for them waits for its author's word. @param {string} conversation */
  async hold(conversation) {
    for (const { id, conversation: where, content, failure } of await this.waiting()) {
      const isSecret = kindOf(content.kind)?.isSecret;
      if (where === conversation && isSecret && !failure)
        await this.onRefused({ id, code: 'keys_changed', error: 'the keys have changed' });
    }
  }

  /** What was refused for good is tried once more. @param {string} id */
  retry(id) {
    return this.client.inTurn(async () => {
      const waiting = await this.client.storage.get('outbox', id);
      if (waiting?.failure) await this.#keep({ ...waiting, failure: undefined });
      await this.flush();
    });
  }

  /** What was refused for good is not said. @param {string} id */
  discard(id) {
    return this.client.inTurn(async () => {
      if ((await this.client.storage.get('outbox', id))?.failure) await this.drop(id);
    });
  }

  /** @param {Waiting} waiting */
  async #keep(waiting) {
    await this.client.storage.write([['outbox', waiting.id, waiting]]);
    this.client.emit('waiting', waiting);
  }

  /** @param {string} conversation @param {string} text */
  say(conversation, text) {
    return this.send(conversation, { kind: 'text', text });
  }

  /** Return when the server has taken everything that can be sent. */
  async allSent() {
    for (;;) {
      const waiting = (await this.waiting()).filter(({ failure }) => !failure);
      const known = await Promise.all(waiting.map((one) => this.client.storage.get('conversations', one.conversation)));
      if (!known.some((conversation) => conversation?.isActive)) return;
      await sleep(20);
    }
  }

  /** What was on its way is sent again: a message that had arrived is known by its id. */
  restart() {
    this.#inFlight.clear();
    return this.flush();
  }

  /** @param {string} conversation @param {number} [epoch] */
  #hasOnTheirWay(conversation, epoch = Infinity) {
    return [...this.#inFlight.values()].some((one) => one.conversation === conversation && one.epoch < epoch);
  }

  async flush() {
    if (!this.client.connection.isReady) return;
    for (const one of await this.waiting()) {
      if (this.#inFlight.size >= IN_FLIGHT_MAX) return;
      const known = await this.store.get(one.conversation);
      if (this.#inFlight.has(one.id) || one.failure || !known?.isActive) continue;
      if (one.isDirect !== (known.kind === 'direct')) continue;
      if (this.#held.has(one.conversation) && this.#hasOnTheirWay(one.conversation)) continue;
      this.#held.delete(one.conversation);
      if (one.isDirect) this.#deliver(one);
      else await this.client.attempt(() => this.#encrypt(one)); // what cannot be encrypted keeps nothing else back
    }
  }

  /** @param {Waiting} waiting */
  async #encrypt({ id, conversation, content }) {
    const { epoch, data } = await this.client.mls.encrypt(conversation, encodeContent(content));
    if (this.#hasOnTheirWay(conversation, epoch)) {
      this.#held.add(conversation); // the server may refuse those, which then are sent again first
      return;
    }
    this.#inFlight.set(id, { conversation, epoch });
    this.client.connection.send({ type: 'send', id, conversation, epoch, data: toBase64(data) });
  }

  /** It is not on its way any more, which makes room for others. @param {string} id */
  landed(id) {
    this.#inFlight.delete(id);
    if (this.#inFlight.size <= IN_FLIGHT_MAX / 2) this.client.later(() => this.flush()); // which reads all that waits
  }

  /** Of a direct conversation: one after the other, and without holding up the rest. @param {Waiting} waiting */
  #deliver(waiting) {
    const { id, conversation } = waiting;
    this.#inFlight.set(id, { conversation, epoch: 0 });
    this.#delivering = this.#delivering.then(async () => {
      try {
        await this.deliverDirect(waiting); // a text is taken when it is read, as everybody reads it
        if (waiting.content.kind !== 'text') await this.drop(id);
      } catch (error) {
        const isAnswer = error instanceof Refused && [400, 403, 404, 409].includes(error.status);
        if (isAnswer) this.client.later(() => this.onRefused({ id, code: error.code, error: error.message }));
        else setTimeout(() => this.#tryAgain(id), LATER_MS); // nobody answered, or not now
      }
    });
  }

  /** @param {string} id */
  #tryAgain(id) {
    this.#inFlight.delete(id);
    this.client.later(() => this.flush());
  }

  /** @param {{ id: string, seq: number, at: string }} frame */
  async onSent({ id, seq, at }) {
    this.landed(id);
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return;
    const sender = { user: this.client.me.user.id, device: this.client.me.device };
    await this.store.apply(waiting.conversation, { seq, at, sender, content: waiting.content }, [['outbox', id]]);
    this.client.emit('sent', { id, conversation: waiting.conversation, seq });
  }

  /** @param {{ id: string, code: string, error: string }} frame */
  async onRefused({ id, code, error }) {
    this.#inFlight.delete(id);
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return;
    switch (code) {
      case 'stale_epoch':
        await this.sync.catchUp(waiting.conversation);
        break;
      case 'commit_needed':
        if (!(await this.membership.removeDue(waiting.conversation))) await sleep(RETRY_MS * (1 + Math.random()));
        break;
      case 'busy':
      case 'unavailable':
        await sleep(RETRY_MS * (0.5 + Math.random()));
        break;
      case 'not_a_leaf':
        return; // removed; the entry that says so is on its way
      default:
        if (isMessage(waiting.content)) await this.#keep({ ...waiting, failure: { code, message: error } });
        else await this.drop(id);
        this.client.emit('failed', { ...waiting, code, error });
        return this.landed(id);
    }
    await this.flush();
  }
}
