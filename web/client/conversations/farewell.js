// @ts-check
/**
 * Leaves groups, and says so inside them first: the others then remove this user or device on its own word, and not on
 * that of the server.
 */

import { canSend } from './changes.js';

const SAY_MS = 5000; // who leaves does not wait longer for the server

export class Farewell {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./store.js').ConversationStore} parts.store
   * @param {import('./outbox.js').Outbox} parts.outbox
   * @param {import('../mls/membership.js').Membership} parts.membership
   * @param {import('../session/account.js').Account} parts.account
   * @param {import('../trust/own-list.js').OwnList} parts.ownList
   */
  constructor(client, { store, outbox, membership, account, ownList }) {
    this.client = client;
    this.store = store;
    this.outbox = outbox;
    this.membership = membership;
    this.account = account;
    this.ownList = ownList;
  }

  /** @param {string} conversation */
  async leave(conversation) {
    const known = await this.store.get(conversation);
    if (known && !known.isForged) await this.#say([conversation], 'user');
    await this.membership.leave(conversation);
  }

  /** End the session, remove the device, and delete all data here. */
  async logOut() {
    await this.#say(await this.#groups(), 'device');
    if (this.client.connection.isReady) await this.client.attempt(() => this.ownList.remove(this.client.me.device));
    await this.account.logOut();
  }

  /** Delete the account, and all data here. @param {string} password */
  async deleteAccount(password) {
    await this.account.checkPassword(password);
    await this.#say(await this.#groups(), 'user');
    await this.account.remove(password);
  }

  async #groups() {
    return (await this.store.list()).filter(canSend).map(({ id }) => id);
  }

  /** @param {string[]} conversations @param {'user' | 'device'} who */
  async #say(conversations, who) {
    if (!this.client.connection.isReady) return;
    await this.outbox.sendNow(
      conversations.map((conversation) => ({ conversation, content: { kind: 'leave', who } })),
      SAY_MS,
    );
  }
}
