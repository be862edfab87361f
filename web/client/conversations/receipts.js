// @ts-check
/** What we tell the others of what we have got and seen. */

const PEOPLE_MAX = 16; // of a conversation; where there are more, receipts would be most of what is said
const TOGETHER_MS = 300; // what comes within this is confirmed by one receipt

export class Receipts {
  /** Whether the others are told. */
  areOn = false;
  /** @type {Set<string>} conversations in which something has come */
  #due = new Set();

  /** @param {import('../client.js').Client} client */
  constructor(client) {
    this.client = client;
  }

  /** Everything that has been heard up to here has been seen. @param {string} id @param {number} upTo a seq */
  async read(id, upTo) {
    await this.client.inTurn(async () => {
      const conversation = await this.client.log.conversation(id);
      const seen = conversation?.unread.findLast((seq) => seq <= upTo);
      if (conversation && seen !== undefined) await this.client.log.mark(conversation, 'read', seen);
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
    if (!this.areOn || !conversation?.isActive || conversation.kind === 'direct' || conversation.state !== 'joined') return;
    if (conversation.people.length > PEOPLE_MAX) return;
    const me = this.client.me.user.id;
    const upTo = state === 'read' ? (conversation.marks[me]?.read ?? 0) : conversation.cursor;
    const newest = await this.client.log.newestOfOthers(id, conversation.told[state], upTo);
    if (newest === undefined) return;
    await this.client.inTurn(async () => {
      const now = await this.client.storage.get('conversations', id);
      const told = { delivered: Math.max(now.told.delivered, newest.seq), read: state === 'read' ? newest.seq : now.told.read };
      await this.client.log.write({ ...now, told });
    });
    await this.client.outbox.send(id, { kind: 'receipt', of: [newest.id], state });
  }
}
