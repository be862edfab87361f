// @ts-check
/**
 * Reads the log of each group in order, and stores what it comes to.
 *
 * An entry is stored together with the cursor behind it before it is acknowledged. A crash at any moment therefore
 * loses no entry and applies none twice.
 *
 * Sync knows nothing of the outbox and the membership. It emits, and waits for its listeners:
 *  - 'state lost': the group's state does not fit the log; this device has to join again
 *  - 'own message': one of this device's messages has its place in the log
 *  - 'epoch': after a commit was acknowledged
 *  - 'left': after the entry was acknowledged by which the server says that a user has left
 */
import { decodeContent } from '../content/index.js';
import { Undecryptable } from '../mls/errors.js';
import { MalformedFrame, parseHead } from '../mls/frames.js';
import { heardFrom } from '../mls/silence.js';
import { fromBase64 } from '../util/bytes.js';
import { ended } from './changes.js';

/**
 * @typedef {import('../context.js').Context} Context
 * @typedef {import('./reducer.js').Conversation} Conversation
 * @typedef {import('./reducer.js').Item} Item
 * @typedef {import('./reducer.js').Notice} Notice
 * @typedef {import('../transport/frames.d.ts').LogEntry} LogEntry
 */

const UNREADABLE_MAX = 3; // messages of this or a later epoch, one after the other; then the state does not fit
const REJOIN_PAUSE_MS = 3600_000; // so that a member who sends rubbish does not make the others join again and again

export class Sync {
  /** Messages of this or a later epoch that could not be read, one after the other. @type {Map<string, number>} */
  #unreadable = new Map();
  /** Groups whose members are stored as they are in MLS. @type {Set<string>} */
  #upToDate = new Set();
  /** When the state did not fit for that reason. @type {Map<string, number>} */
  #rejoinedAt = new Map();

  /**
   * @param {Context} client
   * @param {object} parts
   * @param {import('./store.js').ConversationStore} parts.store
   * @param {import('./roster.js').Roster} parts.roster
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('../mls/lineage.js').Lineage} parts.lineage
   */
  constructor(client, { store, roster, identities, lineage }) {
    this.client = client;
    this.store = store;
    this.roster = roster;
    this.identities = identities;
    this.lineage = lineage;
  }

  /** @param {LogEntry} entry */
  async onEntry(entry) {
    const conversation = await this.store.get(entry.conversation);
    if (!conversation || conversation.kind === 'direct') return;
    if (await this.#isBeforeItsPlace(conversation, entry)) await this.store.rewind(conversation.id, entry.seq - 1);
    else if (entry.seq <= conversation.cursor) return this.#again(conversation, entry);
    if (!conversation.isActive) return this.#again(conversation, entry); // or each start would bring it again
    if (entry.seq > conversation.cursor + 1) await this.catchUp(entry.conversation);
    else await this.#onNext(entry);
  }

  /**
   * Whether an entry of the newest epoch is before the place where this device joined: the server's answer gave the joining
   * commit a place too far on, and what follows would all pass for read.
   * @param {Conversation} conversation @param {LogEntry} entry
   */
  async #isBeforeItsPlace({ id, since, isActive }, { seq, data }) {
    if (!isActive || seq > since || data === undefined) return false;
    const epoch = await this.client.mls.epoch(id);
    return epoch !== null && isOfEpochOrLater(fromBase64(data), epoch);
  }

  /** Acknowledge an entry that changes nothing: the client may have stopped after it stored it. @param {Conversation} conversation @param {LogEntry} entry */
  async #again({ id, isActive }, { seq }) {
    if (!isActive) await this.client.mls.forget(id);
    this.client.connection.send({ type: 'ack', conversation: id, seq });
  }

  /** Read the entries behind the cursor from the server. @param {string} id */
  async catchUp(id) {
    for (;;) {
      const conversation = await this.store.get(id);
      if (!conversation?.isActive) return;
      const { cursor } = conversation;
      const entries = await this.client.api.callUntilAnswered('GET', `conversations/${id}/log?after=${cursor}`);
      // A log that begins later: this device was removed and added again. The socket brings both, and what is between.
      if (!entries.length || entries[0].seq > cursor + 1) return;
      for (const entry of entries) await this.#onNext(entry);
      if ((await this.store.get(id))?.cursor === cursor) return; // it got nothing that it could pass
    }
  }

  /** @param {LogEntry} entry the next one after the cursor */
  async #onNext(entry) {
    const { conversation: id, seq } = entry;
    await this.#catchUpWithMls(entry);
    const conversation = await this.store.get(id);
    if (conversation?.kind === 'direct') return;
    if (!conversation?.isActive || seq !== conversation.cursor + 1) return;
    const heard = heardFrom(conversation, entry.kind === 'commit' ? entry.sender : null, Date.now());
    const next = { ...conversation, cursor: seq, heard };
    switch (entry.kind) {
      case 'commit':
        if (!(await this.#onCommit(next, entry))) return; // joined again with a cursor of its own, or no commit at all
        break;
      case 'application':
        await this.#onMessage(next, entry);
        break;
      case 'left':
        await this.#onLeft(next, entry);
        break;
      default:
        // Of a newer server, or a message that this one hides.
        await this.store.write(next, entry.data ? this.#noticeAt(entry, { what: 'unreadable' }, next) : undefined);
    }
    this.client.connection.send({ type: 'ack', conversation: id, seq });
    if (!(await this.store.get(id))?.isActive) return;
    if (entry.kind === 'left') await this.client.emitAndWait('left', { conversation: id, device: entry.sender });
    if (entry.kind === 'commit') await this.client.emitAndWait('epoch', { conversation: id });
  }

  /**
   * The client may have stopped, or lost its connection, between commits and what it stores of them. A leaf that they
   * brought could then pass for one that was there before. The entry of the last one says more, if it is the next.
   * @param {LogEntry} entry
   */
  async #catchUpWithMls(entry) {
    const { conversation: id } = entry;
    if (this.#upToDate.has(id) || (await this.lineage.isLast(entry))) return;
    const [known, epoch] = [await this.store.get(id), await this.client.mls.epoch(id)];
    if (known && epoch !== null && !(await this.lineage.isOwn(id, known.epoch ?? epoch, epoch)))
      await this.roster.read(id);
    this.#upToDate.add(id);
  }

  /** Returns whether the cursor passes the entry. @param {Conversation} conversation @param {LogEntry} entry */
  async #onCommit(conversation, entry) {
    const { id } = conversation;
    const { me } = this.client;
    /** @type {boolean} */
    let isActive;
    this.#upToDate.delete(id);
    try {
      isActive = await this.lineage.apply(id, entry);
    } catch (error) {
      if (error instanceof MalformedFrame) {
        this.client.emit('problem', { error }); // a lie of the server: its place in the log stays free
        return false;
      }
      if (!(error instanceof Undecryptable)) throw error;
      await this.#onMissed(id, entry);
      await this.client.emitAndWait('state lost', { conversation: id, reason: error.reason });
      return false;
    }
    if (isActive) {
      await this.roster.afterCommit(conversation, entry);
      this.#upToDate.add(id);
    } else {
      const by = this.roster.userOf(conversation, entry.sender);
      await this.#end(conversation, entry, { what: 'members', by, added: [], removed: [me.user.id], devices: [] });
    }
    return true;
  }

  /**
   * Missed commits were applied, but the entry behind them does not fit. What they changed is stored before anything
   * else is read: otherwise a leaf that they brought could pass for one that was there before.
   * @param {string} id @param {LogEntry} entry
   */
  async #onMissed(id, entry) {
    const stored = await this.store.get(id);
    const epoch = await this.client.mls.epoch(id);
    if (stored && epoch !== null && epoch !== stored.epoch) await this.roster.afterCommit(stored, entry, true);
  }

  /**
   * This device is not in the group any more.
   * @param {Conversation} conversation @param {LogEntry} entry @param {Notice} notice
   */
  async #end(conversation, entry, notice) {
    await this.store.write(ended(conversation), this.#noticeAt(entry, notice, conversation));
    await this.client.mls.forget(conversation.id); // last: without a state, a device would join again
    this.client.emit('removed', { conversation: conversation.id });
  }

  /** @param {Conversation} conversation @param {LogEntry} entry */
  async #onLeft(conversation, entry) {
    const user = this.roster.userOf(conversation, entry.sender);
    if (user === this.client.me.user.id) {
      if (await this.#isStillThere(conversation.id)) return this.store.write(conversation); // the server contradicts itself
      return this.#end(conversation, entry, { what: 'left', user });
    }
    if (conversation.released?.includes(user)) return this.store.write(conversation); // the user has said it
    const leaving = [...new Set([...(conversation.leaving ?? []), user])];
    const isClaimed = (await this.identities.of(user)) !== undefined; // the user's client would have said it
    const notice = { what: /** @type {const} */ ('left'), user, ...(isClaimed ? { isClaimed } : {}) };
    await this.store.write({ ...conversation, leaving }, this.#noticeAt(entry, notice, conversation));
  }

  /** @param {string} id */
  async #isStillThere(id) {
    return (await this.client.api.callUntilAnswered('GET', 'conversations')).some((one) => one.id === id);
  }

  /** @param {Conversation} next @param {LogEntry} entry */
  async #onMessage(next, entry) {
    const { id, cursor, heard } = next;
    const { seq, at } = entry;
    if (entry.sender === this.client.me.device) {
      if (entry.id !== undefined)
        await this.client.emitAndWait('own message', {
          id: entry.id,
          conversation: id,
          seq,
          at,
          progress: { cursor, heard },
        });
      const known = (await this.store.get(id)) ?? next;
      if (known.cursor < cursor) await this.store.write({ ...known, cursor, heard }); // another device of this id, or a lie
    } else if (entry.data === undefined) {
      await this.store.write(next, { seq, at, user: '', notice: { what: 'missing' } }); // the server says that it was deleted
    } else {
      const bytes = fromBase64(entry.data);
      const isLate = !isOfEpochOrLater(bytes, (await this.client.mls.epoch(id)) ?? 0);
      try {
        await this.client.mls.decrypt(id, bytes, async (plaintext, sender) => {
          if (plaintext === null || sender === null)
            throw new Undecryptable('an application entry holds a commit', null);
          const said = await this.#said({ seq, at, sender, content: decodeContent(plaintext), isLate }, next);
          await this.store.apply(id, said, [], { cursor, heard: heardFrom(next, sender.device, Date.now()) });
        });
        this.#unreadable.delete(id);
      } catch (error) {
        if (!(error instanceof Undecryptable)) throw error;
        await this.store.write(next, this.#noticeAt(entry, { what: 'unreadable' }, next));
        this.client.emit('undecryptable', { conversation: id, seq, reason: error.reason });
        await this.#onUnreadable(id, bytes);
      }
    }
  }

  /** @param {import('./reducer.js').Said} said @param {Conversation} conversation */
  async #said(said, { members, isForged, intruders }) {
    const { sender, content } = said;
    const leaf = members.find(({ user, device }) => user === sender.user && device === sender.device);
    if (content.kind === 'device_list') await this.identities.acceptStated(sender, leaf, content);
    // In a forged group another leaf has the name of this device.
    const isIntruder = leaf !== undefined && intruders?.includes(leaf.thumbprint) === true;
    const isUnlisted = isIntruder && (await this.identities.unlisted([leaf])).length > 0;
    const isForeign = isForged || isUnlisted || (await this.identities.isForeign(sender, leaf));
    return isForeign ? { ...said, isForeign } : said;
  }

  /**
   * Several unreadable messages of this or a later epoch: the server has withheld a commit, or forked the group.
   * @param {string} id @param {Uint8Array} message
   */
  async #onUnreadable(id, message) {
    const epoch = await this.client.mls.epoch(id);
    if (epoch === null || !isOfEpochOrLater(message, epoch)) return;
    const count = (this.#unreadable.get(id) ?? 0) + 1;
    this.#unreadable.set(id, count);
    const pause = Date.now() - (this.#rejoinedAt.get(id) ?? 0);
    if (count < UNREADABLE_MAX || pause < REJOIN_PAUSE_MS) return;
    this.#unreadable.delete(id);
    this.#rejoinedAt.set(id, Date.now());
    await this.client.emitAndWait('state lost', { conversation: id, reason: 'messages cannot be read' });
  }

  /** @param {LogEntry} entry @param {Notice} notice @param {Conversation} conversation @returns {Item} */
  #noticeAt({ seq, at, sender }, notice, conversation) {
    return { seq, at, user: this.roster.userOf(conversation, sender), notice };
  }
}

/** @param {Uint8Array} message @param {number} epoch */
function isOfEpochOrLater(message, epoch) {
  try {
    return parseHead(message).epoch >= epoch;
  } catch {
    return false;
  }
}
