// @ts-check
/**
 * Who has to be in a group that this device has not joined yet: those whom its user chose when it started the group, and
 * those whom another device of the user has seen there. Others, or the server, have added everyone else.
 */

export class ExpectedUsers {
  /**
   * @param {import('../context.js').Context} client
   * @param {{ store: import('./store.js').ConversationStore }} parts
   */
  constructor(client, { store }) {
    this.client = client;
    this.store = store;
  }

  /** @param {string} id @returns {Promise<string[] | undefined>} */
  of(id) {
    return this.client.storage.get('state', `expected/${id}`);
  }

  /** @param {import('../trust/handover.js').KnownGroup[]} groups */
  async write(groups) {
    await this.client.storage.write(groups.map(({ id, users }) => ['state', `expected/${id}`, users]));
  }

  /** The device is in the group, and knows more than that. @param {string} id */
  async clear(id) {
    await this.client.storage.write([['state', `expected/${id}`]]);
  }

  /**
   * The groups with a member whom the user has verified, for another device: the latest first.
   * @returns {Promise<import('../trust/handover.js').KnownGroup[]>}
   */
  async ofVerified() {
    const groups = (await this.store.list()).filter(
      ({ kind, isActive, isForged, verified }) =>
        kind !== 'direct' && isActive && !isForged && Object.keys(verified).length > 0,
    );
    return groups
      .sort((one, other) => ((other.last?.at ?? '') < (one.last?.at ?? '') ? -1 : 1))
      .map(({ id, members, strangers = [] }) => {
        const users = new Set(members.map(({ user }) => user));
        return { id, users: [...users].filter((user) => !strangers.includes(user)) };
      });
  }
}
