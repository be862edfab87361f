// @ts-check
/**
 * States this account's device list inside its groups: before the first message that this device sends after the list or
 * the devices of the group have changed. A server that withholds a list then has to withhold this entry, too.
 */

/**
 * @typedef {import('../content/device-list.js').StatedList} StatedList
 * @typedef {import('../storage/storage.js').Change} Change
 */

export class Statements {
  /** @param {import('../context.js').Context} client @param {{ identities: import('./identities.js').Identities }} parts */
  constructor(client, { identities }) {
    this.client = client;
    this.identities = identities;
    client.on('members changed', async ({ conversation, notice }) => {
      if (notice.added.length || notice.devices.length) await this.repeat(conversation);
    });
    client.on('joined', ({ conversation }) => this.repeat(conversation));
  }

  /**
   * What has to be sent before a message to this group, and what to write together with it.
   * @param {string} conversation
   * @returns {Promise<{ content: Omit<StatedList, 'id'>, change: Change } | null>}
   */
  async due(conversation) {
    const own = await this.identities.of(this.client.me.user.id);
    if (!own || (await this.client.storage.get('state', `stated/${conversation}`)) === own.signed.signature)
      return null;
    return {
      content: { kind: 'device_list', ...own.signed },
      change: ['state', `stated/${conversation}`, own.signed.signature],
    };
  }

  /** There are devices that have not read it. @param {string} conversation */
  async repeat(conversation) {
    await this.client.storage.write([['state', `stated/${conversation}`]]);
  }
}
