// @ts-check
/** What all parts of a client share: the account, the API, the storage, the order of work, and events. */
import { Api } from './transport/api.js';

/**
 * @typedef {import('./session/account.js').Me} Me
 * @typedef {import('./mls/core-crypto.js').Mls} Mls
 * @typedef {import('./conversations/reducer.js').Conversation} Conversation
 * @typedef {import('./conversations/reducer.js').Notice} Notice
 * @typedef {import('./mls/core-crypto.js').Member} Member
 *
 * @typedef {object} Platform
 * @property {import('./storage/storage.js').Storage} storage
 * @property {(me: Me) => Promise<import('../vendor/core-crypto.js').Database>} openDatabase
 * @property {() => Promise<void>} [persist] what makes that database durable, where it is not by itself
 * @property {string} [name] of the device, as the user sees it in the list of devices
 * @property {typeof fetch} [fetch]
 * @property {any} [WebSocket]
 *
 * @typedef {{
 *   'state lost': { conversation: string, reason: string },
 *   'keys changed': { conversation: string },
 *   members: { conversation: string, notice: { what: 'members' } & import('./conversations/reducer.js').Change, before: Conversation, members: Member[], sender: string },
 *   'own message': { id: string, seq: number, at: string },
 *   epoch: { conversation: string },
 *   left: { conversation: string, device: string },
 *   joined: { conversation: string, after: number },
 * }} Events that parts handle before the part that emits them goes on
 */

export class Context extends EventTarget {
  /** @type {Me} */
  me = /** @type {any} */ (null);
  /** @type {Mls} */
  mls = /** @type {any} */ (null);
  /** @type {import('./transport/connection.js').Connection} */
  connection = /** @type {any} */ (null);
  /** @type {Map<string, ((detail: any) => Promise<void>)[]>} */
  #handlers = new Map();
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {string} server @param {Platform} platform */
  constructor(server, platform) {
    super();
    this.platform = platform;
    this.storage = platform.storage;
    this.api = new Api(server, platform);
    this.api.onMalformed = (error) => this.emit('problem', { error });
  }

  /** Run one piece of work after the other. @template R @param {() => Promise<R>} work @returns {Promise<R>} */
  inTurn(work) {
    const next = this.#last.then(work);
    this.#last = next.catch(() => {});
    return next;
  }

  /** The same in the background; an error is emitted as a 'problem'. @param {() => Promise<unknown>} work */
  later(work) {
    this.inTurn(work).catch((error) => this.emit('problem', { error }));
  }

  /** Emit an error as a 'problem': one conversation that fails must not stop the others. @param {() => Promise<unknown>} work */
  async attempt(work) {
    await work().catch((error) => this.emit('problem', { error }));
  }

  /** Returns when the work that was queued before has ended. */
  async settled() {
    await this.#last;
  }

  /** @param {string} type @param {object} detail */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /**
   * Handlers of one event run in the order in which they were registered; an error is thrown by `emitAndWait`.
   * @template {keyof Events} Type @param {Type} type @param {(detail: Events[Type]) => Promise<void>} handler
   */
  on(type, handler) {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler]);
  }

  /** @template {keyof Events} Type @param {Type} type @param {Events[Type]} detail */
  async emitAndWait(type, detail) {
    this.emit(type, detail);
    for (const handler of this.#handlers.get(type) ?? []) await handler(detail);
  }
}
