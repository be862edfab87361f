// @ts-check
import { html, nothing } from '../../../vendor/lit.js';
import { sentenceFor } from '../../words.js';
import '../../ui/dialog.js';
import { Element } from '../../ui/element.js';

/** A session that has ended goes on with the same device. */
export class Again extends Element {
  static properties = { name: {}, problem: { state: true } };

  constructor() {
    super();
    this.name = this.problem = '';
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const password = new FormData(/** @type {HTMLFormElement} */ (event.target)).get('password');
    await this.ask('logInAgain', { password }).catch((error) => (this.problem = sentenceFor(error)));
  }

  render() {
    return html`<sv-dialog heading="Log in again as ${this.name}"><form class="stack" @submit=${this.#submit}>
      <p>Everything on this device stays as it is. If this device was removed from your account, log out instead, which empties it, and log in anew.</p>
      ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
      <div class="field"><label for="password">Password</label><input id="password" name="password" data-first type="password" required autocomplete="current-password"></div>
      <div class="row"><button class="button main">Log in</button><button type="button" class="button bad" @click=${() => this.want('logOut')}>Log out and empty this device</button></div>
    </form></sv-dialog>`;
  }
}
customElements.define('sv-again', Again);
