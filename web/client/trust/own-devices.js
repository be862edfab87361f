// @ts-check
/**
 * The devices of this account, as the server knows them. One that the account key has not listed has logged in with the
 * password and can read nothing: the user confirms it, or removes it.
 */

import { fromBase64 } from '../util/bytes.js';
import { isListed } from './identity.js';
import { thumbprintOf } from './thumbprint.js';

/** @typedef {import('../transport/frames.d.ts').Device & { isListed: boolean }} OwnDevice */

export class OwnDevices {
  /** Those that are not listed. @type {OwnDevice[]} */
  unconfirmed = [];

  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./identities.js').Identities} parts.identities
   * @param {import('./enrolment.js').Enrolment} parts.enrolment
   */
  constructor(client, { identities, enrolment }) {
    this.client = client;
    this.identities = identities;
    this.enrolment = enrolment;
    client.listen('ready', () => client.later(() => this.check()));
    client.listen('identity', ({ user }) => user === client.me.user.id && client.later(() => this.check()));
  }

  /** @returns {Promise<OwnDevice[]>} */
  async list() {
    const own = await this.identities.of(this.client.me.user.id);
    const devices = await this.client.api.callUntilAnswered('GET', 'devices');
    return Promise.all(
      devices.map(async (one) => {
        const leaf = { device: one.id, thumbprint: await thumbprintOf(fromBase64(one.signature_key)) };
        return { ...one, isListed: own === undefined || isListed(own, leaf) };
      }),
    );
  }

  /** Ask the server, and emit the devices that are not listed. A device that is not listed itself confirms none. */
  async check() {
    if (!this.enrolment.isListed || !this.client.connection.isReady) return;
    this.unconfirmed = (await this.list()).filter(({ isListed }) => !isListed);
    this.client.emit('unconfirmed', { devices: this.unconfirmed });
  }
}
