// @ts-check
/** A server that lies to two clients: what it knows, what its devices have read, and what it has lied about. */
import { fromBase64 } from '../client/util/bytes.js';
import * as cc from '../vendor/core-crypto.js';

/**
 * @typedef {import('./tampering.js').Frame} Frame
 * @typedef {import('./users.js').Device & { lies: import('./tampering.js').Tampering }} Victim
 */

export class Liar {
  /** Devices that only the server has, and that one of the victims was shown. @type {import('./tampering.js').Ghost[]} */
  ghosts = [];
  /** What the ghosts have read of the victims. @type {string[]} */
  read = [];
  /** Entries that the server had, in their order. @type {Frame[]} */
  entries = [];
  /** Group infos that the server had. @type {Uint8Array[]} */
  groupInfos = [];
  /** Key packages that a victim was given. @type {string[]} */
  keyPackages = [];
  /** Victims to whom the server shows a log of their own. @type {Map<Victim, import('./private-log.js').PrivateLog>} */
  logs = new Map();

  /**
   * @param {() => number} chance @param {Victim[]} victims
   * @param {ReturnType<typeof crypto.randomUUID>} id of their conversation
   */
  constructor(chance, victims, id) {
    this.chance = chance;
    this.victims = victims;
    this.id = id;
    for (const { lies } of victims) {
      lies.changeFrame.push((frame) => {
        if (frame.type === 'entry' && frame.conversation === id) this.entries.push(frame);
        return undefined;
      });
      lies.changeSent.push((frame) => {
        if (frame.type === 'send' && frame.conversation === id) this.#overhear(frame);
        return undefined;
      });
      lies.answerRequest.push(({ method, path, body }) => {
        if (method !== 'POST') return undefined;
        if (path === `conversations/${id}/commits`)
          this.#overhear({ conversation: id, data: body.commit }, body.welcome);
        if (path === 'conversations' && body.id === id) this.#join(body.welcome);
        return undefined;
      });
    }
  }

  #reading = Promise.resolve();

  /**
   * Every ghost tries to read it; also commits, to follow the group.
   * @param {{ [field: string]: any }} one @param {string | null} [welcome] to those whom it adds
   */
  #overhear(one, welcome) {
    this.#reading = this.#reading.then(async () => {
      for (const ghost of this.ghosts) this.read.push(...(await ghost.read([{ type: 'send', ...one }])));
    });
    this.#join(welcome);
  }

  /** Every ghost tries to join. @param {string | null} [welcome] */
  #join(welcome) {
    if (!welcome) return;
    this.#reading = this.#reading.then(async () => {
      for (const ghost of this.ghosts) await ghost.accept(new cc.Welcome(fromBase64(welcome))).catch(() => {});
    });
  }

  /** The ghosts have tried everything. */
  async hasRead() {
    await this.#reading;
    return this.read;
  }

  /** @template T @param {T[]} among @returns {T} */
  pick(among) {
    return among[Math.floor(this.chance() * among.length)];
  }

  /** Show the victim this entry next. @param {Victim} victim @param {object} more */
  async show(victim, more) {
    const log = this.logs.get(victim);
    if (log) await log.show(more);
    else victim.lies.inject(await this.next(victim, more));
  }

  /** From now on it passes on everything as it is. */
  turnHonest() {
    for (const { lies } of this.victims)
      for (const hooks of [lies.answerRequest, lies.changeAnswer, lies.changeFrame, lies.changeSent]) hooks.length = 0;
  }

  /** An entry after those that the victim has. @param {Victim} victim @param {object} more */
  async next(victim, more) {
    const { cursor = 0 } = (await victim.client.store.get(this.id)) ?? {};
    return { type: 'entry', conversation: this.id, seq: cursor + 1, at: new Date().toISOString(), ...more };
  }

  /** The other one of the two. @param {Victim} victim */
  other(victim) {
    return this.victims[this.victims[0] === victim ? 1 : 0];
  }

  /** For a fifth of the requests and frames. */
  get isNow() {
    return this.chance() < 0.2;
  }
}
