// @ts-check
/**
 * Messages that the server has not confirmed yet, as they are stored.
 *
 * A message is stored before it is sent, and stays until the server has confirmed it. `mls/sender.js` sends those of
 * groups, `direct/sender.js` those of direct conversations; both listen to 'due'. A message that was written for a group
 * is never sent to a direct conversation, nor the reverse. A text that was rejected for good stays with its `failure`
 * until the user retries or discards it.
 */
import { Refused, sleep } from '../transport/api.js';
import { decodeContent, encodeContent, isMessage, kindOf, newId } from '../content/index.js';
import { PASSING } from '../mls/errors.js';
import { readersOf } from './readers.js';

const MAX_CONTENT_BYTES = 180_000; // padded, encrypted and in base64 it fits the server's frame
const POLL_MS = 20;

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
 * @property {{ code: string, message: string }} [failure] why it is not sent
 */

export class Outbox {
  /** Of the newest message; null until it was read from storage. @type {Promise<number> | null} */
  #order = null;
  #lastOrder = 0;

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./store.js').ConversationStore} parts.store
   * @param {import('../trust/statements.js').Statements} parts.statements
   */
  constructor(client, { store, statements }) {
    this.client = client;
    this.store = store;
    this.statements = statements;
  }

  /** @returns {Promise<number>} */
  #nextOrder() {
    const last = this.#order ?? this.waiting().then((all) => Math.max(0, ...all.map(({ order }) => order)));
    const next = last.then((order) => order + 1);
    this.#order = next;
    next.catch(() => (this.#order = null)); // the next call reads the storage again
    return next;
  }

  /** Higher than those before, also after a restart where the clock was not set back. */
  #orderOfContent() {
    this.#lastOrder = Math.max(this.#lastOrder + 1, Date.now());
    return this.#lastOrder;
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
    const order = 'order' in (kindOf(content.kind)?.fields ?? {}) ? { order: this.#orderOfContent() } : {};
    const whole = /** @type {Content} */ ({ ...content, ...order, id });
    const encoded = encodeContent(whole);
    if (encoded.length > MAX_CONTENT_BYTES) throw new Refused(413, 'too_long', 'The message is too long', 0);
    if (decodeContent(encoded).kind === 'unknown')
      throw new Refused(400, 'unsendable', 'The message contains characters that cannot be sent', 0);
    const known = await this.store.get(conversation);
    const statement = known && known.kind !== 'direct' && isMessage(whole) ? await this.statements.due(known) : null;
    if (statement)
      await this.#store(await this.#toWaiting(conversation, { ...statement.content, id: newId() }, known), [
        statement.change,
      ]);
    await this.#store(await this.#toWaiting(conversation, whole, known));
    this.client.later(() => this.#sendDue());
    return id;
  }

  /**
   * @param {string} conversation @param {Content} content
   * @param {import('./reducer.js').Conversation | undefined} known @returns {Promise<Waiting>}
   */
  async #toWaiting(conversation, content, known) {
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
    const waiting = await this.client.storage.get('outbox', id);
    await this.client.storage.write([
      ['outbox', id],
      ['state', `sealed/${id}`],
      ...((waiting && kindOf(waiting.content.kind)?.ifDropped?.(waiting.conversation)) ?? []),
    ]);
    this.client.emit('dropped', { id });
  }

  /**
   * Give a waiting message a new id, because the server has stored the old one in a form that nobody can read.
   * @param {string} id @param {import('./reducer.js').Conversation} conversation must be written with it
   */
  async renew(id, conversation) {
    const before = await this.client.storage.get('outbox', id);
    if (!before) return;
    const fresh = newId();
    const waiting = { ...before, id: fresh, content: { ...before.content, id: fresh }, failure: undefined };
    await this.store.write(conversation, undefined, [
      ['outbox', id],
      ['state', `sealed/${id}`],
      ['outbox', fresh, waiting],
    ]);
    this.client.emit('dropped', { id });
    this.client.emit('waiting', waiting);
    this.client.later(() => this.#sendDue());
  }

  /**
   * Send a message that has failed once more.
   * @param {string} id @param {Reader[]} readers the devices of the group that its author was shown
   */
  retry(id, readers) {
    return this.client.inTurn(async () => {
      const waiting = await this.client.storage.get('outbox', id);
      if (waiting?.failure) {
        await this.#store({ ...waiting, readers: waiting.readers && readers, failure: undefined });
      }
      await this.#sendDue();
    });
  }

  /** What messages waited for without their author may have happened. @param {string} [id] in this conversation */
  async clearPassing(id) {
    const held = (await this.waiting()).filter(
      ({ conversation, failure }) => failure && PASSING.includes(failure.code) && (id ?? conversation) === conversation,
    );
    for (const waiting of held) await this.#store({ ...waiting, failure: undefined });
  }

  /**
   * A message cannot be sent as it is. It then waits for its author; other content waits only for what passes.
   * @param {string} id @param {string} code @param {string} error
   */
  async fail(id, code, error) {
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting) return;
    const { content } = waiting;
    const isPassing = PASSING.includes(code) && !kindOf(content.kind)?.isReplaced;
    if (isMessage(content) || isPassing) await this.#store({ ...waiting, failure: { code, message: error } });
    else await this.drop(id);
    this.client.emit('failed', { ...waiting, code, error });
  }

  /** Remove a message that has failed. @param {string} id */
  discard(id) {
    return this.client.inTurn(async () => {
      if ((await this.client.storage.get('outbox', id))?.failure) await this.drop(id);
    });
  }

  /** @param {Waiting} waiting @param {import('../storage/storage.js').Change[]} [more] written with it */
  async #store(waiting, more = []) {
    await this.client.storage.write([['outbox', waiting.id, waiting], ...more]);
    this.client.emit('waiting', waiting);
  }

  /**
   * Send these, and return when the server has them, or has refused them; at the latest after `ms`.
   * @param {{ conversation: string, content: import('../content/index.js').Draft }[]} contents @param {number} ms
   */
  async sendNow(contents, ms) {
    const ids = await Promise.all(contents.map(({ conversation, content }) => this.send(conversation, content)));
    const open = new Set(ids);
    const late = sleep(ms).then(() => open.clear());
    while (open.size) {
      const waiting = new Set((await this.waiting()).filter(({ failure }) => !failure).map(({ id }) => id));
      for (const id of open) if (!waiting.has(id)) open.delete(id);
      if (open.size) await Promise.race([sleep(POLL_MS), late]);
    }
    for (const id of ids) await this.drop(id);
  }

  /** @param {string} conversation @param {string} text */
  sendText(conversation, text) {
    return this.send(conversation, { kind: 'text', text });
  }

  /** Returns when the server has confirmed everything that can be sent. */
  async allSent() {
    for (;;) {
      const waiting = (await this.waiting()).filter(({ failure }) => !failure);
      const known = await Promise.all(waiting.map((one) => this.store.get(one.conversation)));
      if (!known.some((conversation) => conversation?.isActive && !conversation.isForged)) return;
      await sleep(POLL_MS);
    }
  }

  #sendDue() {
    return this.client.emitAndWait('due', {});
  }
}
