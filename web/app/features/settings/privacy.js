// @ts-check
import { html } from '../../../vendor/lit.js';
import { t } from '../../messages/index.js';
import { Section } from './section.js';

/** Receipts and typing indicators, notifications on this device, and blocked users. */
export class Privacy extends Section {
  static properties = {
    settings: { attribute: false },
    blocked: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('./section.js').Values | null} */
    this.settings = null;
    /** @type {import('../../../client/transport/frames.d.ts').User[]} */
    this.blocked = [];
  }

  render() {
    const words = t.settings;
    return html`
        <fieldset>
          <legend>${words.privacy}</legend>
          ${this.#check('receipts', words.receipts, words.receiptsHint)}
          ${this.#check('typing', words.typing, words.typingHint)}
        </fieldset>
        <fieldset>
          <legend>${words.thisDevice}</legend>
          ${this.#check('notices', words.notifications, words.notificationsHint)}
        </fieldset>
        ${this.#blocked()}`;
  }

  /** @param {'receipts' | 'typing' | 'notices'} name @param {string} label @param {string} hint */
  #check(name, label, hint) {
    const change = (/** @type {Event} */ event) =>
      this.act('changeSettings', { changes: { [name]: /** @type {HTMLInputElement} */ (event.target).checked } });
    return html`
      <label class="check"><input type="checkbox" id=${name} .checked=${this.settings?.[name] ?? false}
        @change=${change}>
        <span>${label}<br><span class="small soft">${hint}</span></span></label>`;
  }

  #blocked() {
    if (!this.blocked.length) return html`<p class="small soft" id="none-blocked">${t.settings.noneBlocked}</p>`;
    const unblock = (/** @type {string} */ user) => () => this.attempt(() => this.ask('unblock', { user }));
    return html`
      <h3>${t.settings.blocked}</h3>
      <ul class="list" id="blocked">
        ${this.blocked.map(
          ({ id, username }) => html`
            <li><span class="grow">${username}</span>
              <button class="button" @click=${unblock(id)}>${t.settings.unblock}</button></li>`,
        )}
      </ul>`;
  }
}
customElements.define('sv-settings-privacy', Privacy);
