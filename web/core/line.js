// @ts-check
/** The line to the server: one socket, opened again whenever it is lost. */
import { sleep } from './api.js';

const RECONNECT_MS = 200;
const RECONNECT_MAX_MS = 10_000;

export class Line {
  /** @type {any} */
  #socket = null;
  #wanted = false;
  #failures = 0;
  /** What was missed has been heard. */
  isReady = false;

  /** @param {import('./client.js').Client} client @param {(frame: any) => void} onFrame */
  constructor(client, onFrame) {
    this.client = client;
    this.onFrame = onFrame;
  }

  /** Stay connected until `close`. Returns when everything that was missed has been heard; rejects where the session is over. */
  connect() {
    this.#wanted = true;
    const ready = new Promise((resolve, reject) => {
      this.client.addEventListener('ready', () => resolve(undefined), { once: true });
      this.client.addEventListener('logged out', () => reject(new Error('this session has ended, log in again')), { once: true });
    });
    if (this.#socket === null) this.#open();
    return this.isReady ? Promise.resolve() : ready;
  }

  close() {
    this.#wanted = false;
    this.#socket?.close();
  }

  /** The network is back: try at once. */
  hurry() {
    this.#failures = 0;
    if (this.#wanted && this.#socket === null) this.#open();
  }

  /** Lost where there is no line. @param {unknown} frame */
  put(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  ready() {
    this.#failures = 0;
    this.isReady = true;
  }

  #open() {
    const socket = this.client.api.open(this.onFrame, () => this.#onClose(socket));
    this.#socket = socket;
  }

  /** @param {unknown} socket */
  async #onClose(socket) {
    if (socket !== this.#socket) return; // an older one
    this.#socket = null;
    this.isReady = false;
    this.client.tell('offline', {});
    if (!this.#wanted) return;
    this.#failures += 1;
    if (await this.client.account.isOver()) {
      this.#wanted = false;
      this.client.tell('logged out', {});
      return;
    }
    await sleep(Math.min(RECONNECT_MAX_MS, RECONNECT_MS * 2 ** this.#failures) * (0.5 + Math.random()));
    if (this.#wanted && this.#socket === null) this.#open();
  }
}
