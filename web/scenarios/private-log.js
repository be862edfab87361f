// @ts-check
/** A server that shows one device a log of its own of a group, and the others the true one. */
import { parseHead } from '../client/mls/frames.js';
import { fromBase64 } from '../client/util/bytes.js';
import { known, NOW, secrets } from './attacks.js';

/** @typedef {import('./attacks.js').Deceived} Deceived */
/** @typedef {import('./tampering.js').Frame} Frame */

export class PrivateLog {
  /** What the device has been shown, and what it has sent. @type {Frame[]} */
  entries = [];
  /** Commits of the device get no entry. */
  hidesCommits = false;
  #seq = 0;

  /** @param {Deceived} device @param {string} id */
  constructor(device, id) {
    this.device = device;
    this.id = id;
    const { lies } = device;
    lies.answerRequest.push(({ method, path, body }) => this.#answer(method, path, body));
    lies.changeSent.push((frame) => {
      if (frame.type === 'ack') return null;
      if (frame.type !== 'send' || frame.conversation !== id) return undefined;
      const { epoch, data, id: message } = frame;
      void this.show({ kind: 'application', epoch, sender: this.#own, data, id: message });
      return null;
    });
    lies.changeFrame.push((frame) => (frame.type === 'entry' && frame.conversation === id ? null : undefined));
  }

  get #own() {
    return this.device.client.me.device;
  }

  /** @param {string} method @param {string} path @param {any} body */
  async #answer(method, path, body) {
    const { id } = this;
    if (path === `conversations/${id}/removals`) return { devices: [] };
    if (path.startsWith(`conversations/${id}/log`)) {
      const after = Number(path.split('=')[1]);
      return this.entries.filter(({ seq }) => seq > after);
    }
    if (method !== 'POST' || path !== `conversations/${id}/commits`) return undefined;
    const { epoch } = parseHead(fromBase64(body.commit));
    const entry = { kind: 'commit', epoch, sender: this.#own, data: body.commit };
    if (!this.hidesCommits) return { seq: (await this.show(entry)).seq, epoch: epoch + 1, at: NOW() };
    this.entries.push({ ...entry, type: 'entry', conversation: id, seq: 0 });
    return { seq: (await known(this.device, id)).cursor + 1, epoch: epoch + 1, at: NOW() };
  }

  /** The next entry of the log. @param {object} more */
  async show(more) {
    this.#seq = Math.max(this.#seq, (await known(this.device, this.id)).cursor) + 1;
    /** @type {Frame} */
    const entry = { type: 'entry', conversation: this.id, seq: this.#seq, at: NOW(), ...more };
    this.entries.push(entry);
    setTimeout(() => this.device.lies.inject(entry), 20);
    return entry;
  }

  /** What a ghost can read of it. @param {import('./tampering.js').Ghost} ghost */
  async readBy(ghost) {
    return secrets(await ghost.read(this.entries));
  }

  /** The server is honest from now on. */
  async end() {
    const { lies } = this.device;
    for (const hooks of [lies.answerRequest, lies.changeAnswer, lies.changeFrame, lies.changeSent]) hooks.length = 0;
    this.device.leaves();
    await this.device.returns();
  }
}
