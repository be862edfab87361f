// @ts-check
/**
 * What was said: each conversation's entries, read one after the other and kept as what they come to.
 *
 * What was read is written together with the cursor that stands behind it, before it is acknowledged; so a crash at any
 * moment loses nothing, and nothing is read twice.
 */
import { fromBase64 } from '../util/bytes.js';
import { decodeContent, isMessage } from '../content/index.js';
import { Undecryptable } from '../mls/core-crypto.js';
import { hasLostTrust } from '../trust/verified.js';
import { emptyConversation, marked } from './changes.js';
import { deleted, fold, references, regrouped } from './reducer.js';

/**
 * @typedef {import('./reducer.js').Conversation} Conversation
 * @typedef {import('./reducer.js').Item} Item
 * @typedef {import('./reducer.js').Notice} Notice
 * @typedef {import('./reducer.js').Said} Said
 * @typedef {import('../storage/storage.js').Change} Change
 * @typedef {import('../transport/frames.d.ts').LogEntry} LogEntry
 */

export class Log {
  /** @param {import('../client.js').Client} client */
  constructor(client) {
    this.client = client;
  }

  // What is kept

  /** @param {string} id @returns {Promise<Conversation | undefined>} */
  conversation(id) {
    return this.client.storage.get('conversations', id);
  }

  /** The newest of those before `before`, the oldest first. @param {string} id @returns {Promise<Item[]>} */
  items(id, { before = Infinity, limit = 100 } = {}) {
    return this.client.storage.last('items', `${id}/`, itemKey(id, before), limit);
  }

  /** The next ones from `from` on. @param {string} id @param {{ from: number, limit?: number }} where @returns {Promise<Item[]>} */
  itemsFrom(id, { from, limit = 100 }) {
    return this.client.storage.first('items', itemKey(id, from), itemKey(id, Infinity), limit);
  }

  /** @param {string} id @param {string} message @returns {Promise<Item | undefined>} */
  async itemOf(id, message) {
    const seq = await this.client.storage.get('ids', `${id}/${message}`);
    return seq === undefined ? undefined : this.client.storage.get('items', itemKey(id, seq));
  }

  /** What somebody else has said last, after `after` and up to `upTo`. @param {string} id @param {number} after @param {number} upTo */
  async newestOfOthers(id, after, upTo) {
    const found = await this.client.storage.last('items', itemKey(id, after + 1), itemKey(id, upTo + 1), 50);
    return found.findLast((/** @type {Item} */ item) => item.id !== undefined && item.user !== this.client.me.user.id);
  }

  /** All of it, here: what we are not in any more. @param {string} id */
  async forget(id) {
    await this.client.inTurn(async () => {
      if ((await this.conversation(id))?.isActive !== false) throw new Error('leave this conversation first');
      const waiting = (await this.client.outbox.waiting()).filter(({ conversation }) => conversation === id);
      await this.client.storage.write([
        ['conversations', id],
        ['state', `draft/${id}`],
        ['state', `key/${id}`],
        ...waiting.flatMap(({ id: one }) => /** @type {Change[]} */ ([['outbox', one], ['state', `sealed/${one}`]])),
        ...(await this.#allOf(id)),
      ]);
    });
  }

  /** Nothing was said in it yet. @param {string} id */
  async empty(id) {
    const known = await this.conversation(id);
    if (!known) return;
    await this.client.storage.write(await this.#allOf(id));
    await this.write({ ...known, cursor: 0, last: null, unread: [], marks: {} });
    this.client.tell('emptied', { conversation: id });
  }

  /** @param {string} id @returns {Promise<Change[]>} that forget it */
  async #allOf(id) {
    const found = await Promise.all(/** @type {const} */ (['items', 'ids']).map(async (one) => [one, await this.client.storage.all(one, `${id}/`)]));
    return found.flatMap(([one, entries]) => /** @type {[string, any][]} */ (entries).map(([key]) => /** @type {Change} */ ([one, key])));
  }

  /** Not for the others. @param {string} id @param {number} seq */
  async hide(id, seq) {
    await this.client.inTurn(async () => {
      const item = await this.client.storage.get('items', itemKey(id, seq));
      const conversation = await this.conversation(id);
      if (!item || !conversation) return;
      const last = conversation.last?.seq === seq ? { ...conversation.last, text: '' } : conversation.last;
      await this.write({ ...conversation, last }, { seq, at: item.at, user: item.user, id: item.id, isHidden: true });
    });
  }

  /**
   * The conversation, and what has changed in it; together, and told.
   * @param {Conversation} conversation @param {Item} [item] @param {Change[]} [more]
   */
  async write(conversation, item, more = []) {
    const { id } = conversation;
    const named = Object.fromEntries(conversation.people.map((person) => [person.id, person.username]));
    const whole = { ...conversation, names: { ...conversation.names, ...named } };
    /** @type {Change[]} */
    const changes = [['conversations', id, whole], ...more];
    if (item) changes.push(['items', itemKey(id, item.seq), item]);
    if (item?.id) changes.push(['ids', `${id}/${item.id}`, item.seq]);
    await this.client.storage.write(changes);
    this.client.tell('conversation', whole);
    if (item) this.client.tell('item', { conversation: id, item });
  }

  /** Fold what was said into what is kept. @param {string} id @param {Said} said @param {Change[]} [more] @param {number} [cursor] */
  async keep(id, said, more, cursor) {
    const before = (await this.conversation(id)) ?? emptyConversation(id);
    const { conversation, item } = fold(before, said, await this.#target(id, said), this.client.me.user.id);
    await this.write(cursor === undefined ? conversation : { ...conversation, cursor }, item, more);
    this.client.tell('message', { conversation: id, message: said });
    if (isMessage(said.content) && said.sender.user !== this.client.me.user.id) this.client.receipts.onMessage(id);
  }

  /** @param {string} id @param {Said} said */
  async #target(id, { content }) {
    const found = await Promise.all(references(content).map((of) => this.itemOf(id, of)));
    return found.reduce((one, other) => ((other?.seq ?? 0) > (one?.seq ?? 0) ? other : one), undefined);
  }

  /** @param {Conversation} conversation @param {'delivered' | 'read'} state @param {number} seq */
  mark(conversation, state, seq) {
    const me = this.client.me.user.id;
    return this.write(marked(conversation, me, state, seq, me));
  }

  // What comes

  /** @param {LogEntry} entry */
  async onEntry(entry) {
    const conversation = await this.conversation(entry.conversation);
    if (conversation?.kind === 'direct') return;
    if (!conversation?.isActive || entry.seq <= conversation.cursor) return; // it came twice
    if (entry.seq > conversation.cursor + 1) await this.catchUp(entry.conversation);
    else await this.#onNext(entry);
  }

  /** @param {{ conversation: string, seq: number }} frame */
  async onDeleted({ conversation: id, seq }) {
    const item = await this.client.storage.get('items', itemKey(id, seq));
    const conversation = await this.conversation(id);
    if (!item?.id || item.isDeleted || !conversation) return;
    const after = deleted(conversation, item);
    await this.write(after.conversation, after.item);
  }

  /** Read what the server has and we have not. @param {string} id @returns {Promise<void>} */
  async catchUp(id) {
    for (;;) {
      const conversation = await this.conversation(id);
      if (!conversation?.isActive) return;
      const { cursor } = conversation;
      const entries = await this.client.api.callUntilAnswered('GET', `conversations/${id}/log?after=${cursor}`);
      // Where the log begins later we were removed and added again: the socket brings both, and what is between.
      if (!entries.length || entries[0].seq > cursor + 1) return;
      for (const entry of entries) await this.#onNext(entry);
    }
  }

  /** @param {LogEntry} entry the one after the last */
  async #onNext(entry) {
    const conversation = await this.conversation(entry.conversation);
    if (conversation?.kind === 'direct') return;
    if (!conversation?.isActive || entry.seq !== conversation.cursor + 1) return;
    const next = { ...conversation, cursor: entry.seq };
    switch (entry.kind) {
      case 'commit':
        if (await this.#onCommit(next, entry)) return; // begun anew, with a cursor of its own
        break;
      case 'application':
        await this.#onMessage(next, entry);
        break;
      case 'left':
        await this.#onLeft(next, entry);
        break;
      default:
        await this.write(next); // of a newer server
    }
    this.client.line.put({ type: 'ack', conversation: entry.conversation, seq: entry.seq });
    const isActive = (await this.conversation(entry.conversation))?.isActive;
    if (entry.kind === 'left' && isActive) await this.client.groups.removeDue(entry.conversation);
    if (entry.kind === 'commit' && isActive) await this.client.outbox.flush();
  }

  /** @param {Conversation} conversation @param {LogEntry} entry @returns {Promise<boolean>} whether we had to begin anew */
  async #onCommit(conversation, entry) {
    const { id } = conversation;
    const epoch = await this.client.mls.epoch(id);
    let isActive = true;
    if (epoch === null || epoch <= entry.epoch) {
      try {
        if (entry.data === undefined || epoch !== entry.epoch || entry.sender === this.client.me.device) throw new Undecryptable('our state is lost', null);
        ({ isActive } = await this.client.mls.decrypt(id, fromBase64(entry.data), async () => {}));
      } catch (error) {
        if (!(error instanceof Undecryptable)) throw error;
        this.client.tell('rejoined', { conversation: id, reason: error.reason });
        await this.client.groups.join(id, { what: 'rejoined' });
        return true;
      }
    }
    if (isActive) {
      const members = await this.client.mls.members(id);
      const by = this.userOf({ ...conversation, members: [...members, ...conversation.members] }, entry.sender);
      const after = regrouped(conversation, members, by);
      const { me } = this.client;
      // Who has come now is not waited for with what was said before.
      const since = (after.notice?.added ?? []).reduce((one, user) => marked(one, user, 'read', entry.seq, me.user.id), after.conversation);
      const pinned = await this.client.groups.pinned(since);
      if (hasLostTrust(conversation, pinned)) await this.client.outbox.hold(id);
      await this.write(pinned, after.notice ? { seq: entry.seq, at: entry.at, user: by, notice: after.notice } : undefined);
      if (after.notice) {
        this.client.tell('members', { conversation: id, notice: after.notice });
        if (after.notice.added.length || after.notice.removed.length) this.client.groups.refreshSoon(); // people have changed
        await this.#introduce(conversation, members, entry.sender);
      }
    } else {
      await this.#end(conversation, entry, { what: 'members', by: this.userOf(conversation, entry.sender), added: [], removed: [this.client.me.user.id], devices: [] });
    }
    return false;
  }

  /**
   * New devices know nothing of before, not even the name; whoever added them says it again, or else one of those who
   * were there. @param {Conversation} before @param {import('./reducer.js').Member[]} members @param {string} sender
   */
  async #introduce(before, members, sender) {
    const there = new Set(before.members.map(({ device }) => device));
    if (!before.name || members.every(({ device }) => there.has(device))) return;
    const [first] = members.map(({ device }) => device).filter((device) => there.has(device)).sort();
    if ((there.has(sender) ? sender : first) === this.client.me.device) await this.client.outbox.send(before.id, { kind: 'group', name: before.name });
  }

  /** We are not in it any more. @param {Conversation} conversation @param {LogEntry} entry @param {Notice} notice */
  async #end(conversation, entry, notice) {
    await this.client.mls.forget(conversation.id);
    await this.write({ ...conversation, isActive: false }, this.#noticeAt(entry, notice, conversation));
    this.client.tell('removed', { conversation: conversation.id });
  }

  /** @param {Conversation} conversation @param {LogEntry} entry */
  async #onLeft(conversation, entry) {
    const user = this.userOf(conversation, entry.sender);
    if (user === this.client.me.user.id) return this.#end(conversation, entry, { what: 'left', user });
    const leaving = [...new Set([...(conversation.leaving ?? []), user])];
    await this.write({ ...conversation, leaving }, this.#noticeAt(entry, { what: 'left', user }, conversation));
    this.client.tell('left', { conversation: conversation.id, device: entry.sender });
    this.client.groups.refreshSoon();
  }

  /** @param {Conversation} next @param {LogEntry} entry */
  async #onMessage(next, entry) {
    const { id, cursor } = next;
    if (entry.sender === this.client.me.device) {
      if (entry.id !== undefined) await this.client.outbox.onSent({ id: entry.id, seq: entry.seq, at: entry.at });
      const now = (await this.conversation(id)) ?? next;
      await this.write({ ...now, cursor });
    } else if (entry.data === undefined) {
      await this.write(next, { seq: entry.seq, at: entry.at, user: this.userOf(next, entry.sender), isDeleted: true });
    } else {
      try {
        await this.client.mls.decrypt(id, fromBase64(entry.data), async (plaintext, sender) => {
          if (plaintext === null || sender === null) throw new Error('this is no message');
          const said = { seq: entry.seq, at: entry.at, sender, content: decodeContent(plaintext) };
          await this.keep(id, said, [], cursor);
        });
      } catch (error) {
        if (!(error instanceof Undecryptable)) throw error;
        await this.write(next, this.#noticeAt(entry, { what: 'unreadable' }, next));
        this.client.tell('undecryptable', { conversation: id, seq: entry.seq, reason: error.reason });
      }
    }
  }

  /** @param {LogEntry} entry @param {Notice} notice @param {Conversation} conversation @returns {Item} */
  #noticeAt({ seq, at, sender }, notice, conversation) {
    return { seq, at, user: this.userOf(conversation, sender), notice };
  }

  /** @param {Conversation} conversation @param {string} device */
  userOf(conversation, device) {
    if (device === this.client.me.device) return this.client.me.user.id;
    return conversation.members.find((member) => member.device === device)?.user ?? '';
  }
}

/** @param {string} conversation @param {number} seq */
function itemKey(conversation, seq) {
  return `${conversation}/${seq === Infinity ? ':' : String(seq).padStart(12, '0')}`; // a colon follows the digits
}
