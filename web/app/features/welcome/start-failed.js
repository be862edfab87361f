// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { Element } from '../../ui/element.js';

/** The stored data can't be opened: what the user can do about it. */
export class StartFailed extends Element {
  static properties = { code: {}, problem: { state: true } };
  static styles = [
    super.styles,
    css`
      :host { display: grid; min-height: 100dvh; padding: 1rem; place-items: center; background: var(--desk); }
      main { display: grid; gap: 1rem; width: min(32rem, 100%); padding: clamp(1.25rem, 5vw, 2.5rem);
        border: 1px solid var(--line); border-radius: 1.4rem; background: var(--paper); }
      details > * + * { margin-top: 0.75rem; }
    `,
  ];

  constructor() {
    super();
    /** Of the error, if it has one. */
    this.code = '';
    this.problem = '';
  }

  get #explanation() {
    const { code } = this;
    return code === 'storage_outdated' || code === 'storage_blocked' ? t.errors[code] : t.startFailed.text;
  }

  async #erase() {
    this.problem = '';
    await this.ask('eraseDevice').catch((error) => (this.problem = errorText(error)));
  }

  render() {
    return html`
      <main>
        <h1>${t.startFailed.title}</h1>
        <p>${this.#explanation}</p>
        <p><button class="button main" @click=${() => location.reload()}>${t.common.tryAgain}</button></p>
        <details>
          <summary>${t.startFailed.stillNotWorking}</summary>
          <p>${t.startFailed.eraseText}</p>
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          <button class="button bad" @click=${this.#erase}>${t.startFailed.erase}</button>
        </details>
      </main>`;
  }
}
customElements.define('sv-start-failed', StartFailed);
