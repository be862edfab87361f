// @ts-check
/**
 * The connection to the server: one socket, opened again whenever it is lost.
 *
 * After `connect` it stays open until `close`. A socket that receives nothing for 45 s is replaced. `isReady` is true
 * from the frame `ready`, when everything that was missed has been processed, until the socket is lost. If the session
 * is over, 'logged out' is emitted and no further socket is opened.
 */
import { sleep } from './api.js';

const RECONNECT_MS = 200;
const RECONNECT_MAX_MS = 10_000;
const PING_MS = 20_000;
const SILENCE_MS = 45_000; // then the connection counts as lost, even if TCP has not noticed
const CHECK_MS = 4_000; // how long an answer may take when the network has changed

export class Connection {
  /** @type {import('../context.js').Socket | null} */
  #socket = null;
  /** The socket that has received 'ready'. @type {import('../context.js').Socket | null} */
  #readySocket = null;
  /** False before a device has connected, and after its session ended. */
  isWanted = false;
  #failures = 0;
  #receivedAt = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pings;
  /** Everything that was missed has been received and processed. */
  isReady = false;

  /**
   * @param {import('../context.js').Context} client
   * @param {object} handlers
   * @param {(frame: import('./frames.d.ts').ServerFrame) => void} handlers.onFrame
   * @param {() => Promise<boolean>} handlers.isSessionOver
   */
  constructor(client, { onFrame, isSessionOver }) {
    this.client = client;
    this.onFrame = onFrame;
    this.isSessionOver = isSessionOver;
  }

  /** Connect and stay connected. Returns when it is ready; rejects if the session is over. */
  connect() {
    this.isWanted = true;
    if (this.isReady) return Promise.resolve();
    const settled = new AbortController(); // removes the listener that was not called, too
    const ready = new Promise((resolve, reject) => {
      const ended = () => reject(new Error('your session has ended: log in again'));
      this.client.addEventListener('ready', () => resolve(undefined), { signal: settled.signal });
      this.client.addEventListener('logged out', ended, { signal: settled.signal });
    });
    if (this.#socket === null) this.#open();
    return ready.finally(() => settled.abort());
  }

  close() {
    this.isWanted = this.isReady = false;
    this.#socket?.close();
  }

  /** The session is over. */
  end() {
    this.close();
    this.client.emit('logged out', {});
  }

  /** The network has changed: reconnect at once, or check that the connection still works. */
  check() {
    this.#failures = 0;
    if (!this.isWanted) return;
    if (this.#socket === null) return this.#open();
    const { readyState } = this.#socket;
    if (readyState !== 1) return;
    const socket = this.#socket;
    const asked = Date.now();
    this.send({ type: 'ping' });
    setTimeout(() => socket === this.#socket && this.#receivedAt < asked && this.#drop(), CHECK_MS);
  }

  /** Dropped if there is no connection. @param {import('./frames.d.ts').ClientFrame} frame */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** What came before `ready` is processed. Returns false if that socket has been lost meanwhile. */
  ready() {
    if (this.#socket === null || this.#socket !== this.#readySocket) return false;
    this.#failures = 0;
    this.isReady = true;
    return true;
  }

  #open() {
    const onFrame = (/** @type {import('./frames.d.ts').ServerFrame | null} */ frame) => {
      this.#receivedAt = Date.now();
      if (frame === null) return;
      if (frame.type === 'ready') this.#readySocket = socket;
      this.onFrame(frame);
    };
    const socket = this.client.api.open(onFrame, () => void this.#onClose(socket));
    this.#socket = socket;
    this.#receivedAt = Date.now();
    clearInterval(this.#pings);
    this.#pings = setInterval(() => this.#ping(), PING_MS);
  }

  #ping() {
    if (Date.now() - this.#receivedAt > SILENCE_MS) this.#drop();
    else this.send({ type: 'ping' });
  }

  /** Without waiting for the closing handshake. */
  #drop() {
    const socket = this.#socket;
    socket?.close();
    void this.#onClose(socket);
  }

  /** @param {import('../context.js').Socket | null} socket */
  async #onClose(socket) {
    if (socket === null || socket !== this.#socket) return; // of an earlier socket
    clearInterval(this.#pings);
    this.#socket = null;
    this.isReady = false;
    this.client.emit('offline', {});
    if (!this.isWanted) return;
    this.#failures += 1;
    if (await this.isSessionOver()) return this.end();
    await sleep(Math.min(RECONNECT_MAX_MS, RECONNECT_MS * 2 ** this.#failures) * (0.5 + Math.random()));
    if (this.isWanted && this.#socket === null) this.#open();
  }
}
