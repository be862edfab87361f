// @ts-check
/** What we tell the others of what we have got and seen. */
import { isMessage } from '../content/index.js';

const PEOPLE_MAX = 16; // of a conversation; where there are more, receipts would be most of what is said
const TOGETHER_MS = 300; // what comes within this is confirmed by one receipt

export class Receipts {
  /** Whether the others are told. */
  areOn = false;
  /** @type {Set<string>} conversations in which something has come */
  #due = new Set();

  /**
   * @param {import('../context.js').Context} client
   * @param {{ store: import('./store.js').ConversationStore, outbox: import('./outbox.js').Outbox }} parts
   */
  constructor(client, { store, outbox }) {
    this.client = client;
    this.store = store;
    this.outbox = outbox;
    client.addEventListener('message', (event) => {
      const { conversation, message } =
        /** @type {CustomEvent<{ conversation: string, message: import('./reducer.js').Said }>} */ (event).detail;
      if (isMessage(message.content) && message.sender.user !== client.me.user.id) this.onMessage(conversation);
    });
  }

  /** Everything that has been heard up to here has been seen. @param {string} id @param {number} upTo a seq */
  async read(id, upTo) {
    await this.client.inTurn(async () => {
      const conversation = await this.store.get(id);
      const seen = conversation?.unread.findLast((seq) => seq <= upTo);
      if (conversation && seen !== undefined) await this.store.mark(conversation, 'read', seen);
    });
    await this.#tell(id, 'read');
  }

  /** Something of another's has come. @param {string} id */
  onMessage(id) {
    if (!this.areOn) return;
    if (this.#due.size === 0) setTimeout(() => this.#tellDue(), TOGETHER_MS);
    this.#due.add(id);
  }

  async #tellDue() {
    const due = [...this.#due];
    this.#due.clear();
    for (const id of due) await this.client.attempt(() => this.#tell(id, 'delivered'));
  }

  /** @param {string} id @param {'delivered' | 'read'} state */
  async #tell(id, state) {
    const conversation = await this.client.storage.get('conversations', id);
    if (!this.areOn || !conversation?.isActive || conversation.kind === 'direct' || conversation.state !== 'joined')
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
