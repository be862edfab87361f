// @ts-check
/**
 * The recovery key: what a user writes down to list a new device without another one. The server stores the account key
 * encrypted with it.
 */
import { Refused } from '../transport/api.js';
import { fromBase64, toBase64, uuidBytes } from '../util/bytes.js';
import { codeOf, newSecret, secretOf, unwrap, wrap } from './secret-code.js';

const PURPOSE = 'Sottovoce recovery 1';
const SIGNATURE_LABEL = new TextEncoder().encode(PURPOSE);

export class RecoveryKey {
  /**
   * @param {import('../context.js').Context} client
   * @param {object} parts
   * @param {import('./own-key.js').OwnKey} parts.ownKey
   * @param {import('./enrolment.js').Enrolment} parts.enrolment
   */
  constructor(client, { ownKey, enrolment }) {
    this.client = client;
    this.ownKey = ownKey;
    this.enrolment = enrolment;
  }

  /** @returns {Promise<string>} a new recovery key; an earlier one opens nothing any more */
  async make() {
    const key = await this.ownKey.need();
    const user = uuidBytes(this.client.me.user.id);
    const secret = newSecret();
    const recovery = await wrap(secret, PURPOSE, user, await this.enrolment.handover());
    const signature = key.sign(Uint8Array.from([...SIGNATURE_LABEL, ...user, ...recovery]));
    const body = { recovery: toBase64(recovery), signature: toBase64(signature) };
    await this.client.api.callUntilAnswered('PUT', 'account/recovery', body);
    return codeOf(secret);
  }

  /** Whether the server says that there is one, made on any device. */
  async exists() {
    try {
      await this.client.api.callUntilAnswered('GET', 'account/recovery');
      return true;
    } catch (error) {
      if (error instanceof Refused && error.code === 'no_device_list') return false;
      throw error;
    }
  }

  /** List this device by the recovery key. Throws MistypedCode, WrongCode, Refused. @param {string} code */
  async use(code) {
    const secret = await secretOf(code);
    const { recovery } = await this.client.api.callUntilAnswered('GET', 'account/recovery');
    const user = uuidBytes(this.client.me.user.id);
    const handover = await unwrap(secret, PURPOSE, user, fromBase64(recovery));
    await this.client.inTurn(() => this.enrolment.take(handover));
  }
}
