// @ts-check
/**
 * Linking a device: the new one shows a code, and the user enters it on a device that has the account key. That one lists
 * the new device, and hands the account key to it, encrypted. The server knows neither the code nor the key.
 */
import { Refused } from '../transport/api.js';
import { fromBase64, fromHex, toBase64, uuidBytes } from '../util/bytes.js';
import { WrongCode, authenticate, codeOf, newSecret, secretOf, unwrap, wrap } from './secret-code.js';

const CODE_LIFE_MS = 15 * 60 * 1000; // as at the server
const PURPOSES = { request: 'Sottovoce link request 1', answer: 'Sottovoce link answer 1' };

/** @typedef {{ secret: string, askedAt: number }} Asked in base64, and a Unix time in ms */

export class Linking {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./own-key.js').OwnKey} parts.ownKey
   * @param {import('./own-list.js').OwnList} parts.ownList
   * @param {import('./enrolment.js').Enrolment} parts.enrolment
   */
  constructor(client, { ownKey, ownList, enrolment }) {
    this.client = client;
    this.ownKey = ownKey;
    this.ownList = ownList;
    this.enrolment = enrolment;
  }

  // The new device

  /**
   * Ask to be linked. Returns the code to enter on another device, valid for 15 minutes: the last one while it is valid,
   * since another tab may show it, or a new one.
   */
  async ask({ isNew = false } = {}) {
    const last = await this.client.storage.get('state', 'link');
    if (!isNew && last?.secret && Date.now() < last.askedAt + CODE_LIFE_MS) return codeOf(fromBase64(last.secret));
    const secret = newSecret();
    const request = await authenticate(secret, PURPOSES.request, await this.#aboutThis());
    await this.client.storage.write([['state', 'link', { secret: toBase64(secret), askedAt: Date.now() }]]);
    await this.client.api.callUntilAnswered('PUT', 'links', { request: toBase64(request) });
    return codeOf(secret);
  }

  /** Become listed, if this device has asked and another one has answered. Throws WrongCode. */
  async takeAnswer() {
    const asked = await this.client.storage.get('state', 'link');
    if (this.enrolment.isListed || !asked?.secret) return; // it was a text in earlier versions
    const links = await this.client.api.callUntilAnswered('GET', 'links');
    const answer = links.find(({ device }) => device === this.client.me.device)?.answer;
    if (!answer) return;
    const about = await this.#aboutThis();
    await this.enrolment.take(await unwrap(fromBase64(asked.secret), PURPOSES.answer, about, fromBase64(answer)));
    await this.client.storage.write([['state', 'link']]);
  }

  async #aboutThis() {
    return this.#about(this.client.me.device, await this.client.mls.signatureKey());
  }

  // A device that has the account key

  /**
   * Link the device that shows this code. Throws MistypedCode; WrongCode if no device of the account shows it.
   * @param {string} code
   */
  async link(code) {
    const secret = await secretOf(code);
    const key = await this.ownKey.need();
    const { api } = this.client;
    const devices = await api.callUntilAnswered('GET', 'devices');
    for (const { device, request } of await api.callUntilAnswered('GET', 'links')) {
      const shown = devices.find(({ id }) => id === device);
      if (!shown) continue;
      const signatureKey = fromBase64(shown.signature_key);
      const about = this.#about(device, signatureKey);
      if (toBase64(await authenticate(secret, PURPOSES.request, about)) !== request) continue;
      await this.ownList.publish(key, ({ devices }) => ({ ...devices, [device]: signatureKey }));
      if (!(await this.ownList.has(device, signatureKey)))
        throw new Refused(409, 'device_removed', 'The device was removed before: log out there, and log in again', 0);
      const answer = await wrap(secret, PURPOSES.answer, about, await this.enrolment.handover());
      await api.callUntilAnswered('PUT', `links/${device}`, { answer: toBase64(answer) });
      return device;
    }
    throw new WrongCode('no device of the account shows this code');
  }

  /** @param {string} device @param {Uint8Array} signatureKey */
  #about(device, signatureKey) {
    return Uint8Array.from([...uuidBytes(this.client.me.user.id), ...fromHex(device), ...signatureKey]);
  }
}
