// @ts-check
/**
 * New keys for this device's leaf, at intervals (RFC 9420, section 16.6). A thief with a copy of its state cannot follow
 * the update, and reads nothing that comes after it.
 *
 * An update is due before the first message after a welcome or after a day, after a hundred own messages, a few minutes
 * after the device joined or another device of its account was removed, and after a week without any. A joined device
 * has keys that its key package named, which the server may have handed out twice. And a member could have welcomed it
 * into a fork, where nobody would read what it says: the server refuses a commit there, but no message.
 *
 * Nothing is due in a message request: it would show the sender that, and when, the device is there.
 *
 * Where the server refuses the update, or another commit came first, the next occasion tries again: a message does not
 * wait for it. Only after a welcome this device tries until it has left a fork.
 */
import { canSend } from '../conversations/changes.js';
import { Refused } from '../transport/api.js';
import { DAY_MS } from '../util/time.js';

export const OWN_MESSAGES_MAX = 100;
const IDLE_MS = 7 * DAY_MS;
const SOON_MS = 60_000; // and up to five times as long, so that the members do not all commit at once
const CHECK_MS = 60_000;
const TRIES_TO_LEAVE_A_FORK = 3; // the second one shows that it is one: this device has read the log then

/**
 * @typedef {object} LeafAge
 * @property {number} at Unix time in ms of the newest keys
 * @property {number} sent messages of this device since then
 * @property {boolean} [isWelcomed] it has made no commit since a member welcomed it
 * @property {number} [due] Unix time in ms of the next update, if there is a reason for an early one
 */

export class Healing {
  /** Groups for which an update is on its way: what waits behind its commit must not ask for another one. @type {Set<string>} */
  #updating = new Set();

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('./membership.js').Membership} parts.membership
   */
  constructor(client, { store, membership }) {
    this.client = client;
    this.store = store;
    this.membership = membership;
    client.on('created', ({ conversation }) => this.#write(conversation, { at: Date.now(), sent: 0 }));
    client.on('joined', ({ conversation, isWelcomed }) =>
      this.#write(conversation, { at: Date.now(), sent: 0, due: soon(), isWelcomed }),
    );
    client.on('own device removed', async ({ conversation }) => {
      await this.#write(conversation, { ...(await this.#age(conversation)), due: soon() });
    });
    client.listen('ready', () => client.later(() => this.updateDue()));
    const timer = setInterval(() => client.connection.isReady && client.later(() => this.updateDue()), CHECK_MS);
    /** @type {{ unref?: () => void }} */ (timer).unref?.(); // in Node it does not keep the process
  }

  /** Update after a welcome, or if a day has passed, or a hundred messages. Returns whether it was due. @param {string} id */
  async beforeMessages(id) {
    if (this.#updating.has(id)) return false;
    const { at, sent, isWelcomed = false } = await this.#age(id);
    const isDue = isWelcomed || Date.now() - at >= DAY_MS || sent >= OWN_MESSAGES_MAX;
    if (isDue) await this.client.attempt(() => this.#update(id)); // the messages go out in any case
    return isDue;
  }

  /**
   * One more message was stored at the server.
   * @param {string} id @returns {Promise<import('../storage/storage.js').Change>} to write with the message
   */
  async counted(id) {
    const age = await this.#age(id);
    return ['state', `leaf/${id}`, { ...age, sent: age.sent + 1 }];
  }

  /** Update the leaves whose time has come. */
  async updateDue() {
    for (const one of await this.store.list()) {
      const { id } = one;
      if (!canSend(one) || one.state !== 'joined' || this.#updating.has(id)) continue;
      const { at, due = at + IDLE_MS } = await this.#age(id);
      if (Date.now() >= due) await this.client.attempt(() => this.#update(id));
    }
  }

  /** @param {string} id */
  async #update(id) {
    const before = await this.#age(id);
    this.#updating.add(id);
    try {
      await this.membership.update(id, { tries: before.isWelcomed ? TRIES_TO_LEAVE_A_FORK : 1 });
      const { sent, due } = await this.#age(id); // there can be messages and another reason meanwhile
      const next = due === before.due ? undefined : due;
      await this.#write(id, { at: Date.now(), sent: Math.max(0, sent - before.sent), due: next });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    } finally {
      this.#updating.delete(id);
    }
  }

  /** @param {string} id @returns {Promise<LeafAge>} */
  async #age(id) {
    return (await this.client.storage.get('state', `leaf/${id}`)) ?? { at: 0, sent: 0 };
  }

  /** @param {string} id @param {LeafAge} age */
  #write(id, age) {
    return this.client.storage.write([['state', `leaf/${id}`, age]]);
  }
}

function soon() {
  return Date.now() + SOON_MS * (1 + 4 * Math.random());
}
