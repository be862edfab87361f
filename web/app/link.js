// @ts-check
/** The tab's connection to the leading worker, in this tab or another: it carries calls to it and events from it. */
import { scriptUrl } from './trusted.js';

const CHANNEL = 'sottovoce';
const SOON_MS = 500;
const LATER_MS = 5000; // where it could not begin

/** What the worker, or the server behind it, refused; `code` says why. */
export class CallFailed extends Error {
  name = 'CallFailed';

  /** @param {{ code: string, status: number, message: string, retryAfterS: number }} error */
  constructor({ code, status, message, retryAfterS }) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** @typedef {{ group: string, method: string, args: unknown }} Call */

export class Link {
  /** @type {Worker | null} */
  #worker = null;
  #channel = new BroadcastChannel(CHANNEL);
  /** @type {Map<string, { message: Call & { call: string }, resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #calls = new Map();
  /** The worker's calls, by group and method. */
  rpc = rpcThrough((message) => this.#call(message));

  /** @param {(event: string, detail: any) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.#channel.onmessage = ({ data }) => this.#onMessage(data);
  }

  start() {
    const name = `sottovoce ${crypto.randomUUID()}`;
    const worker = new Worker(scriptUrl('/web/worker/main.js'), { type: 'module', name });
    this.#worker = worker;
    let isAlive = false;
    let restartMs = SOON_MS;
    // One that has come to grief takes nothing with it: what matters is stored.
    const restart = () =>
      void (worker === this.#worker && setTimeout(() => worker === this.#worker && this.start(), restartMs));
    worker.onerror = (event) => {
      event.preventDefault();
      this.onEvent('problem', { error: { code: 'worker', message: event.message } });
      worker.terminate();
      restartMs = isAlive ? SOON_MS : LATER_MS; // it could not even be fetched
      if (!isAlive) restart();
    };
    worker.onmessage = ({ data: { failed, code } }) => {
      if (failed === undefined) {
        isAlive = true;
        void navigator.locks.request(name, restart); // it holds this lock while it lives
      } else {
        restartMs = LATER_MS;
        this.onEvent('broken', { reason: failed, code });
        worker.terminate();
      }
    };
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
  }

  /** Pending until it is answered; a new leader gets the call again. @param {Call} request @returns {Promise<any>} */
  #call(request) {
    const message = { call: crypto.randomUUID(), ...request };
    return new Promise((resolve, reject) => {
      this.#calls.set(message.call, { message, resolve, reject });
      this.#channel.postMessage(message);
    });
  }

  /** @param {any} data */
  #onMessage({ answer, result, error, event, detail }) {
    if (event !== undefined) {
      if (event === 'leads') for (const { message } of this.#calls.values()) this.#channel.postMessage(message);
      this.onEvent(event, detail);
    }
    const call = this.#calls.get(answer);
    if (!call) return;
    this.#calls.delete(answer);
    if (error) call.reject(new CallFailed(error));
    else call.resolve(result);
  }
}

/**
 * A proxy with the type of the worker's table of calls: `rpc.messages.send({ … })`.
 * @param {(request: Call) => Promise<any>} call @returns {import('../worker/rpc.js').Rpc}
 */
export function rpcThrough(call) {
  const groupProxy = (/** @type {string} */ group) =>
    new Proxy(
      {},
      { get: (_, method) => (/** @type {unknown} */ args) => call({ group, method: String(method), args }) },
    );
  return /** @type {import('../worker/rpc.js').Rpc} */ (
    new Proxy({}, { get: (_, group) => groupProxy(String(group)) })
  );
}
