// @ts-check
/** The line to the server: one socket, opened again whenever it is lost. */
import { sleep } from './api.js';

const RECONNECT_MS = 200;
const RECONNECT_MAX_MS = 10_000;
const BEAT_MS = 20_000;
const SILENCE_MS = 45_000; // a line that says nothing for this long is dead, whatever TCP believes
const HURRY_MS = 4_000; // where there is reason to doubt it

export class Connection {
  /** @type {any} */
  #socket = null;
  /** That which has said 'ready'. @type {any} */
  #heardAll = null;
  #wanted = false;
  #failures = 0;
  #heardAt = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #beat;
  /** What was missed has been heard. */
  isReady = false;

  /**
   * @param {import('../context.js').Context} client
   * @param {{ onFrame: (frame: import('./frames.d.ts').ServerFrame) => void, isSessionOver: () => Promise<boolean> }} handlers
   */
  constructor(client, { onFrame, isSessionOver }) {
    this.client = client;
    this.onFrame = onFrame;
    this.isSessionOver = isSessionOver;
  }

  /** Stay connected until `close`. Returns when everything that was missed has been heard; rejects where the session is over. */
  connect() {
    this.#wanted = true;
    if (this.isReady) return Promise.resolve();
    const ready = new Promise((resolve, reject) => {
      this.client.addEventListener('ready', () => resolve(undefined), { once: true });
      this.client.addEventListener('logged out', () => reject(new Error('this session has ended, log in again')), {
        once: true,
      });
    });
    if (this.#socket === null) this.#open();
    return ready;
  }

  close() {
    this.#wanted = false;
    this.#socket?.close();
  }

  /** The network has come or gone: try at once, and do not trust an old line. */
  hurry() {
    this.#failures = 0;
    if (!this.#wanted) return;
    if (this.#socket === null) return this.#open();
    const { readyState } = this.#socket;
    if (readyState !== 1) return;
    const socket = this.#socket;
    const asked = Date.now();
    this.send({ type: 'ping' });
    setTimeout(() => socket === this.#socket && this.#heardAt < asked && this.#drop(), HURRY_MS);
  }

  /** Lost where there is no connection. @param {import('./frames.d.ts').ClientFrame} frame */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** False where the line that had heard it is lost by now. */
  ready() {
    if (this.#socket === null || this.#socket !== this.#heardAll) return false;
    this.#failures = 0;
    this.isReady = true;
    return true;
  }

  #open() {
    const onFrame = (/** @type {import('./frames.d.ts').ServerFrame | null} */ frame) => {
      this.#heardAt = Date.now();
      if (frame === null) return;
      if (frame.type === 'ready') this.#heardAll = socket;
      this.onFrame(frame);
    };
    const socket = this.client.api.open(onFrame, () => this.#onClose(socket));
    this.#socket = socket;
    this.#heardAt = Date.now();
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#onBeat(), BEAT_MS);
  }

  #onBeat() {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#drop();
    else this.send({ type: 'ping' });
  }

  /** Not waiting for the other end to agree. */
  #drop() {
    const socket = this.#socket;
    socket?.close();
    this.#onClose(socket);
  }

  /** @param {unknown} socket */
  async #onClose(socket) {
    if (socket === null || socket !== this.#socket) return; // an older one
    clearInterval(this.#beat);
    this.#socket = null;
    this.isReady = false;
    this.client.emit('offline', {});
    if (!this.#wanted) return;
    this.#failures += 1;
    if (await this.isSessionOver()) {
      this.#wanted = false;
      this.client.emit('logged out', {});
      return;
    }
    await sleep(Math.min(RECONNECT_MAX_MS, RECONNECT_MS * 2 ** this.#failures) * (0.5 + Math.random()));
    if (this.#wanted && this.#socket === null) this.#open();
  }
}
