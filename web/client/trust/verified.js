// @ts-check
/** The keys of contacts that the user has verified, and whether a contact's keys are still those. */
import { safetyNumber } from './safety-number.js';

/**
 * @typedef {import('../context.js').Context} Context
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 */

/** @param {Conversation} conversation @param {string} user @returns {'unknown' | 'verified' | 'changed'} */
export function trustIn(conversation, user) {
  const verified = conversation.verified[user];
  if (verified === undefined) return 'unknown';
  const keys = conversation.members.filter((member) => member.user === user);
  if (!keys.length) return 'changed'; // another user in their place was not verified
  return keys.every(({ thumbprint }) => verified.includes(thumbprint)) ? 'verified' : 'changed';
}

export class VerifiedKeys {
  /** @param {Context} client @param {{ store: import('../conversations/store.js').ConversationStore }} parts */
  constructor(client, { store }) {
    this.client = client;
    this.store = store;
  }

  /** To compare with another member. @param {string} id @param {string} user */
  async safetyNumber(id, user) {
    const members = await this.client.mls.members(id);
    const [mine, theirs] = [this.client.me.user.id, user].map((one) => ({
      user: one,
      thumbprints: members.filter((member) => member.user === one).map((member) => member.thumbprint),
    }));
    return { ...(await safetyNumber(mine, theirs)), thumbprints: theirs.thumbprints };
  }

  /**
   * The user has compared the safety number: in every conversation, these keys are the contact's.
   * @param {string} user @param {string[]} thumbprints of which it was made
   * @param {string} name of the contact, as the server gives it now
   */
  verify(user, thumbprints, name) {
    return this.client.inTurn(async () => {
      await this.client.storage.write([
        ['state', `verified/${user}`, thumbprints],
        ['state', `known-as/${user}`, name],
      ]);
      for (const one of await this.store.list()) {
        if (one.members.some((member) => member.user === user))
          await this.store.write({
            ...one,
            verified: { ...one.verified, [user]: thumbprints },
            knownAs: { ...one.knownAs, [user]: name },
          });
      }
    });
  }

  /** A person that the user has verified under this name is another one. @param {string} name @param {string} user */
  async isNameOfAnother(name, user) {
    const known = await this.client.storage.all('state', 'known-as/');
    return known.some(([key, one]) => key !== `known-as/${user}` && one.toLowerCase() === name.toLowerCase());
  }

  /**
   * With the keys of its members that were verified in other conversations.
   * @param {Conversation} conversation @returns {Promise<Conversation>}
   */
  async pinned(conversation) {
    const verified = { ...conversation.verified };
    const knownAs = { ...conversation.knownAs };
    for (const user of new Set(conversation.members.map((member) => member.user))) {
      const known = verified[user] ?? (await this.client.storage.get('state', `verified/${user}`));
      if (known) verified[user] = known;
      const name = await this.client.storage.get('state', `known-as/${user}`);
      if (name !== undefined) knownAs[user] = name;
    }
    return { ...conversation, verified, knownAs };
  }
}
