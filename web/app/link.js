// @ts-check
/** The tab's connection to the leading worker, in this tab or another: it carries calls to it and events from it. */
import { scriptUrl } from './trusted.js';

const CHANNEL = 'sottovoce';
const SOON_MS = 500;
const LATER_MS = 5000; // where it could not begin

/**
 * @typedef {{ code: string, status: number, message: string, retryAfterS: number }} PlainError as the worker sends it
 *
 * @typedef {import('../worker/events.js').WorkerEvents & { broken: { reason: string, code?: string } }} LinkEvents
 *   `broken`: this tab's worker could not start
 * @typedef {{ [Name in keyof LinkEvents]: { event: Name, detail: LinkEvents[Name] } }[keyof LinkEvents]} WorkerEvent
 *
 * @typedef {{ group: string, method: string, args: unknown }} Call
 * @typedef {Call & { call: string }} CallMessage other tabs receive it too, and ignore it
 * @typedef {{ answer: string, result?: unknown, error?: PlainError }} Answer
 * @typedef {{ message: CallMessage, resolve: (result: unknown) => void, reject: (error: Error) => void }} PendingCall
 */

/** What the worker, or the server behind it, refused; `code` says why. */
export class CallFailed extends Error {
  name = 'CallFailed';

  /** @param {PlainError} error */
  constructor({ code, status, message, retryAfterS }) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

export class Link {
  /** @type {Worker | null} */
  #worker = null;
  #channel = new BroadcastChannel(CHANNEL);
  /** @type {Map<string, PendingCall>} */
  #calls = new Map();
  /** The worker's calls, by group and method. */
  rpc = rpcThrough((message) => this.#call(message));

  /** @param {(event: WorkerEvent) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.#channel.onmessage = (/** @type {MessageEvent<WorkerEvent | Answer | CallMessage>} */ { data }) => {
      if ('event' in data) this.#onEvent(data);
      else if ('answer' in data) this.#onAnswer(data);
    };
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
      this.onEvent({ event: 'problem', detail: { error: { code: 'worker', message: event.message } } });
      worker.terminate();
      restartMs = isAlive ? SOON_MS : LATER_MS; // it could not even be fetched
      if (!isAlive) restart();
    };
    worker.onmessage = (/** @type {MessageEvent<{ failed?: string, code?: string }>} */ { data: { failed, code } }) => {
      if (failed === undefined) {
        isAlive = true;
        void navigator.locks.request(name, restart); // it holds this lock while it lives
      } else {
        restartMs = LATER_MS;
        this.onEvent({ event: 'broken', detail: { reason: failed, code } });
        worker.terminate();
      }
    };
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
  }

  /**
   * Pending until it is answered; a new leader gets the call again.
   * @param {Call} request @returns {Promise<unknown>}
   */
  #call(request) {
    const message = { call: crypto.randomUUID(), ...request };
    return new Promise((resolve, reject) => {
      this.#calls.set(message.call, { message, resolve, reject });
      this.#channel.postMessage(message);
    });
  }

  /** @param {WorkerEvent} workerEvent */
  #onEvent(workerEvent) {
    if (workerEvent.event === 'leads')
      for (const { message } of this.#calls.values()) this.#channel.postMessage(message);
    this.onEvent(workerEvent);
  }

  /** @param {Answer} answer */
  #onAnswer({ answer, result, error }) {
    const call = this.#calls.get(answer);
    if (!call) return;
    this.#calls.delete(answer);
    if (error) call.reject(new CallFailed(error));
    else call.resolve(result);
  }
}

/**
 * A proxy with the type of the worker's table of calls: `rpc.messages.send({ … })`.
 * @param {(request: Call) => Promise<unknown>} call @returns {import('../worker/rpc.js').Rpc}
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
