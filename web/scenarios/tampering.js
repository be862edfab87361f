// @ts-check
/**
 * A server that lies: a layer between one client and the real server, with hooks on HTTP and on the socket.
 *
 * Hooks get what passes and return what passes instead; undefined leaves it as it is. Requests: `answerRequest` answers
 * in the server's place, `changeAnswer` changes its answer. Frames: `changeFrame` (to the client) and `changeSent` (from
 * the client) return one frame, several, or null for none.
 */
import { NodeWebSocket } from '../client/node/platform.js';
import { SUITE, groupOf, identityOf, memoryDatabase } from '../client/mls/core-crypto.js';
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import * as cc from '../vendor/core-crypto.js';

/**
 * @typedef {{ method: string, path: string, body: any }} Request `path` without `/v2/`
 * @typedef {{ type: string, [field: string]: any }} Frame
 * @typedef {(frame: Frame) => Frame | Frame[] | null | undefined} FrameHook
 */

export class Tampering {
  /** @type {((request: Request) => unknown)[]} */
  answerRequest = [];
  /** @type {((request: Request, answer: any) => unknown)[]} */
  changeAnswer = [];
  /** @type {FrameHook[]} */
  changeFrame = [];
  /** @type {FrameHook[]} */
  changeSent = [];
  /** @type {Set<(frame: Frame) => void>} */
  #receivers = new Set();

  /** Send the client a frame of our own. @param {Frame} frame */
  inject(frame) {
    for (const receive of this.#receivers) receive(frame);
  }

  /** Pass nothing on to the server that the client sends as a message; returns what it would have sent. */
  catchMessages() {
    /** @type {Frame[]} */
    const caught = [];
    this.changeSent.push((frame) => {
      if (frame.type !== 'send') return undefined;
      caught.push(frame);
      return null;
    });
    return caught;
  }

  /** @type {typeof fetch} */
  fetch = async (url, init = {}) => {
    const path = String(url).replace(/^.*?\/v2\//, '');
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    const request = { method: init.method ?? 'GET', path, body };
    for (const hook of this.answerRequest) {
      const given = await hook(request);
      if (given !== undefined) return given instanceof Response ? given : Response.json(given);
    }
    const answer = await fetch(url, init);
    if (!answer.ok) return answer;
    let value = JSON.parse((await answer.text()) || '{}');
    for (const hook of this.changeAnswer) value = (await hook(request, value)) ?? value;
    return new Response(JSON.stringify(value), { status: answer.status, headers: answer.headers });
  };

  /** @returns {import('../client/context.js').SocketConstructor} */
  get WebSocket() {
    const receivers = this.#receivers;
    const { changeFrame, changeSent } = this;
    class TamperedSocket extends NodeWebSocket {
      /** @param {string} address @param {import('ws').ClientOptions} [options] */
      constructor(address, options) {
        super(address, options);
        const receive = (/** @type {Frame} */ frame) => void super.emit('message', encoded(frame), false);
        receivers.add(receive);
        this.addEventListener('close', () => receivers.delete(receive));
      }

      /** @param {string} event @param {...any} values */
      emit(event, ...values) {
        if (event !== 'message') return super.emit(event, ...values);
        for (const frame of changed(changeFrame, JSON.parse(String(values[0]))))
          super.emit('message', encoded(frame), false);
        return true;
      }

      /** @param {any} text */
      send(text) {
        for (const frame of changed(changeSent, JSON.parse(text))) super.send(JSON.stringify(frame));
      }
    }
    return /** @type {any} */ (TamperedSocket);
  }
}

/** @param {Frame} frame */
function encoded(frame) {
  return Buffer.from(JSON.stringify(frame));
}

/** @param {FrameHook[]} hooks @param {Frame} frame @returns {Frame[]} */
function changed(hooks, frame) {
  let frames = [frame];
  for (const hook of hooks) {
    frames = frames.flatMap((one) => {
      const given = hook(one);
      return given === undefined ? [one] : given === null ? [] : given;
    });
  }
  return frames;
}

/** A device that only the server has, with any identity that it likes. It checks nothing. */
export class Ghost {
  /** The last commit that it made. @type {import('../vendor/core-crypto.js').CommitBundle | null} */
  #made = null;

  /** @param {cc.CoreCrypto} core @param {string} user @param {string} device */
  constructor(core, user, device) {
    this.core = core;
    this.user = user;
    this.device = device;
  }

  /** @param {string} user @param {string} [device] */
  static async open(user, device = `0${crypto.randomUUID().replaceAll('-', '').slice(0, 15)}`) {
    const ghost = new Ghost(cc.CoreCrypto.new(await memoryDatabase()), user, device);
    await ghost.core.transaction((context) =>
      context.mlsInit(ghost.id, {
        sendCommitBundle: async (bundle) => void (ghost.#made = bundle),
        prepareForTransport: async () => new Uint8Array(),
      }),
    );
    await ghost.core.transaction((context) => context.addCredential(cc.Credential.basic(SUITE, ghost.id)));
    return ghost;
  }

  get id() {
    return identityOf({ user: this.user, device: this.device });
  }

  async #credential() {
    const [credential] = await this.core.findCredentials({ clientId: this.id });
    return credential;
  }

  /** In base64. */
  async keyPackage() {
    const credential = await this.#credential();
    const made = await this.core.transaction((context) => context.generateKeyPackage(credential));
    return toBase64(made.serialize());
  }

  /**
   * Create a group and commit often, then add these devices. Returns the welcome in base64.
   * @param {string} conversation @param {number} commits @param {string[]} keyPackages in base64
   */
  async create(conversation, commits, keyPackages) {
    const credential = await this.#credential();
    await this.core.transaction((context) => context.createConversation(groupOf(conversation), credential));
    for (let n = 0; n < commits; n++)
      await this.core.transaction((context) => context.updateKeyingMaterial(groupOf(conversation)));
    await this.core.transaction(async (context) => {
      const added = keyPackages.map((one) => new cc.KeyPackage(fromBase64(one)));
      await context.addClientsToConversation(groupOf(conversation), added);
    });
    return toBase64(this.#made?.welcome?.serialize() ?? new Uint8Array());
  }

  /** Of the group that it has changed last. */
  get groupInfo() {
    return this.#made?.groupInfo.payload ?? new Uint8Array();
  }

  /** Join by an external commit, and return it in base64. @param {Uint8Array} groupInfo */
  async join(groupInfo) {
    const credential = await this.#credential();
    const withoutHeader = new cc.GroupInfo(groupInfo.slice(4));
    await this.core.transaction((context) => context.joinByExternalCommit(withoutHeader, credential));
    return toBase64(this.#made?.commit ?? new Uint8Array());
  }

  /**
   * Change the members of a group that it is in; the server accepts it.
   * @param {string} conversation
   * @param {{ add?: string[], remove?: import('../client/mls/core-crypto.js').ClientName[] }} change key packages in
   *   base64, leaves; nothing: an update
   */
  async commit(conversation, { add, remove } = {}) {
    await this.core.transaction(async (context) => {
      const group = groupOf(conversation);
      if (add)
        await context.addClientsToConversation(
          group,
          add.map((one) => new cc.KeyPackage(fromBase64(one))),
        );
      else if (remove) await context.removeClientsFromConversation(group, remove.map(identityOf));
      else await context.updateKeyingMaterial(group);
    });
    const { commit, welcome, groupInfo } = /** @type {cc.CommitBundle} */ (this.#made);
    return { commit: toBase64(commit), welcome, groupInfo: groupInfo.payload };
  }

  /** @param {cc.Welcome} welcome */
  async accept(welcome) {
    const copy = new cc.Welcome(welcome.serialize());
    await this.core.transaction((context) => context.processWelcomeMessage(copy));
  }

  /** Encrypt content for the group, in base64. @param {string} conversation @param {object} content */
  async say(conversation, content) {
    const bytes = new TextEncoder().encode(JSON.stringify(content));
    return toBase64(await this.core.transaction((context) => context.encryptMessage(groupOf(conversation), bytes)));
  }

  /** What it can decrypt of these `send` or `entry` frames. @param {Frame[]} frames @returns {Promise<string[]>} */
  async read(frames) {
    /** @type {string[]} */
    const read = [];
    for (const { conversation, data } of frames) {
      await this.core
        .transaction(async (context) => {
          const found = await context.decryptMessage(groupOf(conversation), fromBase64(data));
          // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-comparison -- the enum's values are these strings
          if (found.tag === 'Text') read.push(new TextDecoder().decode(found.inner.plaintext));
        })
        .catch(() => {});
    }
    return read;
  }
}
