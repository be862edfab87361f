// @ts-check
import { html } from '../../../vendor/lit.js';
import { t } from '../../messages/index.js';
import { Section } from './section.js';

/** The password, and the end of this device or of the account. */
export class OwnAccount extends Section {
  static properties = {
    me: { attribute: false },
    hasRecoveryKey: { type: Boolean },
  };

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    this.hasRecoveryKey = false;
  }

  render() {
    const deleteAccount = (/** @type {(name: string) => string} */ field) =>
      this.ask('deleteAccount', { password: field('password') });
    return html`
        ${this.#passwordForm()}
        <div class="row">
          <button class="button" id="log-out" @click=${() => this.act('confirm', loggingOut(this.hasRecoveryKey))}>
            ${t.common.logOut}
          </button>
        </div>
        <details>
          <summary>${t.settings.deleteAccount}</summary>
          <form class="stack" id="delete-account"
            @submit=${(/** @type {SubmitEvent} */ event) => this.submit(event, deleteAccount)}>
            <p>${t.settings.deleteAccountText}</p>
            ${this.#nameForPasswordManagers()}
            <div class="field">
              <label for="last">${t.common.password}</label>
              <input id="last" name="password" type="password" required autocomplete="current-password">
            </div>
            <button class="button bad">${t.settings.deleteAccountAction}</button>
          </form>
        </details>`;
  }

  #passwordForm() {
    const words = t.settings;
    const save = (/** @type {(name: string) => string} */ field) =>
      this.ask('setPassword', { password: field('password'), fresh: field('fresh') });
    const submit = (/** @type {SubmitEvent} */ event) =>
      this.submit(event, save, { done: words.passwordChanged, invalid: words.passwordInvalid });
    return html`
      <details>
        <summary>${words.changePassword}</summary>
        <form class="stack" id="change-password" @submit=${submit}>
          ${this.#nameForPasswordManagers()}
          <div class="field">
            <label for="old">${words.currentPassword}</label>
            <input id="old" name="password" type="password" required autocomplete="current-password">
          </div>
          <div class="field">
            <label for="fresh">${words.newPassword}</label>
            <input id="fresh" name="fresh" type="password" required minlength="8" autocomplete="new-password">
          </div>
          <button class="button">${words.savePassword}</button>
        </form>
      </details>`;
  }

  #nameForPasswordManagers() {
    return html`
      <input class="unseen" name="name" autocomplete="username" .value=${this.me.username} tabindex="-1"
        aria-hidden="true">`;
  }
}

/** @param {boolean} hasRecoveryKey @returns {import('../../ui/confirm.js').Question} */
function loggingOut(hasRecoveryKey) {
  return {
    heading: t.settings.logOutTitle,
    text: t.settings.logOutText,
    label: t.common.logOut,
    then: { action: 'logOut' },
    before: hasRecoveryKey
      ? undefined
      : {
          label: t.linking.makeRecoveryKey,
          then: { action: 'show', detail: { dialog: { name: 'recovery-key' } } },
        },
  };
}
customElements.define('sv-settings-account', OwnAccount);
