// @ts-check
/** Sends receipts: what this device has received, and what the user has read. */
import { isMessage } from '../content/index.js';

const PEOPLE_MAX = 16; // in a larger group receipts would outnumber the messages
const TOGETHER_MS = 300; // one receipt confirms everything that comes within this time

export class Receipts {
  /** The user's setting. */
  isEnabled = false;
  /** Conversations with messages that are not confirmed. @type {Set<string>} */
  #due = new Set();

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./store.js').ConversationStore} parts.store @param {import('./outbox.js').Outbox} parts.outbox
   */
  constructor(client, { store, outbox }) {
    this.client = client;
    this.store = store;
    this.outbox = outbox;
    client.listen('message', ({ conversation, message }) => {
      if (isMessage(message.content) && message.sender.user !== client.me.user.id) this.onMessage(conversation);
    });
  }

  /** The user has read everything up to `upTo`. @param {string} id @param {number} upTo a seq */
  async read(id, upTo) {
    await this.client.inTurn(async () => {
      const conversation = await this.store.get(id);
      const seen = conversation?.unread.findLast((seq) => seq <= upTo);
      if (conversation && seen !== undefined) await this.store.mark(conversation, 'read', seen);
    });
    await this.#send(id, 'read');
  }

  /** A message of another user has come. @param {string} id */
  onMessage(id) {
    if (!this.isEnabled) return;
    if (this.#due.size === 0) setTimeout(() => void this.#sendDue(), TOGETHER_MS);
    this.#due.add(id);
  }

  async #sendDue() {
    const due = [...this.#due];
    this.#due.clear();
    for (const id of due) await this.client.attempt(() => this.#send(id, 'delivered'));
  }

  /** @param {string} id @param {'delivered' | 'read'} state */
  async #send(id, state) {
    const conversation = await this.client.storage.get('conversations', id);
    if (!this.isEnabled || !conversation?.isActive || conversation.kind === 'direct' || conversation.state !== 'joined')
      return;
    if (conversation.people.length > PEOPLE_MAX) return;
    const me = this.client.me.user.id;
    const upTo = state === 'read' ? (conversation.marks[me]?.read ?? 0) : conversation.cursor;
    const newest = await this.store.newestOfOthers(id, conversation.told[state], upTo);
    if (newest?.id === undefined) return;
    await this.client.inTurn(async () => {
      const now = await this.store.get(id);
      if (!now) return;
      const told = {
        delivered: Math.max(now.told.delivered, newest.seq),
        read: state === 'read' ? newest.seq : now.told.read,
      };
      await this.store.write({ ...now, told });
    });
    await this.outbox.send(id, { kind: 'receipt', of: [newest.id], state });
  }
}
