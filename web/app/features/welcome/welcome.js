// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { Element, field } from '../../ui/element.js';

const MIN_PASSWORD = 8;
const DEFAULT_MOTD = 'Welcome'; // the server's own; not worth a line

/** @typedef {'register' | 'logIn'} Mode */

/** Sign up, or log in on a new device. */
export class Welcome extends Element {
  static properties = {
    invite: {},
    registration: {},
    motd: {},
    mode: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { display: grid; min-height: 100dvh; padding: 1rem; place-items: center; background: var(--desk); }
      main { width: min(26rem, 100%); padding: clamp(1.25rem, 5vw, 2.5rem); border: 1px solid var(--line);
        border-radius: 1.4rem; background: var(--paper); }
      h1 { font-size: var(--huge); }
      form, #panel > p { margin-top: 1.5rem; }
      .tabs { display: grid; grid-template-columns: 1fr 1fr; gap: 0.25rem; margin-top: 1.5rem; padding: 0.25rem;
        border-radius: 1rem; background: var(--desk); }
      .tabs button { min-height: var(--touch); padding: 0 0.25rem; border: 0; border-radius: 0.8rem; background: none;
        font-weight: 600; }
      .tabs button[aria-selected="true"] { background: var(--sheet); box-shadow: 0 1px 3px var(--shade); }
      .button { width: 100%; }
    `,
  ];

  constructor() {
    super();
    this.invite = '';
    /** @type {'open' | 'invite' | 'closed'} */
    this.registration = 'open';
    this.motd = '';
    /** @type {Mode | null} */
    this.mode = null;
    this.problem = '';
    this.isBusy = false;
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<Welcome>} changed */
  willUpdate(changed) {
    if (changed.has('invite') && this.invite) this.mode = null; // an invite is for a new account
  }

  get #mode() {
    return this.mode ?? (this.registration === 'closed' ? 'logIn' : 'register');
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const [name, password, invite] = ['name', 'password', 'invite'].map((key) => field(form, key));
    this.isBusy = true;
    this.problem = '';
    try {
      await this.ask(this.#mode, { name: name.trim(), password, invite: invite.trim() });
    } catch (error) {
      this.problem = errorText(error, { invalid: t.welcome.invalid });
      this.isBusy = false;
      await this.updateComplete;
      /** @type {HTMLElement} */ (this.renderRoot.querySelector('.wrong')).focus();
    }
  }

  /** @param {Mode} mode */
  #choose(mode) {
    Object.assign(this, { mode, problem: '' });
  }

  /** @param {KeyboardEvent} event */
  async #onTabKey({ key }) {
    if (key !== 'ArrowLeft' && key !== 'ArrowRight') return;
    this.#choose(this.#mode === 'register' ? 'logIn' : 'register');
    await this.updateComplete;
    /** @type {HTMLElement} */ (this.renderRoot.querySelector('[aria-selected=true]')).focus();
  }

  /** @param {Mode} mode @param {string} label */
  #tab(mode, label) {
    const isChosen = this.#mode === mode;
    return html`
      <button type="button" role="tab" id="tab-${mode}" aria-selected=${isChosen} aria-controls="panel"
        tabindex=${isChosen ? 0 : -1} @keydown=${this.#onTabKey} @click=${() => this.#choose(mode)}>${label}</button>`;
  }

  render() {
    const isNew = this.#mode === 'register';
    const isClosed = isNew && this.registration === 'closed';
    return html`
      <main>
        <h1>Sottovoce</h1>
        <p class="soft">${this.invite && isNew ? t.welcome.invited : t.welcome.intro}</p>
        ${this.motd && this.motd !== DEFAULT_MOTD ? html`<p>${this.motd}</p>` : nothing}
        <div class="tabs" role="tablist" aria-label=${t.welcome.account}>
          ${this.#tab('register', t.welcome.signUp)}${this.#tab('logIn', t.common.logIn)}
        </div>
        <div id="panel" role="tabpanel" aria-labelledby="tab-${this.#mode}">
          ${isClosed ? html`<p class="explained">${t.welcome.closed}</p>` : this.#form(isNew)}
        </div>
      </main>`;
  }

  /** @param {boolean} isNew */
  #form(isNew) {
    const label = isNew ? t.welcome.createAccount : t.common.logIn;
    return html`
      <form class="stack" @submit=${this.#submit}>
        ${this.problem ? html`<p class="wrong" role="alert" tabindex="-1">${this.problem}</p>` : nothing}
        <div class="field">
          <label for="name">${t.common.username}</label>
          <input id="name" name="name" required maxlength="20" autocomplete="username" autocapitalize="none"
            spellcheck="false" aria-describedby=${isNew ? 'name-hint' : nothing}>
          ${isNew ? html`<span class="hint" id="name-hint">${t.welcome.usernameHint}</span>` : nothing}
        </div>
        <div class="field">
          <label for="password">${t.common.password}</label>
          <input id="password" name="password" type="password" required minlength=${isNew ? MIN_PASSWORD : 1}
            autocomplete=${isNew ? 'new-password' : 'current-password'} aria-describedby="password-hint">
          <span class="hint" id="password-hint">
            ${isNew ? t.welcome.passwordHint(MIN_PASSWORD) : t.welcome.newDeviceHint}
          </span>
        </div>
        ${isNew && (this.registration === 'invite' || this.invite) ? this.#inviteField() : nothing}
        <button class="button main" id="submit" ?disabled=${this.isBusy}>
          ${this.isBusy ? t.welcome.creatingKeys : label}
        </button>
      </form>`;
  }

  #inviteField() {
    return html`
      <div class="field">
        <label for="invite">${t.welcome.inviteCode}</label>
        <input id="invite" name="invite" .value=${this.invite} ?required=${this.registration === 'invite'} maxlength="8"
          autocapitalize="characters" autocomplete="off" spellcheck="false">
      </div>`;
  }
}
customElements.define('sv-welcome', Welcome);
