// @ts-check
/**
 * The account keys of users, and which devices each has listed.
 *
 * The first account key that this device sees of a user is kept (trust on first use); the user can verify it. From then
 * on only a list of that key says which devices the user has, and a leaf of another device gets no messages. Lists come
 * from the server or from a device of the user inside a conversation. It does not matter from where: a list is signed,
 * complete, and counted, and one with a lower counter than the highest seen changes nothing. A device that a newer list
 * omits is removed for good: a new device to which the server shows an old list signs a newer one with it.
 *
 * A client never accepts another account key automatically: it keeps the key aside until the user of this device accepts
 * it. If the user verified a contact by device keys, one of those devices has to state the contact's account key.
 *
 * What a device says counts as its user's if it was listed once: a message can be read long after its device was removed.
 */
import { isEqual } from '../util/equal.js';
import { Refused } from '../transport/api.js';
import { oneByOne } from '../util/one-by-one.js';
import { isOver } from '../util/time.js';
import { BadDeviceList, openDeviceList } from './device-list.js';
import { expected, firstIdentity, isConflict, isExpected, listedIn, withList, withRemoved } from './identity.js';
import { thumbprintOf } from './thumbprint.js';
import { newestKeyOf } from './verified.js';

/**
 * @typedef {import('../context.js').Context} Context
 * @typedef {import('../mls/core-crypto.js').Member} Member
 * @typedef {import('./device-list.js').SignedList} SignedList
 * @typedef {import('./identity.js').Identity} Identity
 */

export class Identities {
  /** Each reads what is known, decides, and writes. */
  #oneByOne = oneByOne();

  /**
   * @param {Context} client
   * @param {object} parts
   * @param {import('../conversations/store.js').ConversationStore} parts.store
   * @param {import('./verified.js').VerifiedKeys} parts.trust
   */
  constructor(client, { store, trust }) {
    this.client = client;
    this.store = store;
    this.trust = trust;
    client.on('members changed', ({ members }) => this.refreshFor(members));
    client.listen('ready', () => client.later(() => this.#catchUp()));
  }

  /** @param {string} user @returns {Promise<Identity | undefined>} */
  of(user) {
    return this.client.storage.get('state', `identity/${user}`);
  }

  /** Whether this user has had an account key, or a device that was verified. @param {string} user */
  async isKnown(user) {
    return (await this.of(user)) !== undefined || this.trust.isVerified(user);
  }

  /**
   * Those that their users have not listed. Devices of users without an account key pass, unless the user was verified by
   * other ones.
   * @param {Member[]} members @returns {Promise<Member[]>}
   */
  async unlisted(members) {
    const lists = await this.listsOf(members.map(({ user }) => user));
    return members.filter(({ user, thumbprint }) => lists.get(user)?.has(thumbprint) === false);
  }

  /**
   * Those that a valid list of their user omits. Where the user has another account key, the user of this device decides.
   * @param {Member[]} members @returns {Promise<Member[]>}
   */
  async omitted(members) {
    const found = [];
    for (const member of await this.unlisted(members)) {
      const identity = await this.of(member.user);
      if (identity && !isExpected(identity) && !isOver(identity) && !identity.changed) found.push(member);
    }
    return found;
  }

  /**
   * Whether the list of one of these has expired by the clock of this device, which can be wrong: the server says whether
   * it has. @param {Member[]} members
   */
  async hasExpired(members) {
    const identities = await Promise.all(members.map(({ user }) => this.of(user)));
    return identities.some((identity) => identity !== undefined && isOver(identity));
  }

  /**
   * Thumbprints of the devices that these users have listed, or that were verified; other users are not in it.
   * @param {Iterable<string>} users @returns {Promise<Map<string, Set<string>>>}
   */
  async listsOf(users) {
    const found = new Map();
    for (const user of new Set(users)) {
      const identity = await this.of(user);
      const verified = identity ? undefined : await this.trust.thumbprints(user);
      if (identity) found.set(user, new Set(listedIn(identity)));
      else if (verified) found.set(user, new Set(verified));
    }
    return found;
  }

  /** Ask the server for the newest list of a user. @param {string} user */
  async refresh(user) {
    try {
      const signed = await this.client.api.callUntilAnswered('GET', `users/${user}/device-list`);
      await this.accept(user, signed);
    } catch (error) {
      const isNone =
        error instanceof Refused && ['no_device_list', 'no_such_user', 'unauthenticated'].includes(error.code);
      if (!isNone && !(error instanceof BadDeviceList)) throw error;
      if (error instanceof BadDeviceList) this.client.emit('problem', { error });
    }
  }

  /**
   * A list from the server, or stated by a device of the user. Throws BadDeviceList where it is none of the user.
   * @param {string} user @param {SignedList} signed
   * @param {{ isStated?: boolean, isByVerifiedDevice?: boolean }} [by] a device states it; the user of this device has
   *   compared the key of that device
   */
  accept(user, signed, by) {
    return this.#oneByOne(() => this.#accept(user, signed, by));
  }

  /**
   * The user of this device accepts the account key of this list. All that was known of another one is forgotten.
   * @param {string} user @param {SignedList} signed
   */
  replace(user, signed) {
    return this.#oneByOne(() => this.#replace(user, signed));
  }

  /** @param {string} user @param {SignedList} signed */
  async #replace(user, signed) {
    await this.#write(user, firstIdentity(await listInfo(signed, user)), this.trust.forgotten(user));
  }

  /** @param {string} user @param {SignedList} signed @param {Parameters<Identities['accept']>[2]} by */
  async #accept(user, signed, { isStated = false, isByVerifiedDevice = false } = {}) {
    const [known, list] = [await this.of(user), await listInfo(signed, user)];
    if (!known && !isByVerifiedDevice && (await this.trust.thumbprints(user))) return;
    if (known && known.key !== signed.account_key) {
      if (!isEqual(known.changed, signed)) await this.#write(user, { ...known, changed: signed });
      return;
    }
    const next = known ? withList(known, list, isStated) : firstIdentity(list);
    const isVerified = isByVerifiedDevice || (await this.trust.key(user)) === signed.account_key;
    if (!isEqual(next, known)) await this.#write(user, next, isVerified ? this.trust.changesOf(user, next) : []);
    const isOwn = user === this.client.me.user.id;
    if (isOwn && known && list.counter >= known.counter && isConflict(known, list))
      this.client.emit('list conflict', { signed });
  }

  /**
   * A device states its user's list inside a group. @param {import('../mls/core-crypto.js').ClientName} sender
   * @param {Member | undefined} leaf of the sender @param {SignedList} signed
   */
  async acceptStated({ user }, leaf, signed) {
    const verified = await this.trust.thumbprints(user);
    const isByVerifiedDevice = leaf !== undefined && verified?.includes(leaf.thumbprint) === true;
    await this.accept(user, signed, { isStated: true, isByVerifiedDevice }).catch((/** @type {unknown} */ error) => {
      if (!(error instanceof BadDeviceList)) throw error;
      this.client.emit('problem', { error }); // any member can send any bytes
    });
  }

  /**
   * Whether what a device says is not its user's: the user has an account key, and never listed the device.
   * @param {import('../mls/core-crypto.js').ClientName} sender @param {Member | undefined} leaf
   */
  async isForeign({ user, device }, leaf) {
    const identity = await this.of(user);
    if (!identity) return false;
    const thumbprint = leaf?.thumbprint ?? '';
    return identity.devices[device] !== thumbprint && !identity.former?.includes(thumbprint);
  }

  /** The user accepts the other account key of a contact, who is not verified then. @param {string} user */
  acceptChanged(user) {
    return this.client.inTurn(() => this.#acceptChanged(user));
  }

  /** Whether the user has shown another account key, which the user of this device has not accepted. @param {string} user */
  async hasChanged(user) {
    return (await this.of(user))?.changed !== undefined;
  }

  /**
   * The user has compared a safety number, and it matches. Throws Refused if the contact has shown another account key
   * since, or if another person was verified under this name.
   * @param {string} user @param {import('./verified.js').Compared} compared @param {string} name of the contact, as the
   *   server gives it now
   */
  verify(user, { key, thumbprints }, name) {
    return this.client.inTurn(async () => {
      await this.trust.checkName(name, user);
      const known = await this.of(user);
      if (known && key !== newestKeyOf(known))
        throw new Refused(409, 'number_changed', 'The safety number has changed: compare it again', 0);
      await this.#acceptChanged(user);
      await this.trust.write(user, thumbprints, name);
      await this.#show(); // in other conversations another user can have the name
      await this.client.emitAndWait('agreed', {});
    });
  }

  /** @param {string} user */
  #acceptChanged(user) {
    return this.#oneByOne(async () => {
      const known = await this.of(user);
      if (known?.changed) await this.#replace(user, known.changed);
    });
  }

  /** The account keys of contacts, for another device of this user. @returns {Promise<import('./handover.js').ContactKey[]>} */
  async ofContacts() {
    const found = [];
    for (const [name, { key, counter, removed = [] }] of await this.client.storage.all('state', 'identity/')) {
      const user = name.slice('identity/'.length);
      if (user === this.client.me.user.id) continue;
      const isVerified = (await this.trust.key(user)) === key;
      found.push({
        user,
        key,
        counter,
        removed,
        isVerified,
        name: (isVerified && (await this.trust.nameOf(user))) || '',
      });
    }
    return found.sort((one, other) => Number(other.isVerified) - Number(one.isVerified));
  }

  /**
   * Another device of this user knows these account keys, whatever the server has shown this one before. Until a contact's
   * newest list comes, the contact has no device.
   * @param {import('./handover.js').ContactKey[]} contacts
   */
  expect(contacts) {
    return this.#oneByOne(async () => {
      for (const { user, key, counter, removed, isVerified, name } of contacts) {
        const known = await this.of(user);
        const isSame = known?.key === key;
        const isNewer = isSame && known.counter >= counter;
        const identity = isNewer ? withRemoved(known, removed) : expected(key, counter, removed);
        const trust = isSame ? [] : this.trust.forgotten(user);
        await this.#write(user, identity, isVerified ? [...trust, ...this.trust.named(user, identity, name)] : trust);
      }
    });
  }

  /** The next account key of this user is the first one again. @param {string} user */
  forget(user) {
    return this.#oneByOne(() =>
      this.client.storage.write([['state', `identity/${user}`], ...this.trust.forgotten(user)]),
    );
  }

  /**
   * @param {string} user @param {Identity} identity @param {import('../storage/storage.js').Change[]} [more]
   */
  async #write(user, identity, more = []) {
    await this.client.storage.write([['state', `identity/${user}`, identity], ...more]);
    this.client.emit('identity', { user, identity });
    this.client.later(() => this.#show(user)); // a list can come at any time, and conversations change in turn
  }

  /** In the groups with this user, or in all. @param {string} [user] */
  async #show(user) {
    for (const one of await this.store.list()) {
      const isConcerned = user === undefined || one.members.some((member) => member.user === user);
      if (one.kind === 'direct' || !isConcerned) continue;
      const pinned = await this.trust.pinned(one);
      if (!isEqual(pinned, one)) await this.store.write(pinned);
    }
  }

  /** The client may have stopped between a change and what it does next, or the server has withheld lists. */
  async #catchUp() {
    await this.#show();
    await this.refreshFor((await this.store.list()).flatMap(({ isActive, members }) => (isActive ? members : [])));
  }

  /** Fetch the lists that are missing, or may be old. @param {Member[]} members */
  async refreshFor(members) {
    const unlisted = new Set((await this.unlisted(members)).map(({ user }) => user));
    for (const user of new Set(members.map((member) => member.user))) {
      if (unlisted.has(user) || !(await this.of(user)) || (await this.hasChanged(user)))
        await this.client.attempt(() => this.refresh(user));
    }
  }
}

/** What a list says. Throws BadDeviceList. @param {SignedList} signed @param {string} user */
async function listInfo(signed, user) {
  const { counter, notAfter, devices } = openDeviceList(signed, user);
  /** @type {Record<string, string>} */
  const thumbprints = {};
  for (const [device, key] of Object.entries(devices)) thumbprints[device] = await thumbprintOf(key);
  return { signed, counter, notAfter, thumbprints };
}
