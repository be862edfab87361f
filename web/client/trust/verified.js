// @ts-check
/** The keys of contacts that the user has verified. */
import { listedIn } from './identity.js';
import { Refused } from '../transport/api.js';
import { isSameName } from '../util/username.js';
import { accountSafetyNumber, safetyNumber } from './safety-number.js';

/**
 * @typedef {import('../context.js').Context} Context
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {{ key?: string, thumbprints: string[] }} Compared the other user's account key and devices, as they were when
 *   a safety number was shown
 */

const KNOWN_AS = 'known-as/';

/** The account key that the user has shown last: the one to compare. @param {import('./identity.js').Identity} identity */
export function newestKeyOf({ key, changed }) {
  return changed?.account_key ?? key;
}

export class VerifiedKeys {
  /** @param {Context} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * To compare with another member: of the account keys, or where one of the two has none, of the devices in the group.
   * @param {string} id @param {string} user
   * @returns {Promise<{ digits: string, qr: string } & Compared>}
   */
  async safetyNumber(id, user) {
    const members = await this.client.mls.members(id);
    const users = [this.client.me.user.id, user];
    const [mine, theirs] = users.map((one) => ({
      user: one,
      thumbprints: members.filter((member) => member.user === one).map((member) => member.thumbprint),
    }));
    const [myKey, theirKey] = await Promise.all(users.map((one) => this.#identity(one)));
    const { thumbprints } = theirs;
    const key = theirKey && newestKeyOf(theirKey);
    const number =
      myKey && key
        ? await accountSafetyNumber({ user: users[0], key: myKey.key }, { user, key })
        : await safetyNumber(mine, theirs);
    return { ...number, key: myKey ? key : undefined, thumbprints };
  }

  /** @param {string} user */
  #identity(user) {
    return this.client.storage.get('state', `identity/${user}`);
  }

  /** The devices of this user that are verified. @param {string} user @returns {Promise<string[] | undefined>} */
  thumbprints(user) {
    return this.client.storage.get('state', `verified/${user}`);
  }

  /** @param {string} user */
  async isVerified(user) {
    return (await this.thumbprints(user)) !== undefined;
  }

  /** The account key of this user that is verified. @param {string} user @returns {Promise<string | undefined>} */
  key(user) {
    return this.client.storage.get('state', `verified-key/${user}`);
  }

  /**
   * What to write when the verified account key has a newer list.
   * @param {string} user @param {import('./identity.js').Identity} identity
   * @returns {import('../storage/storage.js').Change[]}
   */
  changesOf(user, { key, devices }) {
    return [
      ['state', `verified-key/${user}`, key],
      ['state', `verified/${user}`, Object.values(devices)],
    ];
  }

  /**
   * The same, with the name that the contact has then.
   * @param {string} user @param {import('./identity.js').Identity} identity @param {string} name
   * @returns {import('../storage/storage.js').Change[]}
   */
  named(user, identity, name) {
    return [...this.changesOf(user, identity), ['state', `known-as/${user}`, name]];
  }

  /** The name that the contact had when the user verified it. @param {string} user @returns {Promise<string | undefined>} */
  nameOf(user) {
    return this.client.storage.get('state', `known-as/${user}`);
  }

  /** What to write when the user is not verified any more. @param {string} user */
  forgotten(user) {
    return /** @type {import('../storage/storage.js').Change[]} */ ([
      ['state', `verified-key/${user}`],
      ['state', `verified/${user}`],
    ]);
  }

  /**
   * The user has compared the safety number: these keys are the contact's.
   * @param {string} user @param {string[]} thumbprints of which it was made
   * @param {string} name of the contact, as the server gives it now
   */
  async write(user, thumbprints, name) {
    const identity = await this.#identity(user);
    const ofDevices = /** @type {import('../storage/storage.js').Change[]} */ ([
      ['state', `verified/${user}`, thumbprints],
      ['state', `known-as/${user}`, name],
    ]);
    await this.client.storage.write(identity ? this.named(user, identity, name) : ofDevices);
  }

  /** A person that the user has verified under this name is another one. @param {string} name @param {string} user */
  async isNameOfAnother(name, user) {
    const known = Object.entries(await this.knownNames());
    return known.some(([other, one]) => other !== user && isSameName(one, name));
  }

  /** Throws Refused where another person was verified under this name. @param {string} name @param {string} user */
  async checkName(name, user) {
    if (await this.isNameOfAnother(name, user))
      throw new Refused(409, 'other_person', `${name} was verified as another user`, 0);
  }

  /** Throws Refused where this user was verified under another name. @param {string} name @param {string} user */
  async checkKnownAs(name, user) {
    const known = await this.nameOf(user);
    if (known !== undefined && !isSameName(known, name))
      throw new Refused(409, 'other_person', `${name} is a user who was verified as ${known}`, 0);
  }

  /** The names under which users were verified, by user. @returns {Promise<Record<string, string>>} */
  async knownNames() {
    const known = await this.client.storage.all('state', KNOWN_AS);
    return Object.fromEntries(known.map(([key, name]) => [key.slice(KNOWN_AS.length), name]));
  }

  /**
   * With what is known of its members' keys: which are verified, listed, or of another account key than before.
   * @param {Conversation} conversation @returns {Promise<Conversation>}
   */
  async pinned(conversation) {
    const verified = { ...conversation.verified };
    // Also of others: a member can have a name under which the user has verified another person.
    const knownAs = { ...conversation.knownAs, ...(await this.knownNames()) };
    /** @type {Record<string, string[]>} */
    const listed = {};
    const changedKeys = [];
    for (const user of new Set(conversation.members.map((member) => member.user))) {
      const identity = await this.#identity(user);
      if (identity) listed[user] = listedIn(identity);
      if (identity?.changed) changedKeys.push(user);
      const known = (await this.thumbprints(user)) ?? (identity ? undefined : verified[user]);
      if (known) verified[user] = known;
      else delete verified[user];
    }
    return { ...conversation, verified, knownAs, listed, changedKeys };
  }
}
