// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { sentenceFor } from '../../words.js';
import { Element } from '../../ui/element.js';

const MIN_PASSWORD = 8;

/** The first minutes: an account, or another device of one. */
export class Welcome extends Element {
  static properties = { invite: {}, registration: {}, motd: {}, mode: { state: true }, problem: { state: true }, isBusy: { state: true } };
  static styles = [
    super.styles,
    css`
      :host { display: grid; min-height: 100dvh; padding: 1rem; place-items: center; background: var(--desk); }
      main { width: min(26rem, 100%); padding: clamp(1.25rem, 5vw, 2.5rem); border: 1px solid var(--line); border-radius: 1.4rem; background: var(--paper); }
      h1 { font-size: var(--huge); }
      form { margin-top: 1.5rem; }
      .tabs { display: grid; grid-template-columns: 1fr 1fr; gap: 0.25rem; margin-top: 1.5rem; padding: 0.25rem; border-radius: 1rem; background: var(--desk); }
      .tabs button { min-height: var(--touch); padding: 0 0.25rem; border: 0; border-radius: 0.8rem; background: none; font-weight: 600; }
      .tabs button[aria-pressed="true"] { background: var(--sheet); box-shadow: 0 1px 3px var(--shade); }
      .button { width: 100%; }
    `,
  ];

  constructor() {
    super();
    this.invite = '';
    /** @type {'open' | 'invite' | 'closed'} */
    this.registration = 'open';
    this.motd = '';
    /** @type {'register' | 'logIn' | null} */
    this.mode = null;
    this.problem = '';
    this.isBusy = false;
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has('invite') && this.invite) this.mode = null; // an invite is for somebody new
  }

  get #mode() {
    return this.mode ?? (this.registration === 'closed' ? 'logIn' : 'register');
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target)));
    this.isBusy = true;
    this.problem = '';
    try {
      await this.ask(this.#mode, { name: String(given.name).trim(), password: given.password, invite: String(given.invite ?? '').trim() });
    } catch (error) {
      this.problem = sentenceFor(error);
      this.isBusy = false;
      await this.updateComplete;
      /** @type {HTMLElement} */ (this.renderRoot.querySelector('.wrong')).focus();
    }
  }

  /** @param {'register' | 'logIn'} mode @param {string} label */
  #tab(mode, label) {
    return html`<button type="button" aria-pressed=${this.#mode === mode} @click=${() => Object.assign(this, { mode, problem: '' })}>${label}</button>`;
  }

  render() {
    const isNew = this.#mode === 'register';
    return html`
      <main>
        <h1>Sottovoce</h1>
        <p class="soft">${this.invite && isNew ? 'You are invited. Choose a name and a password, and you are in.' : 'A quiet place to talk. What you write is encrypted on your device.'}</p>
        ${this.motd && this.motd !== 'Welcome' ? html`<p>${this.motd}</p>` : nothing}
        <div class="tabs" role="group" aria-label="Account">${this.#tab('register', 'I am new')}${this.#tab('logIn', 'I have an account')}</div>
        ${isNew && this.registration === 'closed'
          ? html`<form class="stack"><p class="explained">This server takes nobody new right now. Ask whoever runs it.</p></form>`
          : this.#form(isNew)}
      </main>`;
  }

  /** @param {boolean} isNew */
  #form(isNew) {
    return html`
      <form class="stack" @submit=${this.#submit}>
        ${this.problem ? html`<p class="wrong" role="alert" tabindex="-1">${this.problem}</p>` : nothing}
        <div class="field">
          <label for="name">Name</label>
          <input id="name" name="name" required maxlength="20" autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="name-hint">
          <span class="hint" id="name-hint">${isNew ? 'How others find you. Up to 20 letters, digits or signs, without spaces.' : 'The one that you chose when you joined.'}</span>
        </div>
        <div class="field">
          <label for="password">Password</label>
          <input id="password" name="password" type="password" required minlength=${isNew ? MIN_PASSWORD : 1}
            autocomplete=${isNew ? 'new-password' : 'current-password'} aria-describedby="password-hint">
          <span class="hint" id="password-hint">${isNew
            ? `At least ${MIN_PASSWORD} characters, with a capital letter, a small one and a digit. If you forget it, only whoever runs the server can give you another one.`
            : 'This becomes another device of yours. It joins your conversations by itself; earlier messages stay on the first one.'}</span>
        </div>
        ${isNew && (this.registration === 'invite' || this.invite)
          ? html`<div class="field">
              <label for="invite">Invite code</label>
              <input id="invite" name="invite" .value=${this.invite} ?required=${this.registration === 'invite'} maxlength="8" autocapitalize="characters" autocomplete="off" spellcheck="false">
            </div>`
          : nothing}
        <button class="button main" ?disabled=${this.isBusy}>${this.isBusy ? 'One moment: making your keys…' : isNew ? 'Start talking' : 'Log in'}</button>
      </form>`;
  }
}
customElements.define('sv-welcome', Welcome);
