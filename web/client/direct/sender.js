// @ts-check
/**
 * Sends the waiting messages of direct conversations over HTTP, one after the other, each encrypted with the key of its
 * conversation, if it has one.
 */
import { Refused } from '../transport/api.js';
import { pathOf } from './path.js';

const LATER_MS = 5000; // where the server cannot be reached, or is busy
const FINAL = [400, 403, 404, 409]; // statuses after which the same request would fail again

/**
 * @typedef {import('../conversations/outbox.js').Waiting} Waiting
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 */

export class DirectSender {
  /** Ids of messages that are queued or sent. @type {Set<string>} */
  #inFlight = new Set();
  #queue = Promise.resolve();

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../conversations/outbox.js').Outbox} parts.outbox
   * @param {import('./keys.js').DirectKeys} parts.directKeys
   */
  constructor(client, { store, outbox, directKeys }) {
    this.client = client;
    this.store = store;
    this.outbox = outbox;
    this.keys = directKeys;
    client.on('due', () => this.flush());
    client.on('ready', () => this.#sendAgain());
    client.listen('dropped', ({ id }) => this.#inFlight.delete(id));
  }

  /** Queue what can be sent now. */
  async flush() {
    if (!this.client.connection.isReady) return;
    for (const one of await this.outbox.waiting()) {
      if (!one.isDirect || one.failure || this.#inFlight.has(one.id)) continue;
      const known = await this.store.get(one.conversation);
      if (known?.kind === 'direct' && known.isActive) this.#enqueue(one);
    }
  }

  /** Queue everything once more; the server recognises a text that it has by its id. */
  #sendAgain() {
    this.#inFlight.clear();
    return this.flush();
  }

  /** @param {Waiting} waiting */
  #enqueue(waiting) {
    const { id } = waiting;
    this.#inFlight.add(id);
    this.#queue = this.#queue.then(async () => {
      try {
        await this.deliver(waiting); // a text leaves the outbox when it comes back from the server
        if (waiting.content.kind !== 'text') await this.outbox.drop(id);
      } catch (error) {
        if (error instanceof Refused && FINAL.includes(error.status))
          this.client.later(() => this.#onRefused(id, error));
        else setTimeout(() => this.client.later(() => this.#tryAgain(id)), LATER_MS);
      }
    });
  }

  /** The text was confirmed, or has to be encrypted again. @param {string} id */
  release(id) {
    this.#inFlight.delete(id);
  }

  /** @param {string} id @param {Refused} error */
  #onRefused(id, error) {
    this.#inFlight.delete(id);
    return this.outbox.fail(id, error.code, error.message);
  }

  /** @param {string} id */
  #tryAgain(id) {
    this.#inFlight.delete(id);
    return this.flush();
  }

  /** Returns when the server has stored it. @param {Waiting} waiting */
  async deliver({ id, conversation, content }) {
    const known = /** @type {Conversation} */ (await this.store.get(conversation));
    const path = `${pathOf(known, this.client.me.user.id)}/messages`;
    switch (content.kind) {
      case 'text': {
        const text = await this.client.inTurn(() => this.#ciphertextOf(id, conversation, content.text));
        if (text !== null) await this.client.api.callUntilAnswered('POST', path, { id, text });
        return;
      }
      case 'edit': {
        const item = await this.store.itemOf(conversation, content.of);
        if (!item) throw new Refused(404, 'no_such_message', 'This message does not exist any more', 0);
        const text = await this.client.inTurn(async () =>
          this.keys.encrypt(await this.store.get(conversation), content.text),
        );
        await this.client.api.callUntilAnswered('PATCH', `${path}/${item.seq}`, { text });
        return;
      }
      default:
        throw new Refused(400, 'not_here', 'Direct conversations do not support this', 0);
    }
  }

  /**
   * A repeated message has to be identical, so its ciphertext is stored. Null if the message was confirmed, discarded or
   * rejected since it was queued.
   * @param {string} id @param {string} conversation @param {string} text
   */
  async #ciphertextOf(id, conversation, text) {
    const waiting = await this.client.storage.get('outbox', id);
    if (!waiting || waiting.failure) return null;
    const kept =
      (await this.client.storage.get('state', `sealed/${id}`)) ??
      (await this.keys.encrypt(await this.store.get(conversation), text));
    await this.client.storage.write([['state', `sealed/${id}`, kept]]);
    return kept;
  }
}
