// @ts-check
import { html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import '../../ui/dialog.js';
import { Element, field } from '../../ui/element.js';

/** Log in again on the same device after its session has ended. */
export class SessionExpired extends Element {
  static properties = { name: {}, problem: { state: true } };

  constructor() {
    super();
    this.name = this.problem = '';
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const password = field(form, 'password');
    await this.ask('logInAgain', { password }).catch((error) => (this.problem = errorText(error)));
  }

  #logOut() {
    const { logOutTitle: heading, logOutText: text, logOutAndDelete: label } = t.sessionExpired;
    this.act('confirm', { heading, text, label, then: { action: 'logOut' } });
  }

  render() {
    return html`
      <sv-dialog .heading=${t.sessionExpired.title(this.name)}>
        <form class="stack" @submit=${this.#submit}>
          <p>${t.sessionExpired.text}</p>
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          <div class="field">
            <label for="password">${t.common.password}</label>
            <input id="password" name="password" data-first type="password" required autocomplete="current-password">
          </div>
          <div class="row">
            <button class="button main">${t.common.logIn}</button>
            <button type="button" class="button bad" @click=${this.#logOut}>
              ${t.sessionExpired.logOutAndDelete}
            </button>
          </div>
        </form>
      </sv-dialog>`;
  }
}
customElements.define('sv-session-expired', SessionExpired);
