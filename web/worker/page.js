// @ts-check
/** What every tab shows: whether a user is logged in, the settings, and a snapshot of everything at its start. */

/**
 * @typedef {import('../client/conversations/outbox.js').Waiting} Waiting
 * @typedef {import('../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {{ theme: 'system' | 'light' | 'dark', language: 'system' | 'en' | 'de', receipts: boolean, typing: boolean,
 *   notices: boolean }} Settings
 */

/**
 * @typedef {'made' | 'due' | 'postponed'} Recovery whether the user has a recovery key; due: is to be reminded of making one
 *
 * @typedef {object} Snapshot everything that a page shows when it starts
 * @property {{ id: string, username: string, picture?: string, device: string } | null} me null: nobody is logged in
 * @property {Settings} settings
 * @property {boolean} [hasEnded] the session is over; the device and its data remain
 * @property {boolean} [isOnline]
 * @property {import('../client/trust/enrolment.js').Standing} [standing]
 * @property {Recovery} [recovery]
 * @property {import('../client/trust/own-devices.js').OwnDevice[]} [unconfirmed] devices of the account
 * @property {Conversation[]} [conversations]
 * @property {Waiting[]} [waiting]
 * @property {[conversation: string, text: string][]} [drafts]
 */

/**
 * @typedef {object} Channel to every tab
 * @property {import('./events.js').Emit} emit
 * @property {(snapshot: () => Promise<Snapshot>) => Promise<void>} emitSnapshot
 */

/** @type {Settings} */
export const DEFAULTS = { theme: 'system', language: 'system', receipts: true, typing: true, notices: false };

export class Page {
  /** @type {Settings} */
  settings = DEFAULTS;
  #hasEnded = false;
  /** The user has made the recovery key on another device. */
  #isMadeElsewhere = false;

  /** @param {import('../client/client.js').Client} client @param {Channel} channel */
  constructor(client, channel) {
    this.client = client;
    this.channel = channel;
    client.listen('logged out', () => (this.#hasEnded = true));
    client.listen('ready', () => void client.attempt(() => this.#lookForRecoveryKey()));
  }

  /** Resume the account of this browser, if there is one. */
  async start() {
    this.#apply({ ...DEFAULTS, ...(await this.client.storage.get('state', 'settings')) });
    const hasAccount = await this.client.account.resume();
    void this.client.account.endLeft();
    if (hasAccount) return this.enter();
    await this.channel.emitSnapshot(() => this.snapshot());
  }

  /** An account is logged in: connect, and show it in every tab. */
  async enter() {
    this.#hasEnded = false;
    await this.client.enrolment.resume();
    void this.client.connection.connect().catch(() => {}); // the event 'logged out' reports it
    await this.channel.emitSnapshot(() => this.snapshot());
  }

  /** A new device: whether its account has to confirm it decides what is shown. */
  async enlist() {
    await this.client.attempt(() => this.client.inTurn(() => this.client.enrolment.bringUpToDate()));
    await this.enter();
  }

  /** All data of this account is deleted; the next account starts in a new worker. */
  async close() {
    await this.channel.emitSnapshot(async () => ({ me: null, settings: this.settings }));
    self.close();
  }

  /** @param {Partial<Settings>} changes */
  async change(changes) {
    this.#apply({ ...this.settings, ...changes });
    await this.client.storage.write([['state', 'settings', this.settings]]);
    this.channel.emit('settings', this.settings);
  }

  /** @param {Settings} settings */
  #apply(settings) {
    this.settings = settings;
    this.client.receipts.isEnabled = settings.receipts;
  }

  /** @returns {Promise<Snapshot>} */
  async snapshot() {
    const { client, settings } = this;
    if (!client.me) return { me: null, settings };
    const [conversations, drafts] = await Promise.all([
      client.storage.all('conversations'),
      client.storage.all('state', 'draft/'),
    ]);
    return {
      me: { ...client.me.user, device: client.me.device },
      hasEnded: this.#hasEnded,
      isOnline: client.connection.isReady,
      standing: client.enrolment.standing,
      recovery: await this.#recovery(),
      unconfirmed: client.ownDevices.unconfirmed,
      settings,
      conversations: conversations.map(([, one]) => one),
      waiting: await client.outbox.waiting(),
      drafts: drafts.map(([key, text]) => [key.slice('draft/'.length), text]),
    };
  }

  // The recovery key

  /** An earlier one opens nothing any more. */
  losesRecoveryKey() {
    return this.#changeRecovery('recovery-made', 0);
  }

  keepsRecoveryKey() {
    return this.#changeRecovery('recovery-made', Date.now());
  }

  /** @param {number} ms until the next reminder */
  postponeRecoveryKey(ms) {
    return this.#changeRecovery('recovery-reminder', Date.now() + ms);
  }

  /** @param {'recovery-made' | 'recovery-reminder'} name @param {number} value */
  async #changeRecovery(name, value) {
    await this.client.storage.write([['state', name, value]]);
    this.channel.emit('recovery', { recovery: await this.#recovery() });
  }

  async #lookForRecoveryKey() {
    this.#isMadeElsewhere = await this.client.recoveryKey.exists();
    this.channel.emit('recovery', { recovery: await this.#recovery() });
  }

  /** @returns {Promise<Recovery>} */
  async #recovery() {
    const [made, remindAt = 0] = await Promise.all([
      this.client.storage.get('state', 'recovery-made'),
      this.client.storage.get('state', 'recovery-reminder'),
    ]);
    if (made === undefined ? this.#isMadeElsewhere : made > 0) return 'made';
    return this.client.enrolment.isListed && remindAt < Date.now() ? 'due' : 'postponed';
  }
}
