// @ts-check
import { css, html, repeat } from '../../../vendor/lit.js';
import { emoji } from '../../../vendor/emoji.js';
import { Element } from '../../ui/element.js';

const GROUPS = ['Smileys', 'People', 'Nature', 'Food', 'Places', 'Activities', 'Objects', 'Symbols', 'Flags'];
const FOUND_MAX = 120;

/** @type {Promise<[string, string, string][][]> | null} */
let loading = null;
const load = () => (loading ??= fetch(emoji).then((answer) => answer.json()).catch(() => ((loading = null), []))); // the next time perhaps

/**
 * Choose an emoji, by group or by its name. The data are emojibase's; pickers that one can install write styles and
 * HTML as text, which our Content-Security-Policy forbids.
 */
export class EmojiPicker extends Element {
  static properties = { groups: { state: true }, group: { state: true }, wanted: { state: true } };
  static styles = [
    super.styles,
    css`
      :host { display: grid; grid-template-rows: auto auto 1fr; gap: 0.5rem; width: min(22rem, calc(100vw - 1.5rem)); height: min(22rem, 60dvh); padding: 0.75rem;
        border: 1px solid var(--line); border-radius: 1.1rem; background: var(--sheet); box-shadow: 0 0.5rem 1.5rem var(--shade); }
      input { min-height: 2.5rem; padding: 0 0.9rem; border: 1px solid var(--edge); border-radius: 2rem; background: var(--paper); width: 100%; }
      [role=tablist] { display: flex; gap: 0.1rem; overflow-x: auto; }
      [role=tablist] button { flex: 1; min-width: 2rem; min-height: 2.25rem; padding: 0; border: 0; border-bottom: 2px solid transparent; background: none; font-size: 1.1rem; }
      [aria-selected=true] { border-bottom-color: var(--accent) !important; }
      .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(2.5rem, 1fr)); align-content: start; overflow-y: auto; overscroll-behavior: contain; }
      .grid button { aspect-ratio: 1; padding: 0; border: 0; border-radius: 0.6rem; background: none; font-size: 1.45rem; line-height: 1; }
      .grid button:hover, .grid button:focus-visible { background: var(--hover); outline-offset: -2px; }
    `,
  ];

  constructor() {
    super();
    /** @type {[string, string, string][][]} */
    this.groups = [];
    this.group = 0;
    this.wanted = '';
  }

  async connectedCallback() {
    super.connectedCallback();
    this.groups = await load();
    await this.updateComplete;
    this.renderRoot.querySelector('input')?.focus();
  }

  #shown() {
    if (!this.wanted) return this.groups[this.group] ?? [];
    const words = this.wanted.toLowerCase().split(/\s+/);
    return this.groups
      .flat()
      .filter(([, label, tags]) => words.every((word) => label.includes(word) || tags.includes(word)))
      .slice(0, FOUND_MAX);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.dispatchEvent(new Event('closed'));
    }
    const buttons = /** @type {HTMLElement[]} */ ([...this.renderRoot.querySelectorAll('.grid button')]);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (this.renderRoot).activeElement));
    const across = buttons.findIndex((one) => one.offsetTop !== buttons[0].offsetTop);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: at < 0 ? 1 : across, ArrowUp: -across }[event.key];
    if (step === undefined || !buttons.length || (at < 0 && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))].focus();
  }

  /** @param {string} one */
  #choose(one) {
    this.dispatchEvent(new CustomEvent('emoji', { detail: one }));
  }

  render() {
    const shown = this.#shown();
    return html`
      <input type="search" aria-label="Find an emoji" placeholder="Find an emoji" .value=${this.wanted} @keydown=${this.#onKey}
        @input=${(/** @type {any} */ event) => (this.wanted = event.target.value)}>
      <div role="tablist" aria-label="Groups">
        ${this.groups.map(
          (group, at) => html`<button type="button" role="tab" aria-selected=${!this.wanted && at === this.group} aria-label=${GROUPS[at]} title=${GROUPS[at]}
            @click=${() => Object.assign(this, { group: at, wanted: '' })}>${group[0][0]}</button>`,
        )}
      </div>
      <div class="grid" role="group" aria-label="Emoji" @keydown=${this.#onKey}>
        ${repeat(shown, ([one]) => one, ([one, label], at) => html`<button type="button" tabindex=${at === 0 ? 0 : -1} aria-label=${label} title=${label} @click=${() => this.#choose(one)}>${one}</button>`)}
        ${shown.length === 0 && this.groups.length ? html`<p class="soft small">Nothing found.</p>` : ''}
      </div>`;
  }
}
customElements.define('sv-emoji', EmojiPicker);
