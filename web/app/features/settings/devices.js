// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { momentOf } from '../../messages/format.js';
import { t } from '../../messages/index.js';
import { deviceLabel, removal } from '../linking/own-device.js';
import { Section } from './section.js';

/**
 * @typedef {import('../../../client/trust/own-devices.js').OwnDevice} OwnDevice
 * @typedef {import('../../../client/transport/frames.d.ts').Session} Session
 */

/** The devices of the account, and its sessions without a device. */
export class Devices extends Section {
  static properties = {
    me: { attribute: false },
    devices: { attribute: false },
    sessions: { attribute: false },
  };

  static styles = [
    super.styles,
    css`
      #devices > li { flex-wrap: wrap; }
      #devices .grow { flex: 1 1 11rem; }
      #devices + .row { margin-top: 1rem; }
      .small.wrong { display: block; margin-top: 0.3rem; }
    `,
  ];

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    /** @type {OwnDevice[]} */
    this.devices = [];
    /** @type {Session[]} */
    this.sessions = [];
  }

  render() {
    const others = this.sessions.filter(({ device }) => device === null);
    return html`
        <h3>${t.settings.devices}</h3>
        <p class="small soft">${t.settings.devicesHint}</p>
        <ul class="list" id="devices">${this.devices.map((device) => this.#device(device))}</ul>
        <div class="row">
          <button class="button" @click=${this.#show({ name: 'link-device' })}>${t.linking.linkTitle}</button>
          <button class="button" @click=${this.#show({ name: 'recovery-key' })}>${t.linking.recoveryTitle}</button>
        </div>
        ${others.length ? this.#sessions(others) : nothing}`;
  }

  /** @param {import('../../app.js').Dialog} dialog */
  #show(dialog) {
    return () => this.act('show', { dialog });
  }

  /** @param {OwnDevice} device */
  #device({ id, name, created_at: at, isListed }) {
    const isThis = id === this.me.device;
    const label = deviceLabel(name);
    const remove = () => this.act('confirm', removal(id, label, true));
    return html`
      <li>
        <span class="grow">${label}<br><span class="small soft">
          ${isThis ? t.settings.isThisDevice : t.settings.addedOn(momentOf(at))}</span>
          ${isListed ? nothing : html`<span class="small wrong">${t.linking.notLinked}</span>`}</span>
        <span class="row">${
          isListed
            ? nothing
            : html`<button class="button" @click=${this.#show({ name: 'link-device', isWaiting: true })}>${t.linking.isMine}</button>`
        }
        ${
          isThis
            ? nothing
            : html`<button class="button bad" aria-label=${t.settings.removeDevice(label)} @click=${remove}>
              ${t.common.remove}
            </button>`
        }</span>
      </li>`;
  }

  /** @param {Session[]} sessions */
  #sessions(sessions) {
    const end = (/** @type {string} */ id) => () => this.attempt(() => this.ask('endSession', { id }));
    return html`
      <h3>${t.settings.sessions}</h3>
      <ul class="list" id="sessions">
        ${sessions.map(
          ({ id, created_at: at }) => html`
            <li><span class="grow">${t.settings.session(momentOf(at))}</span>
              <button class="button" @click=${end(id)}>${t.settings.endSession}</button></li>`,
        )}
      </ul>`;
  }
}

customElements.define('sv-settings-devices', Devices);
