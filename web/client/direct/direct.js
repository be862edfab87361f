// @ts-check
/**
 * Direct conversations of two users, whose key the server has made. They are stored and shown like groups, but never as
 * end-to-end encrypted.
 */
import { pathOf } from './path.js';
import { isEqual } from '../util/equal.js';
import { debounce } from '../util/debounce.js';
import { emptyConversation } from '../conversations/changes.js';
import { withPreview } from '../conversations/reducer.js';

/**
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../storage/storage.js').Change} Change
 * @typedef {import('../transport/frames.d.ts').ListedDirect} Shown
 * @typedef {import('../transport/frames.d.ts').DirectText} Text
 */

export class Direct {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../conversations/outbox.js').Outbox} parts.outbox
   * @param {import('../trust/verified.js').VerifiedKeys} parts.trust
   * @param {import('./keys.js').DirectKeys} parts.directKeys
   * @param {import('./sender.js').DirectSender} parts.directSender
   */
  constructor(client, { store, outbox, trust, directKeys, directSender }) {
    this.client = client;
    this.store = store;
    this.outbox = outbox;
    this.trust = trust;
    this.keys = directKeys;
    this.sender = directSender;
    client.on('agreed', () => this.#showNames());
    client.listen('identity', () => client.later(() => this.#showNames())); // another device of this user can have verified it
    this.catchUpSoon = debounce(() => client.attempt(() => client.inTurn(() => this.catchUp())));
  }

  /** Fetch the list of conversations, and their new messages. */
  async catchUp() {
    const shown = await this.client.api.callUntilAnswered('GET', 'direct');
    for (const one of shown) await this.client.attempt(() => this.#follow(one));
    const there = new Set(shown.map(({ id }) => id));
    for (const [id, known] of await this.client.storage.all('conversations')) {
      if (known.kind === 'direct' && known.isActive && !there.has(id))
        await this.store.write({ ...known, isActive: false });
    }
  }

  /** A person was verified: another one can have the same name. */
  async #showNames() {
    const knownAs = await this.trust.knownNames();
    for (const one of await this.store.list())
      if (one.kind === 'direct' && !isEqual(one.knownAs, knownAs)) await this.store.write({ ...one, knownAs });
  }

  /**
   * Open the conversation with this user. The server makes it if there is none, without a key: the other client may not
   * support keys. @param {string} user @returns {Promise<string>} its id
   */
  open(user) {
    return this.client.inTurn(async () => {
      const { conversation } = await this.client.api.callUntilAnswered('PUT', `direct/${user}`);
      await this.catchUp();
      return conversation;
    });
  }

  /**
   * Take the key that waits for this account, or have the server make a new one, which deletes all messages.
   * @param {Shown['user']} user @returns {Promise<string>} the conversation
   */
  renewKey(user) {
    return this.client.inTurn(async () => {
      const { conversation: id, key } = await this.client.api.call('POST', `direct/${user.id}/key`);
      await this.#known(id);
      const fingerprint = await this.keys.keep(id, key);
      await this.#follow({
        id,
        user,
        last_seq: Infinity,
        last_message_at: null,
        key_fingerprint: fingerprint,
        key_waiting: false,
        blocked: false,
      });
      return id;
    });
  }

  /** A message has come. @param {Text & { conversation: string }} frame */
  async onText(frame) {
    const known = await this.#known(frame.conversation);
    if (!known) return this.catchUp();
    if (frame.seq === known.cursor + 1) return this.#keep(known, frame);
    if (frame.seq > known.cursor) await this.#fetchNew(known); // those between were missed or deleted
  }

  /**
   * A message has changed; without `seq`, the whole conversation.
   * @param {{ conversation: string, seq?: number }} frame
   */
  async onChanged({ conversation: id, seq }) {
    const known = await this.#known(id);
    if (seq === undefined || !known) return this.catchUp();
    const [item] = await this.store.itemsFrom(id, { from: seq, limit: 1 });
    if (item?.seq !== seq) return;
    const [now] = await this.#read(known, `after=${seq - 1}&limit=1`);
    await this.#change(id, item, now?.seq === seq ? now : undefined);
  }

  /**
   * Fetch edits and deletions that this device has missed, between two sequence numbers.
   * @param {string} id @param {number} from @param {number} to
   */
  resync(id, from, to) {
    return this.client.inTurn(async () => {
      const known = await this.store.get(id);
      if (known?.kind !== 'direct' || !known.isActive || !this.client.connection.isReady) return;
      const items = await this.store.itemsFrom(id, { from, limit: to - from + 1 });
      /** @type {Map<number, Text>} */
      const there = new Map();
      for (let after = from - 1; after < to; after = Math.max(...there.keys())) {
        const page = await this.#read(known, `after=${after}&limit=100`);
        if (!page.length) break;
        for (const text of page) there.set(text.seq, text);
      }
      for (const item of items) if (item.seq <= to) await this.#change(id, item, there.get(item.seq));
    });
  }

  /**
   * @param {string} id @param {import('../conversations/reducer.js').Item} item as it is stored here
   * @param {Text} [text] as the server has it; undefined: it was deleted
   */
  async #change(id, item, text) {
    if (item.text === undefined) return; // deleted or hidden here
    if (!text) return this.store.markDeleted(id, item.seq);
    const known = /** @type {Conversation} */ (await this.#known(id));
    const opened = await this.keys.decrypt(known, text.text);
    if (opened.text === item.text && opened.how === item.how) return;
    const edited = { ...item, ...opened, edits: [{ seq: item.seq }] };
    await this.store.write(withPreview(known, edited), edited);
  }

  /**
   * The stored conversation. Throws for a group: a server that calls a group a direct conversation could read its
   * messages.
   * @param {string} id @returns {Promise<Conversation | undefined>}
   */
  async #known(id) {
    const known = await this.store.get(id);
    if (known && known.kind !== 'direct') throw new Error(`${id} is a group and cannot become a direct conversation`);
    return known;
  }

  /** @param {Conversation} known @param {number} seq */
  async deleteForEveryone(known, seq) {
    if (!(await this.#delete(known, seq))) this.client.later(() => this.onChanged({ conversation: known.id, seq }));
  }

  /** Returns false if it was deleted before. @param {Conversation} known @param {number} seq */
  async #delete(known, seq) {
    const path = `${pathOf(known, this.client.me.user.id)}/messages/${seq}`;
    try {
      await this.client.api.callUntilAnswered('DELETE', path);
      return true;
    } catch (error) {
      if (/** @type {import('../transport/api.js').Refused} */ (error).code !== 'no_such_message') throw error;
      return false;
    }
  }

  /** @param {Shown} shown */
  async #follow({
    id,
    user,
    last_seq: lastSeq,
    last_message_at: at,
    key_fingerprint: fingerprint,
    key_waiting: isKeyWaiting,
    blocked,
  }) {
    await this.#known(id);
    const now = (isKeyWaiting ? await this.keys.claim(id, user.id) : null) ?? fingerprint ?? undefined;
    const before = await this.#known(id);
    if (before && now !== undefined && before.fingerprint !== now) await this.#onNewKey(id, now);
    const known = await this.#known(id);
    const key = await this.keys.stateOf(id, known, now);
    const me = this.client.me.user;
    const people = [me, user].map(({ id: one, username, picture }) => ({
      id: one,
      username,
      role: /** @type {const} */ ('member'),
      picture,
    }));
    const last = known?.last ?? { seq: 0, at: at ?? new Date().toISOString(), user: '', text: '' };
    const state = blocked ? /** @type {const} */ ('blocked') : /** @type {const} */ ('joined');
    const conversation = {
      ...(known ?? emptyConversation(id)),
      kind: /** @type {const} */ ('direct'),
      isActive: true,
      people,
      state,
      last,
      key,
      fingerprint: now ?? known?.fingerprint,
      knownAs: await this.trust.knownNames(),
    };
    if (!isEqual(conversation, known)) await this.store.write(conversation);
    if (lastSeq < conversation.cursor) {
      await this.store.rewind(id, lastSeq); // the server had made places up
      return this.#fetchNew({ ...conversation, cursor: lastSeq });
    }
    if (lastSeq > conversation.cursor) await this.#fetchNew(conversation);
  }

  /** Fetch and store everything after the cursor. @param {Conversation} given */
  async #fetchNew(given) {
    let conversation = given;
    for (;;) {
      const texts = await this.#read(conversation, `after=${conversation.cursor}&limit=100`);
      if (!texts.length) return;
      for (const text of texts) {
        await this.#keep(conversation, text);
        conversation = (await this.store.get(given.id)) ?? conversation;
      }
    }
  }

  /**
   * A new key was made: the server has deleted all messages, the old key is useless, and waiting texts are encrypted
   * again.
   * @param {string} id @param {string} fingerprint of the new key
   */
  async #onNewKey(id, fingerprint) {
    const waiting = (await this.outbox.waiting()).filter(({ conversation }) => conversation === id);
    const sealed = waiting.map((one) => /** @type {Change} */ (['state', `sealed/${one.id}`]));
    await this.client.storage.write([...(await this.keys.withoutOld(id, fingerprint)), ...sealed]);
    await this.store.empty(id);
    for (const one of waiting) this.sender.release(one.id);
    this.client.later(() => this.sender.flush());
  }

  /** @param {Conversation} conversation @param {Text} text */
  async #keep(conversation, { seq, sender, text, at, id = `seq-${seq}`, edited_at: editedAt }) {
    const opened = await this.keys.decrypt(conversation, text);
    const isWaiting = await this.#isWaiting(conversation, sender, id);
    if (opened.how === 'unreadable' && isWaiting) return this.#sendAgain(conversation, seq, id);
    const said = {
      seq,
      at,
      sender: { user: sender, device: '' },
      content: { kind: /** @type {const} */ ('text'), id, text: opened.text },
      how: opened.how,
    };
    /** @type {Change[]} */
    const confirmed = [
      ['outbox', id],
      ['state', `sealed/${id}`],
    ];
    await this.store.apply(conversation.id, said, isWaiting ? confirmed : [], { cursor: seq });
    if (isWaiting) this.sender.release(id);
    if (editedAt === undefined) return;
    const [item] = await this.store.itemsFrom(conversation.id, { from: seq, limit: 1 });
    const now = (await this.store.get(conversation.id)) ?? conversation;
    await this.store.write(now, { ...item, edits: [{ seq }] });
  }

  /**
   * One of our texts was in flight while the key changed, so nobody can read it: delete it and send it again.
   * @param {Conversation} conversation @param {number} seq @param {string} id
   */
  async #sendAgain(conversation, seq, id) {
    await this.#delete(conversation, seq);
    await this.outbox.renew(id, { ...conversation, cursor: seq });
  }

  /**
   * Whether this is the text of this conversation that waits here. The server names the id: it must not confirm a text
   * of a group, or of another conversation.
   * @param {Conversation} conversation @param {string} sender @param {string} id
   */
  async #isWaiting(conversation, sender, id) {
    const waiting = await this.client.storage.get('outbox', id);
    return sender === this.client.me.user.id && waiting?.isDirect === true && waiting.conversation === conversation.id;
  }

  /** @param {Conversation} conversation @param {string} query @returns {Promise<Text[]>} */
  #read(conversation, query) {
    return this.client.api.callUntilAnswered(
      'GET',
      `${pathOf(conversation, this.client.me.user.id)}/messages?${query}`,
    );
  }
}
