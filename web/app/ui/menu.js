// @ts-check
import { css, html } from '../../vendor/lit.js';
import { Element } from './element.js';
import { icon } from './icon.js';

/**
 * @typedef {import('../actions.js').Call | { perform: () => void }} Effect
 *   an action, or a function of the component that has the menu
 * @typedef {Effect & { label: string, icon: string, isBad?: boolean }} Choice
 */

/** A menu beside the element that opened it: arrows move, Escape and a click elsewhere close it. */
export class Menu extends Element {
  static properties = { choices: { attribute: false }, label: {} };
  static styles = [
    super.styles,
    css`
      :host { display: contents; }
      [popover] { position: fixed; inset: auto; margin: 0; min-width: 12rem; max-width: calc(100vw - 1rem);
        padding: 0.4rem; border: 1px solid var(--line); border-radius: 0.9rem; background: var(--sheet);
        color: var(--ink); box-shadow: 0 0.5rem 1.5rem var(--shade); }
      button { display: flex; align-items: center; gap: 0.75rem; width: 100%; min-height: 2.5rem; padding: 0 0.75rem;
        border: 0; border-radius: 0.55rem; background: none; text-align: start; }
      button:hover, button:focus-visible { background: var(--hover); outline-offset: -2px; }
      button.bad { color: var(--bad); }
      svg { flex: none; }
    `,
  ];

  /** @type {HTMLElement | null} */
  #opener = null;

  constructor() {
    super();
    /** @type {Choice[]} */
    this.choices = [];
    this.label = '';
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
    const isTooLow = y + height > innerHeight - 8;
    this.#sheet.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    this.#sheet.style.top = `${isTooLow ? Math.max(8, (at ? y : box.top - 4) - height) : y}px`;
    this.#buttons[0]?.focus();
  }

  get isOpen() {
    return this.#sheet.matches(':popover-open');
  }

  close() {
    this.#sheet.hidePopover();
  }

  /** @returns {HTMLElement[]} */
  get #buttons() {
    return [this, this.renderRoot].flatMap((node) => [...node.querySelectorAll('[role^=menuitem]')]).filter(isHtml);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const buttons = this.#buttons;
    const at = buttons.findIndex((button) => button.matches(':focus'));
    const moves = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    if (event.key === 'Tab') this.close();
    if (!(event.key in moves)) return;
    event.preventDefault();
    buttons.at(moves[/** @type {keyof typeof moves} */ (event.key)] % buttons.length)?.focus();
  }

  /** @param {ToggleEvent} event */
  #onToggle(event) {
    // The focus was in the menu.
    if (event.newState === 'closed' && document.activeElement === document.body) this.#opener?.focus();
  }

  /** @param {Choice} choice */
  #choose(choice) {
    this.close();
    this.#opener?.focus();
    if ('perform' in choice) choice.perform();
    else this.run(choice);
  }

  render() {
    return html`
      <div popover role="menu" aria-label=${this.label} @keydown=${this.#onKey} @toggle=${this.#onToggle}>
        <slot></slot>
        ${this.choices.map(
          (choice) => html`
            <button role="menuitem" tabindex="-1" class=${choice.isBad ? 'bad' : ''}
              @click=${() => this.#choose(choice)}>
              ${icon(choice.icon, 20)} ${choice.label}
            </button>`,
        )}
      </div>`;
  }
}

/** @param {globalThis.Element} element @returns {element is HTMLElement} */
function isHtml(element) {
  return element instanceof HTMLElement;
}
customElements.define('sv-menu', Menu);
