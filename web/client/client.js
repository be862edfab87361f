// @ts-check
/**
 * One device of one account: its parts, what they share, and what it hears.
 *
 * Everything that changes a group or reads the log goes through `inTurn`, one thing after the other. What was read is
 * stored before it is acknowledged, and what is to be said before it is sent; so a crash at any moment loses nothing.
 */
import { Account } from './session/account.js';
import { Api } from './transport/api.js';
import { Direct } from './direct/direct.js';
import { Groups } from './mls/membership.js';
import { Line } from './transport/connection.js';
import { Log } from './conversations/sync.js';
import { Outbox } from './conversations/outbox.js';
import { Receipts } from './conversations/receipts.js';

/**
 * @typedef {import('./session/account.js').Me} Me
 * @typedef {import('./mls/core-crypto.js').Mls} Mls
 * @typedef {import('./conversations/reducer.js').Said} Message
 * @typedef {object} Platform
 * @property {import('./storage/storage.js').Storage} storage
 * @property {(me: Me) => Promise<import('../vendor/core-crypto.js').Database>} openDatabase
 * @property {() => Promise<void>} [persist] what makes that database durable, where it is not by itself
 * @property {string} [name] of the device, as its owner sees it in the list
 * @property {typeof fetch} [fetch]
 * @property {any} [WebSocket]
 */

export class Client extends EventTarget {
  /** @type {Me} */
  me = /** @type {any} */ (null);
  /** @type {Mls} */
  mls = /** @type {any} */ (null);
  account = new Account(this);
  line = new Line(this, (frame) => this.#onFrame(frame));
  groups = new Groups(this);
  log = new Log(this);
  direct = new Direct(this);
  outbox = new Outbox(this);
  receipts = new Receipts(this);
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {string} server @param {Platform} platform */
  constructor(server, platform) {
    super();
    this.platform = platform;
    this.storage = platform.storage;
    this.api = new Api(server, platform);
    this.api.onMalformed = (error) => this.tell('problem', { error });
  }

  /** For everyone, with all that was made of it. @param {string} conversation @param {number} seq */
  async unsay(conversation, seq) {
    const known = await this.log.conversation(conversation);
    if (known?.kind === 'direct') return this.direct.unsay(known, seq);
    const [item] = await this.log.itemsFrom(conversation, { from: seq, limit: 1 });
    const said = item?.seq === seq ? item : undefined;
    // Devices that are away hear of it by this, and the server forgets what it holds.
    if (said?.id && said.user === this.me.user.id) await this.outbox.send(conversation, { kind: 'delete', of: said.id });
    for (const one of [...(said?.edits ?? []), seq]) await this.api.callUntilAnswered('DELETE', `conversations/${conversation}/entries/${one}`);
  }

  /** @param {string} conversation */
  type(conversation) {
    this.line.put({ type: 'typing', conversation });
  }

  // What the parts share

  /** One thing after the other. @template R @param {() => Promise<R>} work @returns {Promise<R>} */
  inTurn(work) {
    const next = this.#last.then(work);
    this.#last = next.catch(() => {});
    return next;
  }

  /** The same where nobody waits to hear how it went. @param {() => Promise<unknown>} work */
  later(work) {
    this.inTurn(work).catch((error) => this.tell('problem', { error }));
  }

  /** One conversation that is broken must not keep us from the others. @param {() => Promise<unknown>} work */
  async attempt(work) {
    await work().catch((error) => this.tell('problem', { error }));
  }

  /** When everything that was under way is done. */
  async settled() {
    await this.#last;
  }

  /** @param {string} type @param {object} detail */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // What it hears

  /** @param {import('./transport/frames.d.ts').ServerFrame} frame */
  #onFrame(frame) {
    switch (frame.type) {
      case 'entry':
        return this.later(() => this.log.onEntry(frame));
      case 'welcome':
        return this.later(() => this.groups.onWelcome(frame));
      case 'ready':
        return this.later(() => this.#onReady());
      case 'sent':
        return this.later(() => this.outbox.onSent(frame));
      case 'refused':
        return this.later(() => this.outbox.onRefused(frame));
      case 'devices_changed':
        this.tell('devices', { user: frame.user });
        return this.later(() => this.groups.removeAllDue(frame.user));
      case 'members_changed':
        return this.groups.refreshSoon();
      case 'profile_changed':
        if (frame.user === this.me.user.id) this.later(() => this.account.look());
        this.groups.refreshSoon();
        return this.direct.catchUpSoon();
      case 'key_packages_low':
        return this.later(() => this.account.fillUp());
      case 'direct':
        return this.later(() => this.direct.onText(frame));
      case 'direct_changed':
        return this.later(() => this.direct.onChanged(frame));
      case 'typing':
        return this.tell('typing', frame);
    }
  }

  async #onReady() {
    await this.attempt(() => this.account.renew());
    await this.attempt(() => this.account.look());
    await this.attempt(() => this.account.topUp());
    await this.attempt(() => this.groups.joinMissing());
    await this.groups.removeAllDue();
    await this.attempt(() => this.direct.catchUp());
    if (!this.line.ready()) return;
    this.tell('ready', {});
    await this.outbox.restart();
    this.groups.refreshSoon();
  }
}
