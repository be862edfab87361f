// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { lettersOf } from '../../../client/trust/secret-code.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { Element, field } from '../../ui/element.js';
import '../../ui/qr.js';

/** A new device, before its account has confirmed it: how to do that. */
export class Waiting extends Element {
  static properties = {
    me: { attribute: false },
    code: { state: true },
    problem: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { display: block; min-height: 100dvh; overflow: auto; background: var(--paper); }
      main { display: grid; gap: 1.1rem; width: min(34rem, 100%); margin: 0 auto; padding: 2.5rem 1.25rem; }
      h1 { font-size: var(--huge); }
      .code { display: grid; gap: 0.9rem; justify-items: center; padding: 1.1rem; border: 1px solid var(--line);
        border-radius: 1rem; background: var(--sheet); }
      ol { margin: 0; padding-left: 1.3rem; display: grid; gap: 0.4rem; }
      details { border-top: 1px solid var(--line); padding-top: 0.4rem; }
      summary { min-height: var(--touch); padding-block: 0.6rem; cursor: pointer; font-weight: 600; }
    `,
  ];

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    this.code = this.problem = '';
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#askForCode(false);
  }

  /** @param {boolean} isNew */
  async #askForCode(isNew) {
    this.problem = '';
    try {
      this.code = await this.ask('askToBeLinked', { isNew });
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  /** @param {'recover' | 'startAgain'} way @param {string} name of the field */
  #submit(way, name) {
    return async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const value = field(new FormData(/** @type {HTMLFormElement} */ (event.target)), name);
      this.problem = '';
      try {
        await (way === 'recover' ? this.ask('recover', { code: value }) : this.ask('startAgain', { password: value }));
      } catch (error) {
        const special = {
          invalid_credentials: t.errors.wrong_password,
          no_device_list: t.linking.noRecoveryKey,
          wrong_code: lettersOf(value) === lettersOf(this.code) ? t.linking.isCodeAbove : t.linking.wrongRecoveryKey,
        };
        this.problem = errorText(error, special);
        await this.updateComplete;
        /** @type {HTMLElement} */ (this.renderRoot.querySelector('.wrong')).focus();
      }
    };
  }

  render() {
    const { me, code } = this;
    return html`
      <main>
        <h1>${t.linking.title}</h1>
        <p>${t.linking.text(me.username)}</p>
        ${this.problem ? html`<p class="wrong" role="alert" tabindex="-1">${this.problem}</p>` : nothing}
        <h2>${t.linking.withDevice}</h2>
        <ol><li>${t.linking.step1}</li><li>${t.linking.step2}</li><li>${t.linking.step3}</li></ol>
        <div class="code">
          ${
            code
              ? html`<sv-qr .text=${`${location.origin}/#link=${code}`} .label=${t.linking.qr}></sv-qr>
                <span class="letters" id="link-code">${code}</span>`
              : html`<span class="soft">${t.linking.makingCode}</span>`
          }
          <span class="small soft">${t.linking.codeLife}</span>
          <button class="button" @click=${() => this.#askForCode(true)}>${t.linking.newCode}</button>
        </div>
        <details>
          <summary>${t.linking.withRecoveryKey}</summary>
          <form class="stack" @submit=${this.#submit('recover', 'key')}>
            <div class="field">
              <label for="key">${t.linking.recoveryKey}</label>
              <input id="key" name="key" required maxlength="60" autocomplete="off" autocapitalize="characters"
                spellcheck="false">
              <span class="hint">${t.linking.recoveryKeyHint}</span>
            </div>
            <button class="button main">${t.linking.useRecoveryKey}</button>
          </form>
        </details>
        <details>
          <summary>${t.linking.withNeither}</summary>
          <form class="stack" @submit=${this.#submit('startAgain', 'password')}>
            <p>${t.linking.startAgainText}</p>
            <div class="field">
              <label for="password">${t.common.password}</label>
              <input id="password" name="password" type="password" required autocomplete="current-password">
            </div>
            <button class="button bad">${t.linking.startAgain}</button>
          </form>
        </details>
        <div class="row"><button class="button" @click=${() => this.act('logOut')}>${t.common.logOut}</button></div>
      </main>`;
  }
}
customElements.define('sv-waiting', Waiting);
