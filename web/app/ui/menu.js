// @ts-check
import { css, html } from '../../vendor/lit.js';
import { Element } from './element.js';
import { icon } from './icon.js';

/**
 * @typedef {{ intent: string, label: string, icon: string, isBad?: boolean, detail?: object }} Choice
 */

/** A menu beside whatever opened it: arrows move, Escape and a click elsewhere close it. */
export class Menu extends Element {
  static properties = { choices: { attribute: false }, label: {} };
  static styles = [
    super.styles,
    css`
      :host { display: contents; }
      [popover] { position: fixed; inset: auto; margin: 0; min-width: 12rem; max-width: calc(100vw - 1rem); padding: 0.4rem;
        border: 1px solid var(--line); border-radius: 0.9rem; background: var(--sheet); color: var(--ink); box-shadow: 0 0.5rem 1.5rem var(--shade); }
      button { display: flex; align-items: center; gap: 0.75rem; width: 100%; min-height: 2.5rem; padding: 0 0.75rem; border: 0;
        border-radius: 0.55rem; background: none; text-align: start; }
      button:hover, button:focus-visible { background: var(--hover); outline-offset: -2px; }
      button.bad { color: var(--bad); }
      svg { flex: none; }
    `,
  ];

  /** @type {Element | HTMLElement | null} */
  #opener = null;

  constructor() {
    super();
    /** @type {Choice[]} */
    this.choices = [];
    this.label = 'More';
  }

  get #sheet() {
    return /** @type {HTMLElement} */ (this.renderRoot.querySelector('[popover]'));
  }

  /** @param {HTMLElement} opener @param {{ x: number, y: number }} [at] */
  async openAt(opener, at) {
    this.#opener = opener;
    await this.updateComplete;
    this.#sheet.showPopover();
    const box = opener.getBoundingClientRect();
    const { width, height } = this.#sheet.getBoundingClientRect();
    const { x, y } = at ?? { x: box.right - width, y: box.bottom + 4 };
    this.#sheet.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    this.#sheet.style.top = `${y + height > innerHeight - 8 ? Math.max(8, (at ? y : box.top - 4) - height) : y}px`;
    this.#buttons[0]?.focus();
  }

  /** @returns {HTMLElement[]} */
  get #buttons() {
    return /** @type {HTMLElement[]} */ ([this, this.renderRoot].flatMap((where) => [...where.querySelectorAll('[role^=menuitem]')]));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const buttons = this.#buttons;
    const at = buttons.findIndex((button) => button.matches(':focus'));
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Tab') this.#sheet.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    buttons.at(to % buttons.length)?.focus();
  }

  #onClosed() {
    if (document.activeElement === document.body) this.#opener?.focus(); // it was on the sheet
  }

  /** @param {Choice} choice */
  #choose({ intent, detail }) {
    this.#sheet.hidePopover();
    this.#opener?.focus();
    this.want(intent, detail);
  }

  render() {
    return html`
      <div popover role="menu" aria-label=${this.label} @keydown=${this.#onKey}
        @toggle=${(/** @type {any} */ event) => event.newState === 'closed' && this.#onClosed()}>
        <slot></slot>
        ${this.choices.map(
          (choice) => html`<button role="menuitem" tabindex="-1" class=${choice.isBad ? 'bad' : ''} @click=${() => this.#choose(choice)}>
            ${icon(choice.icon, 20)} ${choice.label}
          </button>`,
        )}
      </div>`;
  }
}
customElements.define('sv-menu', Menu);
