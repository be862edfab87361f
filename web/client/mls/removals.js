// @ts-check
/**
 * Removes leaves that any member may remove: those that the server lists as due (of members who left, and of revoked
 * devices), those of devices that their account key does not list, and those of unused devices.
 *
 * The server may lie. A removal that it asks for is right if the user or the device said inside the group that it leaves,
 * or if the account key does not list the device, or if the user of this device never verified that member. Otherwise
 * this device asks its user. A leaf is unused only if this device has heard nothing from it either; one of a verified user
 * never is.
 */
import { canSend } from '../conversations/changes.js';
import { isSilent } from './silence.js';

/**
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('./core-crypto.js').Member} Member
 */

export class Removals {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('../trust/verified.js').VerifiedKeys} parts.trust
   * @param {import('../trust/identities.js').Identities} parts.identities
   * @param {import('./membership.js').Membership} parts.membership
   */
  constructor(client, { store, trust, identities, membership }) {
    this.client = client;
    this.store = store;
    this.trust = trust;
    this.identities = identities;
    this.membership = membership;
    client.on('left', async ({ conversation }) => {
      membership.refreshSoon();
      await client.attempt(() => this.removeDue(conversation)); // the rest of the log is read in any case
    });
    client.listen('identity', ({ user }) => client.later(() => this.#askAgain(user)));
    client.listen('message', ({ message: { content, sender } }) => {
      if (content?.kind === 'leave') client.later(() => this.#askAgain(sender.user));
    });
  }

  /**
   * Remove what is due. Returns 'removed' if something was, by this device or another one; 'asked' if the user has to
   * agree first.
   * @param {string} id @param {string[]} [agreed] users whose removal the user of this device agrees to
   * @returns {Promise<'removed' | 'asked' | 'none'>}
   */
  async removeDue(id, agreed = []) {
    const known = await this.store.get(id);
    const { due, asked } = await this.#due(id, agreed);
    const users = [...new Set(asked.map(({ user }) => user))].sort();
    if (known && users.join() !== (known.asked ?? []).join()) await this.store.write({ ...known, asked: users });
    if (!due.length) return asked.length ? 'asked' : 'none';
    await this.membership.commit(id, async (deliver) => {
      const { due: now } = await this.#due(id, agreed);
      if (now.length) await this.client.mls.remove(id, now, deliver);
    });
    return 'removed';
  }

  /** The same in every group, or in the groups of one user. @param {string} [user] */
  async removeAllDue(user) {
    for (const one of await this.store.list()) {
      const isConcerned = user === undefined || one.members.some((member) => member.user === user);
      if (canSend(one) && isConcerned) await this.client.attempt(() => this.removeDue(one.id));
    }
  }

  /**
   * The user agrees that these are removed, as the server asks. It may have asked for others since they were shown.
   * @param {string} id @param {string[]} users
   */
  agree(id, users) {
    return this.client.inTurn(async () => {
      const known = await this.store.get(id);
      if (known?.missing)
        await this.store.write({ ...known, missing: known.missing.filter((user) => !users.includes(user)) });
      await this.removeDue(id, users);
      await this.client.emitAndWait('agreed', {});
    });
  }

  /**
   * @param {string} id @param {string[]} agreed
   * @returns {Promise<{ due: Member[], asked: Member[] }>}
   */
  async #due(id, agreed) {
    const answer = await this.client.api.callUntilAnswered('GET', `conversations/${id}/removals`);
    const { devices, unused = [] } = answer;
    const [due, asked] = [/** @type {Member[]} */ ([]), /** @type {Member[]} */ ([])];
    const known = await this.store.get(id);
    const members = await this.client.mls.members(id);
    const omitted = await this.#omitted(members);
    for (const member of members) {
      const { device, user } = member;
      if (device === this.client.me.device) continue;
      const isSaid = unused.includes(device) && !(await this.trust.isVerified(user));
      const isUnused = isSaid && known !== undefined && isSilent(known, device, Date.now());
      if (isUnused || omitted.includes(member)) due.push(member);
      else if (devices.includes(device))
        (agreed.includes(user) || (await this.#isRight(known, member)) ? due : asked).push(member);
    }
    return { due, asked };
  }

  /**
   * The leaves that a list of their account omits. A device may have been listed since, or have another account key.
   * @param {Member[]} members
   */
  async #omitted(members) {
    const found = await this.identities.omitted(members);
    for (const user of new Set(found.map((member) => member.user))) await this.identities.refresh(user);
    return found.length ? this.identities.omitted(members) : found;
  }

  /** @param {Conversation | undefined} conversation @param {Member} member */
  async #isRight(conversation, member) {
    const { user, device } = member;
    if (conversation?.released?.some((one) => one === user || one === device)) return true;
    return !(await this.trust.isVerified(user));
  }

  /**
   * Whether a removal is right. A newer list, another account key that was accepted, or the user's own word can show it;
   * the server's request can come before them.
   * @param {string} user
   */
  async #askAgain(user) {
    for (const { id, isActive, asked } of await this.store.list())
      if (isActive && asked?.includes(user)) await this.client.attempt(() => this.removeDue(id));
  }
}
