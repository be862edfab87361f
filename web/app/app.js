// @ts-check
import { css, html, nothing } from '../vendor/lit.js';
import { EMPTY, listed, titleOf } from './state/reducer.js';
import './features/details/profile.js';
import './features/session-expired/session-expired.js';
import './features/welcome/start-failed.js';
import './ui/confirm.js';
import './features/conversations/conversation.js';
import './features/details/details.js';
import { Element } from './ui/element.js';
import './features/new-conversation/new-conversation.js';
import './features/trust/safety-number.js';
import './features/settings/settings.js';
import './features/conversations/sidebar.js';
import './features/welcome/welcome.js';

/** The whole page: which of its parts are shown, and what of the state each gets. */
export class App extends Element {
  static properties = { state: { attribute: false }, server: { attribute: false }, link: { attribute: false }, dialog: { attribute: false }, said: { attribute: false } };
  static styles = [
    super.styles,
    css`
      :host { display: block; height: 100dvh; }
      .home { display: grid; grid-template-columns: minmax(17rem, 24rem) minmax(0, 1fr); height: 100dvh; }
      .home > * { min-height: 0; min-width: 0; }
      .starting, .empty { display: grid; place-content: center; justify-items: center; gap: 0.75rem; height: 100%; padding: 2rem; text-align: center; color: var(--soft); }
      .empty { background: var(--paper); }
      .empty h2 { font-size: var(--huge); color: var(--ink); }
      .wordmark { font: italic 500 var(--huge) var(--display); color: var(--ink); }
      .toasts { position: fixed; inset: 4.75rem 1rem auto; width: auto; margin: 0; padding: 0; border: 0; background: none; pointer-events: none; overflow: visible; }
      .toasts:popover-open { display: grid; justify-items: center; gap: 0.5rem; }
      .toasts p { max-width: 30rem; padding: 0.7rem 1.1rem; border-radius: 0.9rem; background: var(--ink); color: var(--paper); box-shadow: 0 0.5rem 1.5rem var(--shade); }
      @media (max-width: 44rem) {
        .home { grid-template-columns: minmax(0, 1fr); }
        .home.open sv-sidebar, .home:not(.open) > :not(sv-sidebar) { display: none; }
      }
      @media (min-width: 75rem) {
        .home.detailed { grid-template-columns: minmax(17rem, 22rem) minmax(0, 1fr) 21rem; }
      }
    `,
  ];

  /** One thing at a time: the list, or a conversation. */
  #isNarrow = matchMedia('(max-width: 44rem)');

  constructor() {
    super();
    this.#isNarrow.addEventListener('change', () => this.requestUpdate());
    this.state = EMPTY;
    /** @type {{ registration: 'open' | 'invite' | 'closed', motd: string } | null} */
    this.server = null;
    /** What an address brought along. @type {{ invite?: string, code?: string }} */
    this.link = {};
    /** @type {{ name: string, [detail: string]: any } | null} */
    this.dialog = null;
    /** What a screen reader hears. */
    this.said = '';
  }

  render() {
    return html`${this.#phase()} ${this.#dialog()}
      <div class="toasts" role="status" popover="manual">${this.state.toasts.map(({ text }) => html`<p>${text}</p>`)}</div>
      <div class="unseen" aria-live="polite">${this.said}</div>`;
  }

  /** Above everything, dialogs too: the last that was shown is on top. @param {Map<string, any>} changed */
  updated(changed) {
    if (changed.get('state')?.toasts === this.state.toasts) return;
    const toasts = /** @type {HTMLElement} */ (this.renderRoot.querySelector('.toasts'));
    if (toasts.matches(':popover-open')) toasts.hidePopover();
    if (this.state.toasts.length) toasts.showPopover();
  }

  #phase() {
    switch (this.state.phase) {
      case 'starting':
        return html`<div class="starting"><p class="wordmark">Sottovoce</p></div>`;
      case 'broken':
        return html`<sv-broken .reason=${this.state.reason}></sv-broken>`;
      case 'welcome':
        return html`<sv-welcome .invite=${this.link.invite ?? ''} .registration=${this.server?.registration ?? 'open'} .motd=${this.server?.motd ?? ''}></sv-welcome>`;
      case 'home':
        return this.#home();
    }
  }

  #home() {
    const { state } = this;
    const open = state.open ? state.conversations[state.open] : undefined;
    const me = /** @type {import('./state/reducer.js').Me} */ (state.me);
    const isDetailed = open !== undefined && this.dialog?.name === 'details';
    return html`
      <div class="home ${open ? 'open' : ''} ${isDetailed ? 'detailed' : ''}">
        <sv-sidebar role=${this.#isNarrow.matches && !open ? 'main' : 'complementary'} aria-label="Overview" .conversations=${listed(state)} .me=${me} .open=${state.open} .typing=${state.typing} .drafts=${state.drafts}
          .waiting=${state.waiting} .line=${state.line} .hasEnded=${state.hasEnded}></sv-sidebar>
        ${open
          ? html`<sv-conversation role="main" .conversation=${open} .me=${me.id} .line=${state.line} .window=${state.window} .waiting=${state.waiting}
              .quoted=${state.quoted} .typing=${state.typing[open.id]} .draft=${state.drafts[open.id] ?? ''} .settings=${state.settings}></sv-conversation>`
          : html`<main class="empty">
              <h2>${Object.keys(state.conversations).length ? 'Pick a conversation' : `Hello, ${me.username}`}</h2>
              <p>${Object.keys(state.conversations).length ? 'Or begin a new one.' : 'Nothing has been said yet. Begin with somebody whose name you know, or give them a code.'}</p>
              <button class="button main" @click=${() => this.want('show', { dialog: { name: 'new' } })}>New conversation</button>
            </main>`}
        ${isDetailed ? html`<sv-details role="complementary" aria-label="About this conversation" .conversation=${open} .me=${me.id}></sv-details>` : nothing}
      </div>`;
  }

  #dialog() {
    const { state, dialog } = this;
    if (!dialog || state.phase !== 'home') return nothing;
    const me = /** @type {import('./state/reducer.js').Me} */ (state.me);
    const conversation = state.conversations[dialog.conversation ?? ''];
    switch (dialog.name) {
      case 'new':
        return html`<sv-new .me=${me.id} .code=${dialog.code ?? ''} .tab=${dialog.tab ?? 'name'}></sv-new>`;
      case 'settings':
        return html`<sv-settings .me=${me} .settings=${state.settings}></sv-settings>`;
      case 'safety':
        return conversation ? html`<sv-safety .conversation=${conversation} .user=${dialog.user} .me=${me.id}></sv-safety>` : nothing;
      case 'lock':
        return conversation ? html`<sv-lock .title=${titleOf(conversation, me.id)} .conversation=${conversation} .me=${me.id}></sv-lock>` : nothing;
      case 'about':
        return html`<sv-about .person=${dialog.person}></sv-about>`;
      case 'confirm':
        return html`<sv-confirm .heading=${dialog.heading} .text=${dialog.text} .action=${dialog.action} .intent=${dialog.then}></sv-confirm>`;
      case 'again':
        return html`<sv-again .name=${me.username}></sv-again>`;
    }
    return nothing;
  }
}
customElements.define('sv-app', App);
