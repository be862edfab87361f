// @ts-check
import { css, html, nothing } from '../../vendor/lit.js';
import { t } from '../messages/index.js';
import { Element } from './element.js';
import { icon } from './icon.js';

/** A modal dialog with a heading; Escape, the button and a click beside it close it, unless it is to be answered. */
export class Dialog extends Element {
  static properties = { heading: {}, wide: { type: Boolean }, mustAnswer: { type: Boolean } };
  static styles = [
    super.styles,
    css`
      dialog { width: min(30rem, 100vw - 1.5rem); max-height: min(46rem, 100dvh - 1.5rem); padding: 0;
        border: 1px solid var(--line); border-radius: 1.1rem; background: var(--paper); color: var(--ink);
        box-shadow: 0 1rem 3rem var(--shade); }
      dialog[open] { display: grid; grid-template-rows: auto 1fr; }
      dialog.wide { width: min(44rem, 100vw - 1.5rem); }
      dialog::backdrop { background: var(--veil); }
      .head { display: flex; align-items: center; gap: 0.5rem; padding: 0.75rem 0.75rem 0.25rem 1.5rem; }
      h2 { overflow-wrap: anywhere; hyphens: auto; }
      .body { padding: 0.5rem 1.5rem 1.5rem; overflow: auto; overscroll-behavior: contain; }
      @media (max-width: 30rem) {
        dialog, dialog.wide { width: 100vw; max-width: 100vw; margin-bottom: 0; border-radius: 1.1rem 1.1rem 0 0; }
        .body { padding: 0.5rem 1rem 1.25rem; }
        .head { padding-left: 1rem; }
      }
    `,
  ];

  constructor() {
    super();
    this.heading = '';
    this.wide = this.mustAnswer = false;
  }

  firstUpdated() {
    this.#dialog.showModal();
    /** @type {HTMLElement | null} */ (this.querySelector('[data-first]'))?.focus();
  }

  /** The browser gives the focus back to the element that had it before. */
  close() {
    this.#dialog.close();
  }

  get #dialog() {
    return /** @type {HTMLDialogElement} */ (this.renderRoot.querySelector('dialog'));
  }

  /** @param {Event} event */
  #onClick(event) {
    if (event.target === this.#dialog && !this.mustAnswer) this.#dialog.close(); // on the backdrop
  }

  /** The browser wants to close it: Escape, or the back gesture. @param {Event} event */
  #onCancel(event) {
    if (this.mustAnswer) event.preventDefault();
  }

  render() {
    return html`
      <dialog class=${this.wide ? 'wide' : ''} aria-labelledby="heading" closedby=${this.mustAnswer ? 'none' : nothing}
        @close=${() => this.act('close')} @cancel=${this.#onCancel} @click=${this.#onClick}>
        <div class="head">
          <h2 id="heading" class="grow">${this.heading}</h2>
          ${
            this.mustAnswer
              ? nothing
              : html`<button class="icon" id="close" aria-label=${t.common.close} @click=${() => this.#dialog.close()}>
                ${icon('close')}</button>`
          }
        </div>
        <div class="body"><slot></slot></div>
      </dialog>`;
  }
}
customElements.define('sv-dialog', Dialog);
