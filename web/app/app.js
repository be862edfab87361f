// @ts-check
import { css, html, nothing } from '../vendor/lit.js';
import './features/conversations/conversation.js';
import './features/conversations/sidebar.js';
import './features/details/details.js';
import './features/details/profile.js';
import './features/linking/link-device.js';
import './features/linking/recovery-key.js';
import './features/linking/waiting.js';
import './features/new-conversation/new-conversation.js';
import './features/session-expired/session-expired.js';
import './features/settings/settings.js';
import './features/trust/encryption.js';
import './features/trust/safety-number.js';
import './features/welcome/start-failed.js';
import './features/welcome/welcome.js';
import { t } from './messages/index.js';
import { EMPTY } from './state/reducer.js';
import { listed } from './state/selectors.js';
import './ui/confirm.js';
import { Element } from './ui/element.js';

/**
 * What is shown above the page; `details` is a pane beside the conversation.
 * @typedef {{ name: 'new', tab?: import('./features/new-conversation/new-conversation.js').Tab, code?: string }
 *   | { name: 'settings' }
 *   | { name: 'link-device', code?: string, isWaiting?: boolean }
 *   | { name: 'recovery-key' }
 *   | { name: 'session-expired' }
 *   | { name: 'details' }
 *   | { name: 'profile', person: import('./state/selectors.js').Person }
 *   | { name: 'encryption', conversation: string }
 *   | { name: 'safety-number', conversation: string, user: string }
 *   | { name: 'confirm', question: import('./ui/confirm.js').Question }} Dialog
 *
 * @typedef {import('./state/reducer.js').Me} Me
 */

/** The whole page: which parts are shown, and what of the state each of them gets. */
export class App extends Element {
  static properties = {
    state: { attribute: false },
    server: { attribute: false },
    link: { attribute: false },
    dialog: { attribute: false },
    announced: { attribute: false },
  };
  static styles = [
    super.styles,
    css`
      :host { display: block; height: 100dvh; }
      .home { display: grid; grid-template-columns: minmax(17rem, 24rem) minmax(0, 1fr); height: 100dvh; }
      .home > * { min-height: 0; min-width: 0; }
      .starting, .empty { display: grid; place-content: center; justify-items: center; gap: 0.75rem; height: 100%;
        padding: 2rem; text-align: center; color: var(--soft); }
      .empty { background: var(--paper); }
      .empty h2 { font-size: var(--huge); color: var(--ink); overflow-wrap: anywhere; }
      .empty .row { justify-content: center; }
      .wordmark { font: italic 500 var(--huge) var(--display); color: var(--ink); }
      .toasts { position: fixed; inset: 4.75rem 1rem auto; width: auto; margin: 0; padding: 0; border: 0;
        background: none; pointer-events: none; overflow: visible; }
      .toasts:popover-open { display: grid; justify-items: center; gap: 0.5rem; }
      .toasts p { max-width: 30rem; padding: 0.7rem 1.1rem; border-radius: 0.9rem; background: var(--ink);
        color: var(--paper); box-shadow: 0 0.5rem 1.5rem var(--shade); }
      @media (max-width: 44rem) {
        .home { grid-template-columns: minmax(0, 1fr); }
        .home.open sv-sidebar, .home:not(.open) > :not(sv-sidebar) { display: none; }
      }
      @media (min-width: 75rem) {
        .home.detailed { grid-template-columns: minmax(17rem, 22rem) minmax(0, 1fr) 21rem; }
      }
    `,
  ];

  /** Only the list or the conversation fits. */
  #isNarrow = matchMedia('(max-width: 44rem)');

  constructor() {
    super();
    this.#isNarrow.addEventListener('change', () => this.requestUpdate());
    this.state = EMPTY;
    /** @type {import('../client/transport/frames.d.ts').Server | null} */
    this.server = null;
    /** What was in the address. @type {{ invite?: string, code?: string, link?: string }} */
    this.link = {};
    /** @type {Dialog | null} */
    this.dialog = null;
    /** What a screen reader says. */
    this.announced = '';
  }

  render() {
    return html`
      ${this.#phase()} ${this.#dialog()}
      <div class="toasts" role="status" popover="manual">
        ${this.state.toasts.map(({ text }) => html`<p>${text}</p>`)}
      </div>
      <div class="unseen" aria-live="polite">${this.announced}</div>`;
  }

  /**
   * Toasts are above dialogs: what was shown last is on top.
   * @param {import('../vendor/lit.js').PropertyValues<App>} changed
   */
  updated(changed) {
    if (changed.get('state')?.toasts === this.state.toasts) return;
    const toasts = /** @type {HTMLElement} */ (this.renderRoot.querySelector('.toasts'));
    if (toasts.matches(':popover-open')) toasts.hidePopover();
    if (this.state.toasts.length) toasts.showPopover();
  }

  #phase() {
    const { phase, failure, me } = this.state;
    switch (phase) {
      case 'starting':
        return html`<div class="starting"><p class="wordmark">Sottovoce</p></div>`;
      case 'failed':
        return html`<sv-start-failed .code=${failure}></sv-start-failed>`;
      case 'welcome':
        return html`<sv-welcome .invite=${this.link.invite ?? ''} .registration=${this.server?.registration ?? 'open'}
          .motd=${this.server?.motd ?? ''}></sv-welcome>`;
      case 'waiting':
        return me ? html`<sv-waiting .me=${me}></sv-waiting>` : nothing;
      case 'home':
        return me ? this.#home(me) : nothing;
    }
  }

  /** @param {Me} me */
  #home(me) {
    const { state } = this;
    const open = state.open ? state.conversations[state.open] : undefined;
    const isDetailed = open !== undefined && this.dialog?.name === 'details';
    return html`
      <div class="home ${open ? 'open' : ''} ${isDetailed ? 'detailed' : ''}">
        <sv-sidebar role=${this.#isNarrow.matches && !open ? 'main' : 'complementary'}
          aria-label=${t.conversations.overview} .conversations=${listed(state)} .me=${me} .open=${state.open}
          .typing=${state.typing} .drafts=${state.drafts} .waiting=${state.waiting} .line=${state.line}
          .hasEnded=${state.hasEnded} .isRecoveryDue=${state.recovery === 'due'}
          .unconfirmed=${state.unconfirmed}></sv-sidebar>
        ${
          open
            ? html`<sv-conversation role="main" .conversation=${open} .me=${me.id} .line=${state.line}
              .hasEnded=${state.hasEnded}
              .window=${state.window} .waiting=${state.waiting} .quoted=${state.quoted}
              .typing=${state.typing[open.id]} .draft=${state.drafts[open.id] ?? ''}></sv-conversation>`
            : this.#nothingOpen(me)
        }
        ${
          isDetailed
            ? html`<sv-details role="complementary" aria-label=${t.details.label} .conversation=${open}
              .me=${me.id}></sv-details>`
            : nothing
        }
      </div>`;
  }

  /** @param {Me} me */
  #nothingOpen(me) {
    const isEmpty = Object.keys(this.state.conversations).length === 0;
    const words = t.conversations;
    const show = (/** @type {Dialog} */ dialog) => () => this.act('show', { dialog });
    return html`
      <main class="empty">
        <h2>${isEmpty ? words.hello(me.username) : words.select}</h2>
        <p>${isEmpty ? words.helloText : words.selectText}</p>
        <div class="row">
          <button class="button main" @click=${show({ name: 'new' })}>
            ${isEmpty ? words.start : t.common.newConversation}
          </button>
          ${
            isEmpty
              ? html`<button class="button" @click=${show({ name: 'new', tab: 'invite' })}>${words.invite}</button>`
              : nothing
          }
        </div>
      </main>`;
  }

  #dialog() {
    const { state, dialog } = this;
    const { me } = state;
    if (!dialog || !me || state.phase !== 'home') return nothing;
    switch (dialog.name) {
      case 'new':
        return html`<sv-new-conversation .me=${me.id} .code=${dialog.code ?? ''}
          .tab=${dialog.tab ?? 'name'}></sv-new-conversation>`;
      case 'settings':
        return html`<sv-settings .me=${me} .settings=${state.settings} .recovery=${state.recovery}></sv-settings>`;
      case 'link-device':
        return html`<sv-link-device .code=${dialog.code ?? ''} .isWaiting=${dialog.isWaiting ?? false}></sv-link-device>`;
      case 'recovery-key':
        return html`<sv-recovery-key .me=${me} .isMade=${state.recovery === 'made'}></sv-recovery-key>`;
      case 'session-expired':
        return html`<sv-session-expired .name=${me.username}></sv-session-expired>`;
      case 'profile':
        return html`<sv-profile .person=${dialog.person}></sv-profile>`;
      case 'encryption':
      case 'safety-number':
        return this.#trust(dialog, me);
      case 'confirm':
        return html`<sv-confirm .question=${dialog.question}></sv-confirm>`;
      case 'details':
        return nothing;
    }
  }

  /** @param {Extract<Dialog, { conversation: string }>} dialog @param {Me} me */
  #trust(dialog, me) {
    const conversation = this.state.conversations[dialog.conversation];
    if (!conversation) return nothing;
    return dialog.name === 'encryption'
      ? html`<sv-encryption .conversation=${conversation} .me=${me.id}></sv-encryption>`
      : html`<sv-safety-number .conversation=${conversation} .user=${dialog.user}></sv-safety-number>`;
  }
}
customElements.define('sv-app', App);
