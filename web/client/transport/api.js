// @ts-check
/** The sealed API over HTTP and its socket, as this client needs them. */
import { fromBase64, toBase64 } from '../util/bytes.js';

/** What the server refused; `code` says what to do. */
export class Refused extends Error {
  name = 'Refused';

  /** @param {number} status @param {string} code @param {string} message @param {number} retryAfterS */
  constructor(status, code, message, retryAfterS) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

const RETRIES = 8;
const RETRY_MS = 250;
const ANSWER_MS = 20_000;

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Api {
  /** @type {string | null} */
  token = null;

  /** @param {string} server its address, without a path @param {{ fetch?: typeof fetch, WebSocket?: any }} [platform] */
  constructor(server, platform = {}) {
    this.server = server.replace(/\/$/, '');
    this.fetch = platform.fetch ?? globalThis.fetch.bind(globalThis);
    this.WebSocket = platform.WebSocket ?? globalThis.WebSocket;
  }

  /**
   * Raises Refused, and an Error where nobody answers.
   * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>}
   */
  async call(method, path, body) {
    const headers = new Headers();
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    if (this.token !== null) headers.set('Authorization', `Bearer ${this.token}`);
    const answer = await this.fetch(`${this.server}/v2/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch((error) => {
      throw new Error(`cannot reach ${this.server}: ${error.cause?.code ?? error.cause?.message ?? error.message}`);
    });
    const text = await answer.text();
    const read = parsed(text);
    if (!answer.ok) {
      const retryAfterS = Number(answer.headers.get('Retry-After') ?? 0);
      throw new Refused(answer.status, read?.code ?? 'error', read?.error ?? answer.statusText, retryAfterS);
    }
    return read;
  }

  /**
   * The same for requests that may be repeated: until the server says yes or no. Raises as `call`, in the end.
   * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>}
   */
  async callUntilAnswered(method, path, body) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.call(method, path, body);
      } catch (error) {
        const isAnswer = error instanceof Refused && error.status < 500 && error.status !== 429; // a proxy's 502 is none
        if (isAnswer || tries === RETRIES) throw error;
        const asked = error instanceof Refused ? error.retryAfterS * 1000 : 0;
        await sleep(Math.max(asked, RETRY_MS * 2 ** Math.min(tries, 4)) * (0.5 + Math.random()));
      }
    }
  }

  /** @param {import('../mls/core-crypto.js').Bundle} bundle */
  static bundle({ commit, welcome, groupInfo }) {
    return {
      commit: toBase64(commit),
      group_info: toBase64(groupInfo),
      ...(welcome ? { welcome: toBase64(welcome) } : {}),
    };
  }

  /** @param {string} conversation @returns {Promise<Uint8Array>} */
  async groupInfo(conversation) {
    return fromBase64((await this.callUntilAnswered('GET', `conversations/${conversation}/group-info`)).group_info);
  }

  /** A socket of this session's device; frames come to `onFrame`, its end to `onClose`, once. */
  /** @param {(frame: any) => void} onFrame @param {() => void} onClose */
  open(onFrame, onClose) {
    const address = `${this.server.replace(/^http/, 'ws')}/v2/socket`;
    const options = this.token === null ? undefined : { headers: { Authorization: `Bearer ${this.token}` } };
    const socket = new this.WebSocket(address, ...(this.WebSocket.isNode ? [options] : []));
    socket.onmessage = (/** @type {any} */ event) => onFrame(JSON.parse(String(event.data)));
    socket.onerror = () => {};
    socket.onclose = onClose;
    return socket;
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
