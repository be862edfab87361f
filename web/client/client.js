// @ts-check
/**
 * One device of one account: its parts, and what the server sends to each.
 *
 * The parts depend on each other in one direction only, in the order in which they are made below. A part that is made
 * earlier emits an event for those that are made later, and `emitAndWait` returns when they have handled it.
 *
 * Everything that changes a group or reads its log runs in `inTurn`, one piece of work after the other. An entry is
 * stored before it is acknowledged, and a message before it is sent; a crash at any moment therefore loses nothing.
 */
import { Context } from './context.js';
import { ExpectedUsers } from './conversations/expected-users.js';
import { repeatNameForNewDevices } from './conversations/name-repeat.js';
import { sayRemovals } from './conversations/said-removals.js';
import { Farewell } from './conversations/farewell.js';
import { Outbox } from './conversations/outbox.js';
import { Receipts } from './conversations/receipts.js';
import { Roster } from './conversations/roster.js';
import { ConversationStore } from './conversations/store.js';
import { Sync } from './conversations/sync.js';
import { Direct } from './direct/direct.js';
import { DirectKeys } from './direct/keys.js';
import { DirectSender } from './direct/sender.js';
import { Healing } from './mls/healing.js';
import { Joining } from './mls/joining.js';
import { Lineage } from './mls/lineage.js';
import { Membership } from './mls/membership.js';
import { Removals } from './mls/removals.js';
import { GroupSender } from './mls/sender.js';
import { Account } from './session/account.js';
import { Connection } from './transport/connection.js';
import { Enrolment } from './trust/enrolment.js';
import { Identities } from './trust/identities.js';
import { Linking } from './trust/linking.js';
import { OwnDevices } from './trust/own-devices.js';
import { OwnKey } from './trust/own-key.js';
import { OwnList } from './trust/own-list.js';
import { RecoveryKey } from './trust/recovery-key.js';
import { Statements } from './trust/statements.js';
import { VerifiedKeys } from './trust/verified.js';

/**
 * @typedef {import('./conversations/reducer.js').Said} Message
 * @typedef {import('./context.js').Platform} Platform
 */

export class Client extends Context {
  account = new Account(this);
  /** @type {Connection} */
  connection = new Connection(this, {
    onFrame: (frame) => this.#onFrame(frame),
    isSessionOver: () => this.account.isOver(),
  });
  store = new ConversationStore(this);
  expectedUsers = new ExpectedUsers(this, this);
  trust = new VerifiedKeys(this);
  identities = new Identities(this, this);
  ownKey = new OwnKey(this, this);
  ownList = new OwnList(this, this);
  enrolment = new Enrolment(this, this);
  linking = new Linking(this, this);
  recoveryKey = new RecoveryKey(this, this);
  ownDevices = new OwnDevices(this, this);
  lineage = new Lineage(this);
  roster = new Roster(this, this);
  sync = new Sync(this, this);
  joining = new Joining(this, this);
  membership = new Membership(this, this);
  removals = new Removals(this, this);
  healing = new Healing(this, this);
  statements = new Statements(this, this);
  outbox = new Outbox(this, this);
  groupSender = new GroupSender(this, this);
  farewell = new Farewell(this, this);
  directKeys = new DirectKeys(this);
  directSender = new DirectSender(this, this);
  direct = new Direct(this, this);
  receipts = new Receipts(this, this);

  /** @param {string} server @param {Platform} platform */
  constructor(server, platform) {
    super(server, platform);
    repeatNameForNewDevices(this, this.outbox);
    sayRemovals(this, this);
  }

  /**
   * Delete one of this user's messages, with its edits, on every device and on the server.
   * @param {string} conversation @param {number} seq
   */
  async deleteForEveryone(conversation, seq) {
    const known = await this.store.get(conversation);
    if (known?.kind === 'direct') return this.direct.deleteForEveryone(known, seq);
    const item = await this.store.itemAt(conversation, seq);
    // Other devices delete it by this message; the server then deletes the ciphertext that it stores.
    if (item?.id && item.user === this.me.user.id)
      await this.outbox.send(conversation, { kind: 'delete', of: item.id });
    // By their ids: a place is only what the server said, and another message could be there.
    for (const id of [...(item?.edits ?? []).map(({ id }) => id), item?.id].filter((id) => id !== undefined))
      await this.api.callUntilAnswered('DELETE', `conversations/${conversation}/messages/${id}`);
  }

  /** Tell the other members that this user is typing. @param {string} conversation */
  type(conversation) {
    this.connection.send({ type: 'typing', conversation });
  }

  // What the server sends

  /** @param {import('./transport/frames.d.ts').ServerFrame} frame */
  #onFrame(frame) {
    switch (frame.type) {
      case 'entry':
        return this.later(() => this.sync.onEntry(frame));
      case 'welcome':
        return this.later(() => this.joining.onWelcome(frame));
      case 'ready':
        return this.later(() => this.#onReady());
      case 'sent':
        return this.later(() => this.groupSender.onStored(frame));
      case 'refused':
        return this.later(() => this.groupSender.onRefused(frame));
      case 'devices_changed':
        return this.later(() => this.#onDevicesChanged(frame.user));
      case 'links_changed':
        return this.later(() => this.linking.takeAnswer());
      case 'members_changed':
        return this.membership.refreshSoon();
      case 'profile_changed':
        if (frame.user === this.me.user.id) this.later(() => this.account.refresh());
        this.membership.refreshSoon();
        return this.direct.catchUpSoon();
      case 'key_packages_low':
        return this.later(() => this.account.fillUp());
      case 'direct':
        return this.later(() => this.direct.onText(frame));
      case 'direct_changed':
        return this.later(() => this.direct.onChanged(frame));
      case 'typing':
        return this.emit('typing', frame);
      case 'deleted': // only the author's encrypted `delete` removes a message: see docs/PROTOCOL.md
      case 'pong':
      case 'problem':
    }
  }

  /** @param {string} user */
  async #onDevicesChanged(user) {
    if (await this.#isKnown(user)) await this.attempt(() => this.identities.refresh(user));
    if (user === this.me.user.id) await this.attempt(() => this.ownDevices.check());
    if (this.enrolment.isListed) await this.removals.removeAllDue(user);
  }

  /** Of others, the first account key is kept that the server shows: not before it is needed. @param {string} user */
  async #isKnown(user) {
    if (user === this.me.user.id || (await this.identities.of(user))) return true;
    return (await this.store.list()).some(({ members }) => members.some((member) => member.user === user));
  }

  /** Everything that this device missed has been received. */
  async #onReady() {
    await this.attempt(() => this.account.renew());
    await this.attempt(() => this.account.refresh());
    if (!this.connection.isWanted) return; // the session is of another account
    await this.attempt(() => this.account.topUp());
    await this.attempt(() => this.enrolment.bringUpToDate());
    await this.attempt(() => this.linking.takeAnswer());
    await this.attempt(() => this.direct.catchUp());
    if (this.enrolment.isListed) await this.attempt(() => this.joining.joinMissing());
    await this.removals.removeAllDue();
    if (!this.connection.ready()) return;
    await this.emitAndWait('ready', {});
    this.membership.refreshSoon();
  }
}
