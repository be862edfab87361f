// @ts-check
/** The settings: one dialog of sections, each of which is a component. */
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import '../../ui/dialog.js';
import { Element } from '../../ui/element.js';
import './account.js';
import './appearance.js';
import './devices.js';
import './privacy.js';
import './profile.js';

/**
 * @typedef {import('./section.js').Values} Values
 * @typedef {import('./section.js').Account} Account
 * @typedef {import('./section.js').Attempt} Attempt
 * @typedef {import('../../../client/trust/own-devices.js').OwnDevice} OwnDevice
 * @typedef {import('../../../client/transport/frames.d.ts').Session} Session
 * @typedef {import('../../../client/transport/frames.d.ts').User} User
 */

export class Settings extends Element {
  static properties = {
    me: { attribute: false },
    settings: { attribute: false },
    recovery: {},
    account: { state: true },
    devices: { state: true },
    sessions: { state: true },
    blocked: { state: true },
    problem: { state: true },
    done: { state: true },
  };

  static styles = [super.styles, css`sv-settings-profile { border-top: 0; padding-top: 0; }`];

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    /** @type {Values | null} */
    this.settings = null;
    /** @type {Account | null} */
    this.account = null;
    /** @type {OwnDevice[]} */
    this.devices = [];
    /** @type {Session[]} */
    this.sessions = [];
    /** @type {User[]} */
    this.blocked = [];
    this.problem = this.done = '';
    /** @type {import('../../../worker/page.js').Recovery} */
    this.recovery = 'postponed';
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#attempt({ run: () => Promise.resolve() });
  }

  async #load() {
    [this.account, this.devices, this.sessions, this.blocked] = await Promise.all([
      this.ask('getAccount'),
      this.ask('listDevices'),
      this.ask('listSessions'),
      this.ask('listBlocked'),
    ]);
  }

  /** Run an action, load what it may have changed, and show the outcome at the top. @param {Attempt} attempt */
  async #attempt({ run, done = '', invalid = t.unknownError }) {
    this.problem = this.done = '';
    try {
      await run();
      if (this.isConnected) await this.#load(); // not after the end of the account
      this.done = done;
    } catch (error) {
      this.problem = errorText(error, { invalid });
    }
    if (!this.problem && !this.done) return;
    await this.updateComplete;
    this.renderRoot.querySelector('.wrong, .explained')?.scrollIntoView({ block: 'center' }); // the dialog is long
  }

  render() {
    const { me, settings, account, devices, sessions, blocked } = this;
    return html`
      <sv-dialog .heading=${t.settings.title} wide
        @attempt=${(/** @type {CustomEvent<Attempt>} */ { detail }) => this.#attempt(detail)}>
        ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
        <p role="status" class=${this.done ? 'explained' : ''}>${this.done}</p>
        <sv-settings-profile .me=${me} .account=${account}></sv-settings-profile>
        <sv-settings-appearance .settings=${settings}></sv-settings-appearance>
        <sv-settings-privacy .settings=${settings} .blocked=${blocked}></sv-settings-privacy>
        <sv-settings-devices .me=${me} .devices=${devices} .sessions=${sessions}></sv-settings-devices>
        <sv-settings-account .me=${me} .hasRecoveryKey=${this.recovery === 'made'}></sv-settings-account>
      </sv-dialog>`;
  }
}
customElements.define('sv-settings', Settings);
