// @ts-check
/**
 * States this account's device list inside its groups: before the first message that this device sends after the list
 * has changed, after the group has a device that was not stated to, or after a device has joined by an external
 * commit. A server that withholds a list then has to withhold this entry, too.
 */

/**
 * @typedef {import('../content/device-list.js').StatedList} StatedList
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../storage/storage.js').Change} Change
 * @typedef {{ signature: string, joined: number, readers: string[] }} Stated which list, after which external commit, and to
 *   which devices: their thumbprints
 */

export class Statements {
  /** @param {import('../context.js').Context} client @param {{ identities: import('./identities.js').Identities }} parts */
  constructor(client, { identities }) {
    this.client = client;
    this.identities = identities;
  }

  /**
   * What has to be sent before a message to this group, and what to write together with it.
   * @param {Conversation} conversation
   * @returns {Promise<{ content: Omit<StatedList, 'id'>, change: Change } | null>}
   */
  async due({ id, joined = 0, members }) {
    const own = await this.identities.of(this.client.me.user.id);
    if (!own) return null;
    const { signature } = own.signed;
    const readers = members.map(({ thumbprint }) => thumbprint);
    const stated = await this.client.storage.get('state', `stated/${id}`);
    const isStated = stated?.signature === signature && stated.joined === joined;
    if (isStated && readers.every((one) => stated.readers.includes(one))) return null;
    return {
      content: { kind: 'device_list', ...own.signed },
      change: ['state', `stated/${id}`, { signature, joined, readers }],
    };
  }
}
