// @ts-check
/** What all parts of a client share: the account, the API, the storage, the order of work, and events. */
import { CachedStorage } from './storage/cached.js';
import { Api, Refused } from './transport/api.js';
import { oneByOne } from './util/one-by-one.js';

/**
 * @typedef {import('./session/account.js').Me} Me
 * @typedef {import('./mls/core-crypto.js').Mls} Mls
 *
 * @typedef {object} Socket what the client uses of a WebSocket
 * @property {number} readyState
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onerror
 * @property {((event: any) => void) | null} onclose
 * @property {(text: string) => void} send
 * @property {() => void} close
 *
 * @typedef {{ new (address: string, options?: any): Socket, isNode?: boolean }} SocketConstructor
 *   in Node, options carry the session's token; browsers send a cookie
 *
 * @typedef {object} Platform
 * @property {import('./storage/storage.js').Storage} storage
 * @property {(me: Me) => Promise<import('../vendor/core-crypto.js').Database>} openDatabase
 * @property {() => Promise<void>} [erase] deletes what the platform stores beside `storage`
 * @property {() => Promise<void>} [persist] makes that database durable, if the platform does not
 * @property {string} [name] of the device, as the user sees it in the list of devices
 * @property {typeof fetch} [fetch]
 * @property {SocketConstructor} [WebSocket]
 *
 * @typedef {import('./events.d.ts').ClientEvents} ClientEvents
 * @typedef {import('./events.d.ts').WaitedEvents} WaitedEvents
 */

export class Context extends EventTarget {
  /** @type {Me} */
  me = /** @type {any} */ (null);
  /** @type {Mls} */
  mls = /** @type {any} */ (null);
  /** @type {import('./transport/connection.js').Connection} */
  connection = /** @type {any} */ (null);
  /** @type {Map<string, ((detail: never) => Promise<void>)[]>} */
  #handlers = new Map();

  /** @param {string} server @param {Platform} platform */
  constructor(server, platform) {
    super();
    this.platform = platform;
    this.storage = new CachedStorage(platform.storage);
    this.api = new Api(server, platform);
    this.api.onMalformed = (error) => this.emit('problem', { error });
  }

  /** Run one piece of work after the other. */
  inTurn = oneByOne();

  /** The same in the background; an error is emitted as a 'problem'. @param {() => Promise<unknown>} work */
  later(work) {
    this.inTurn(work).catch((/** @type {unknown} */ error) => this.#report(error));
  }

  /**
   * Emit an error as a 'problem': one conversation that fails must not stop the others.
   * @template R @param {() => Promise<R>} work @returns {Promise<R | undefined>}
   */
  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** The end of the session is an event of its own, 'logged out'. @param {unknown} error */
  #report(error) {
    if (!(error instanceof Refused && error.status === 401)) this.emit('problem', { error });
  }

  /** Returns when the work that was queued before has ended. */
  async settled() {
    await this.inTurn(async () => {});
  }

  /** @template {keyof ClientEvents} Type @param {Type} type @param {ClientEvents[Type]} detail */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @template {keyof ClientEvents} Type @param {Type} type @param {(detail: ClientEvents[Type]) => void} listener */
  listen(type, listener) {
    this.addEventListener(type, (event) => listener(/** @type {CustomEvent<ClientEvents[Type]>} */ (event).detail));
  }

  /**
   * Handlers of one event run in the order in which they were registered; an error is thrown by `emitAndWait`.
   * @template {keyof WaitedEvents} Type @param {Type} type
   * @param {(detail: WaitedEvents[Type]) => Promise<void>} handler
   */
  on(type, handler) {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler]);
  }

  /** @template {keyof WaitedEvents} Type @param {Type} type @param {WaitedEvents[Type]} detail */
  async emitAndWait(type, detail) {
    this.emit(type, /** @type {ClientEvents[Type]} */ (/** @type {unknown} */ (detail)));
    for (const handler of this.#handlers.get(type) ?? []) await handler(/** @type {never} */ (detail));
  }
}
