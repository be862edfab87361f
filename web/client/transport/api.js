// @ts-check
/** Requests to the v2 API over HTTP, and its socket. Both decode what the server sends before the client sees it. */
import { fromBase64, toBase64 } from '../util/bytes.js';
import { Malformed, decodeAnswer, decodeFrame } from './decode.js';

/** @template {string} Request @typedef {import('./decode.js').AnswerOf<Request>} AnswerOf */

/** The server rejected the request; `code` is machine-readable. */
export class Refused extends Error {
  name = 'Refused';

  /** @param {number} status @param {string} code @param {string} message @param {number} retryAfterS */
  constructor(status, code, message, retryAfterS) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }

  /** Asking again changes nothing. */
  get isFinal() {
    return this.status < 500 && this.status !== 429;
  }
}

const RETRIES = 8;
const RETRY_MS = 250;
const ANSWER_MS = 20_000;
const PAUSE_MAX_MS = 10_000; // the server could ask for years

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Api {
  /** @type {string | null} */
  token = null;
  /** Whether a browser sends its cookie. @type {RequestCredentials} */
  credentials = 'same-origin';
  /** Frames, answers and list entries that were malformed. */
  malformed = 0;
  /** A malformed frame or list entry was dropped. @type {(error: Malformed) => void} */
  onMalformed = () => {};

  /**
   * @param {string} server its address, without a path
   * @param {{ fetch?: typeof fetch, WebSocket?: import('../context.js').SocketConstructor }} [platform]
   */
  constructor(server, platform = {}) {
    this.server = server.replace(/\/$/, '');
    this.fetch = platform.fetch ?? globalThis.fetch.bind(globalThis);
    /** @type {import('../context.js').SocketConstructor} */
    this.WebSocket = platform.WebSocket ?? globalThis.WebSocket;
  }

  /** The API with another session. @param {string} token @param {RequestCredentials} credentials */
  as(token, credentials) {
    const other = new Api(this.server, this);
    other.token = token;
    other.credentials = credentials;
    return other;
  }

  /**
   * Throws Refused, Malformed, and an Error where the server cannot be reached.
   * @template {string} Method @template {string} Path
   * @param {Method} method @param {Path} path @param {unknown} [body] @returns {Promise<AnswerOf<`${Method} ${Path}`>>}
   */
  async call(method, path, body) {
    const headers = new Headers();
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    if (this.token !== null) headers.set('Authorization', `Bearer ${this.token}`);
    const answer = await this.fetch(`${this.server}/v2/${path}`, {
      method,
      headers,
      credentials: this.credentials,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch((/** @type {Error & { cause?: Error & { code?: string } }} */ error) => {
      throw new Error(`cannot reach ${this.server}: ${error.cause?.code ?? error.cause?.message ?? error.message}`);
    });
    const text = await answer.text();
    if (!answer.ok) {
      const { code, error } = parsedError(text);
      const retryAfterS = Number(answer.headers.get('Retry-After') ?? 0);
      throw new Refused(
        answer.status,
        code ?? 'error',
        error ?? answer.statusText,
        Number.isFinite(retryAfterS) ? retryAfterS : 0,
      );
    }
    try {
      const decoded = decodeAnswer(method, path, text, (error) => this.#drop(error));
      return /** @type {AnswerOf<`${Method} ${Path}`>} */ (decoded);
    } catch (error) {
      if (error instanceof Malformed) this.malformed += 1;
      throw error;
    }
  }

  /**
   * The same for requests that may be repeated: until the server accepts or rejects it. Throws as `call` in the end.
   * @template {string} Method @template {string} Path
   * @param {Method} method @param {Path} path @param {unknown} [body] @returns {Promise<AnswerOf<`${Method} ${Path}`>>}
   */
  async callUntilAnswered(method, path, body) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.call(method, path, body);
      } catch (error) {
        // A proxy's 502 may pass.
        const isRejected = error instanceof Refused && error.isFinal;
        const isAnswer = isRejected || error instanceof Malformed || error instanceof TypeError;
        if (isAnswer || tries === RETRIES) throw error;
        const asked = error instanceof Refused ? error.retryAfterS * 1000 : 0;
        const pause = Math.max(Math.min(asked, PAUSE_MAX_MS), RETRY_MS * 2 ** Math.min(tries, 4));
        await sleep(pause * (0.5 + Math.random()));
      }
    }
  }

  /** @param {import('../mls/transactions.js').Bundle} bundle */
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

  /**
   * A socket of this session's device. `onFrame` gets decoded frames, null for one of an unknown type; malformed ones
   * are dropped. `onClose` is called once.
   * @param {(frame: import('./frames.d.ts').ServerFrame | null) => void} onFrame @param {() => void} onClose
   */
  open(onFrame, onClose) {
    const address = `${this.server.replace(/^http/, 'ws')}/v2/socket`;
    const options = this.token === null ? undefined : { headers: { Authorization: `Bearer ${this.token}` } };
    const socket = new this.WebSocket(address, ...(this.WebSocket.isNode ? [options] : []));
    socket.onmessage = (/** @type {{ data: unknown }} */ event) => {
      const frame = this.#decode(String(event.data));
      if (frame !== undefined) onFrame(frame);
    };
    socket.onerror = () => {};
    socket.onclose = onClose;
    return socket;
  }

  /** Undefined where it is malformed. @param {string} text */
  #decode(text) {
    try {
      return decodeFrame(text);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#drop(error);
      return undefined;
    }
  }

  /** @param {Malformed} error */
  #drop(error) {
    this.malformed += 1;
    this.onMalformed(error);
  }
}

/** The code and message of a rejection, where a proxy has not put something else in its place. @param {string} text */
function parsedError(text) {
  try {
    const { code, error } = /** @type {{ code?: unknown, error?: unknown } | null} */ (JSON.parse(text)) ?? {};
    return { code: typeof code === 'string' ? code : undefined, error: typeof error === 'string' ? error : undefined };
  } catch {
    return {};
  }
}
