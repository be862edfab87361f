// @ts-check
import { html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import '../../ui/dialog.js';
import { Element, field } from '../../ui/element.js';

/** On a device of the account: enter the code that a new device shows, or compare it where a link has brought it. */
export class LinkDevice extends Element {
  static properties = {
    code: {},
    isWaiting: { type: Boolean },
    problem: { state: true },
    isBusy: { state: true },
    isDone: { state: true },
  };

  constructor() {
    super();
    this.code = this.problem = '';
    this.isWaiting = this.isBusy = this.isDone = false;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const code = field(new FormData(/** @type {HTMLFormElement} */ (event.target)), 'code');
    this.problem = '';
    this.isBusy = true;
    try {
      await this.ask('linkDevice', { code });
      this.isDone = true;
    } catch (error) {
      this.problem = errorText(error, { device_removed: t.linking.wasRemoved });
    }
    this.isBusy = false;
  }

  render() {
    return html`
      <sv-dialog .heading=${t.linking.linkTitle}>
        ${this.isDone ? html`<p class="explained" role="status">${t.linking.linked}</p>` : this.#form()}
      </sv-dialog>`;
  }

  #form() {
    return html`
      <form class="stack" @submit=${this.#submit}>
        <p>${this.#text}</p>
        ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
        ${this.code ? this.#shown() : this.#entry()}
        <div class="row">
          <button class="button main" ?disabled=${this.isBusy}>${this.code ? t.linking.linkSame : t.linking.link}</button>
          <button type="button" class="button" @click=${() => this.act('close')}>${t.common.cancel}</button>
        </div>
      </form>`;
  }

  /** `isWaiting`: the new device is logged in already, and shows its code. */
  get #text() {
    if (this.code) return t.linking.linkTextByLink;
    return this.isWaiting ? t.linking.linkTextOfWaiting : t.linking.linkText;
  }

  #shown() {
    return html`
      <p class="letters" id="link-code">${this.code}</p>
      <input type="hidden" name="code" .value=${this.code}>`;
  }

  #entry() {
    return html`
      <div class="field">
        <label for="code">${t.linking.code}</label>
        <input id="code" name="code" data-first required maxlength="60" autocomplete="off" autocapitalize="characters"
          spellcheck="false">
        <span class="hint">${t.linking.codeHint}</span>
      </div>`;
  }
}
customElements.define('sv-link-device', LinkDevice);
