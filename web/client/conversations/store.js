// @ts-check
/**
 * The stored conversations: each with its items, and the sequence number of each message's id.
 *
 * Every change of a conversation and its item is one write, so that a crash leaves both or neither, and is then emitted
 * ('conversation', 'item', 'message', 'emptied', 'gone', 'rewound').
 */
import { deletedItem, emptyConversation, marked } from './changes.js';
import { isEqual } from '../util/equal.js';
import { deleted, fold, references } from './reducer.js';

/**
 * @typedef {import('../context.js').Context} Context
 * @typedef {import('./reducer.js').Conversation} Conversation
 * @typedef {import('./reducer.js').Item} Item
 * @typedef {import('./reducer.js').Said} Said
 * @typedef {import('../storage/storage.js').Change} Change
 */

const STEP = 0.000001; // between items that have no place of their own in the log
const NEWEST_SEARCHED = 50; // items before the last in which a message of another user is looked for

export class ConversationStore {
  /** @param {Context} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {string} id @returns {Promise<Conversation | undefined>} */
  get(id) {
    return this.client.storage.get('conversations', id);
  }

  /** @returns {Promise<Conversation[]>} */
  async list() {
    return (await this.client.storage.all('conversations')).map(([, conversation]) => conversation);
  }

  /** The newest items before `before`, the oldest first. @param {string} id @returns {Promise<Item[]>} */
  async items(id, { before = Infinity, limit = 100 } = {}) {
    return values(await this.client.storage.last('items', `${id}/`, itemKey(id, before), limit));
  }

  /**
   * The next items from `from` on.
   * @param {string} id @param {{ from: number, limit?: number }} range @returns {Promise<Item[]>}
   */
  async itemsFrom(id, { from, limit = 100 }) {
    return values(await this.client.storage.first('items', itemKey(id, from), itemKey(id, Infinity), limit));
  }

  /** @param {string} id @param {number} seq @returns {Promise<Item | undefined>} */
  itemAt(id, seq) {
    return this.client.storage.get('items', itemKey(id, seq));
  }

  /** @param {string} id @param {string} message @returns {Promise<Item | undefined>} */
  async itemOf(id, message) {
    const seq = await this.client.storage.get('ids', `${id}/${message}`);
    return seq === undefined ? undefined : this.itemAt(id, seq);
  }

  /**
   * The newest message of another user, after `after` and up to `upTo`.
   * @param {string} id @param {number} after @param {number} upTo
   */
  async newestOfOthers(id, after, upTo) {
    const found = await this.client.storage.last(
      'items',
      itemKey(id, after + 1),
      itemKey(id, upTo + 1),
      NEWEST_SEARCHED,
    );
    return values(found).findLast(
      (/** @type {Item} */ item) => item.id !== undefined && item.user !== this.client.me.user.id,
    );
  }

  /**
   * Write the conversation and a changed item together, and emit both.
   * @param {Conversation} conversation @param {Item} [item] @param {Change[]} [more] written with them
   */
  async write(conversation, item, more = []) {
    const { id } = conversation;
    const whole = { ...conversation, names: namesOf(conversation) };
    /** @type {Change[]} */
    const changes = [['conversations', id, whole], ...more];
    if (item) changes.push(['items', itemKey(id, item.seq), item]);
    if (item?.id) changes.push(['ids', `${id}/${item.id}`, item.seq]);
    await this.client.storage.write(changes);
    this.client.emit('conversation', whole);
    if (item) this.client.emit('item', { conversation: id, item });
  }

  /**
   * Fold a decrypted entry into what is stored. @param {string} id @param {Said} entry
   * @param {Change[]} [more] written with it @param {Partial<Conversation>} [progress] the new cursor, and what it brings
   */
  async apply(id, entry, more, progress) {
    const before = (await this.get(id)) ?? emptyConversation(id);
    const target = await this.#target(id, entry);
    const { conversation, item } = this.#fold(before, entry, target);
    await this.write({ ...conversation, ...progress }, item, more);
    this.client.emit('message', { conversation: id, message: entry });
  }

  /**
   * What a member sends must not stop the log: an entry that cannot be folded becomes an unreadable item.
   * @param {Conversation} conversation @param {Said} entry @param {Item | undefined} target
   * @returns {{ conversation: Conversation, item?: Item }}
   */
  #fold(conversation, entry, target) {
    try {
      return fold(conversation, entry, target, this.client.me.user.id);
    } catch (error) {
      this.client.emit('problem', { error });
      const { seq, at, sender } = entry;
      return { conversation, item: { seq, at, user: sender.user, notice: { what: 'unreadable' } } };
    }
  }

  /** The newest known message that the entry refers to. @param {string} id @param {Said} entry */
  async #target(id, { content }) {
    const found = await Promise.all(references(content).map((of) => this.itemOf(id, of)));
    return found.reduce((one, other) => ((other?.seq ?? 0) > (one?.seq ?? 0) ? other : one), undefined);
  }

  /** @param {Conversation} conversation @param {'delivered' | 'read'} state @param {number} seq */
  mark(conversation, state, seq) {
    const me = this.client.me.user.id;
    return this.write(marked(conversation, me, state, seq, me));
  }

  /** A message was deleted for everyone. @param {string} id @param {number} seq */
  async markDeleted(id, seq) {
    const [item, conversation] = [await this.itemAt(id, seq), await this.get(id)];
    if (!item?.id || item.isDeleted || !conversation) return;
    const after = deleted(conversation, item);
    await this.write(after.conversation, after.item);
  }

  /** Delete a message on this device only. @param {string} id @param {number} seq */
  async hide(id, seq) {
    await this.client.inTurn(async () => {
      const [item, conversation] = [await this.itemAt(id, seq), await this.get(id)];
      if (!item || !conversation) return;
      const last = conversation.last?.seq === seq ? { ...conversation.last, text: '' } : conversation.last;
      const { isDeleted: _, ...rest } = deletedItem(item);
      await this.write({ ...conversation, last }, { ...rest, isHidden: true });
    });
  }

  /** Delete a conversation that this device has left, with what waits for it. @param {string} id */
  async forget(id) {
    await this.client.inTurn(() => this.remove(id));
  }

  /** The same within other work. @param {string} id */
  async remove(id) {
    const { storage } = this.client;
    if ((await this.get(id))?.isActive !== false) throw new Error('leave this conversation first');
    const waiting = (await storage.all('outbox')).filter(([, { conversation }]) => conversation === id);
    await storage.write([
      ['conversations', id],
      ['state', `draft/${id}`],
      ['state', `key/${id}`],
      ['state', `leaf/${id}`],
      ['state', `commit/${id}`],
      ['state', `stated/${id}`],
      ...waiting.flatMap(
        ([key]) =>
          /** @type {Change[]} */ ([
            ['outbox', key],
            ['state', `sealed/${key}`],
          ]),
      ),
      ...(await this.#deleteItems(id)),
    ]);
    this.client.emit('gone', { conversation: id });
  }

  /** This place, or if an item has it, one before the next. @param {string} id @param {number} seq */
  async freePlace(id, seq) {
    const there = await this.client.storage.last('items', itemKey(id, seq), itemKey(id, seq + 1), 1);
    const [item] = values(there);
    return item ? item.seq + STEP : seq;
  }

  /**
   * The log goes on after `seq`, before what this device has read: the server has made entries up, or was set back to a
   * backup. Later items get places between `seq` and the next one, so that no entry takes the place of another.
   * @param {string} id @param {number} seq
   */
  async rewind(id, seq) {
    const known = await this.get(id);
    if (!known || known.cursor <= seq) return;
    const items = await this.itemsFrom(id, { from: 0, limit: Infinity });
    const later = items.filter((item) => item.seq > seq);
    /** @type {Change[]} */
    const changes = [];
    for (const item of items) {
      const changed = changedUpTo(item, seq);
      if (item.seq <= seq && !isEqual(changed, item)) changes.push(['items', itemKey(id, item.seq), changed]);
    }
    for (const [nth, item] of later.entries()) {
      const moved = { ...changedUpTo(item, seq), seq: seq + (nth + 1) / (later.length + 1) / 2 }; // the other half is for `freePlace`
      changes.push(['items', itemKey(id, item.seq)], ['items', itemKey(id, moved.seq), moved]);
      if (item.id) changes.push(['ids', `${id}/${item.id}`, moved.seq]);
    }
    const unread = known.unread.filter((one) => one <= seq);
    const last = known.last && { ...known.last, seq: Math.min(known.last.seq, seq) };
    const { since, joined, told, namedAt } = known;
    const marks = mapValues(known.marks, (mark) => upTo(mark, seq));
    const places = {
      since: Math.min(since, seq),
      cursor: seq,
      joined: joined && Math.min(joined, seq),
      unread,
      last,
      marks,
      told: upTo(told, seq),
      namedAt: namedAt && Math.min(namedAt, seq),
    };
    await this.write({ ...known, ...places }, undefined, changes);
    this.client.emit('rewound', { conversation: id });
  }

  /** Delete every message, and begin again with the first. @param {string} id */
  async empty(id) {
    const known = await this.get(id);
    if (!known) return;
    await this.client.storage.write(await this.#deleteItems(id));
    await this.write({ ...known, cursor: 0, last: null, unread: [], marks: {} });
    this.client.emit('emptied', { conversation: id });
  }

  /** @param {string} id @returns {Promise<Change[]>} */
  async #deleteItems(id) {
    /** @type {Change[]} */
    const changes = [];
    for (const collection of /** @type {const} */ (['items', 'ids'])) {
      for (const [key] of await this.client.storage.all(collection, `${id}/`)) changes.push([collection, key]);
    }
    return changes;
  }
}

/**
 * Of those who are in the group or have been, as the server gave them last. @param {Conversation} conversation
 * @returns {Record<string, string>}
 */
function namesOf({ names, people, members, seen = [] }) {
  const named = Object.fromEntries(people.map((person) => [person.id, person.username]));
  const users = new Set([...seen, ...Object.keys(named), ...members.map(({ user }) => user)]);
  return Object.fromEntries(Object.entries({ ...names, ...named }).filter(([user]) => users.has(user)));
}

/**
 * With places for edits and reactions that hold no later one back.
 * @param {Item} item @param {number} seq @returns {Item}
 */
function changedUpTo(item, seq) {
  const { edits, reactions } = item;
  const place = (/** @type {number} */ one) => (one > seq ? seq + STEP : one);
  return {
    ...item,
    ...(edits && { edits: edits.map((one) => ({ ...one, seq: place(one.seq) })) }),
    ...(reactions && { reactions: mapValues(reactions, (one) => ({ ...one, seq: place(one.seq) })) }),
  };
}

/** @template T @param {Record<string, T>} values @param {(value: T) => T} change */
function mapValues(values, change) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

/** @param {{ delivered: number, read: number }} mark @param {number} seq */
function upTo({ delivered, read }, seq) {
  return { delivered: Math.min(delivered, seq), read: Math.min(read, seq) };
}

/** @template T @param {[string, T][]} entries */
function values(entries) {
  return entries.map(([, value]) => value);
}

/**
 * In the order of the sequence numbers, also of places between two of them; a colon sorts after the digits.
 * @param {string} conversation @param {number} seq
 */
function itemKey(conversation, seq) {
  if (seq === Infinity) return `${conversation}/:`;
  const [whole, fraction] = String(seq).split('.');
  return `${conversation}/${whole.padStart(12, '0')}${fraction ? `.${fraction}` : ''}`;
}
