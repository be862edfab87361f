// @ts-check
import { css, html, nothing, repeat } from '../../../vendor/lit.js';
import { de, en } from '../../../vendor/emoji.js';
import { language, t } from '../../messages/index.js';
import { Element } from '../../ui/element.js';

/** @typedef {keyof import('../../messages/index.js').Messages['emoji']['groups']} Group */

/** In the order of the data. @type {Group[]} */
const GROUPS = ['smileys', 'people', 'nature', 'food', 'places', 'activities', 'objects', 'symbols', 'flags'];
const FOUND_MAX = 120;

/** By group: emoji, name, and the words that it is found by. @typedef {[string, string, string][][]} Groups */

/** By language. @type {Map<string, Promise<Groups>>} */
const loaded = new Map();

/** @returns {Promise<Groups>} */
function load() {
  const known = loaded.get(language);
  if (known) return known;
  const loading = fetch({ de, en }[language])
    .then((answer) => /** @type {Promise<Groups>} */ (answer.json()))
    .catch(() => {
      loaded.delete(language); // the next picker tries again
      return [];
    });
  loaded.set(language, loading);
  return loading;
}

/**
 * Choose an emoji, by group or by its name. The data come from emojibase. Ready-made pickers write styles and HTML as
 * text, which the Content-Security-Policy forbids.
 */
export class EmojiPicker extends Element {
  static properties = { groups: { state: true }, group: { state: true }, wanted: { state: true } };
  static styles = [
    super.styles,
    css`
      :host { display: grid; grid-template-rows: auto auto 1fr; gap: 0.5rem; width: min(22rem, calc(100vw - 1.5rem));
        height: min(22rem, 60dvh); padding: 0.75rem; border: 1px solid var(--line); border-radius: 1.1rem;
        background: var(--sheet); box-shadow: 0 0.5rem 1.5rem var(--shade); }
      input { width: 100%; min-height: 2.5rem; padding: 0 0.9rem; border: 1px solid var(--edge); border-radius: 2rem;
        background: var(--paper); }
      [role=tablist] { display: flex; gap: 0.1rem; overflow-x: auto; }
      [role=tablist] button { flex: 1; min-width: 2rem; min-height: 2.25rem; padding: 0; border: 0;
        border-bottom: 2px solid transparent; background: none; font-size: 1.1rem; }
      [aria-selected=true] { border-bottom-color: var(--accent) !important; }
      .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(2.5rem, 1fr)); align-content: start;
        overflow-y: auto; overscroll-behavior: contain; }
      .grid button { aspect-ratio: 1; padding: 0; border: 0; border-radius: 0.6rem; background: none;
        font-size: 1.45rem; line-height: 1; }
      .grid button:hover, .grid button:focus-visible { background: var(--hover); outline-offset: -2px; }
    `,
  ];

  constructor() {
    super();
    /** @type {Groups} */
    this.groups = [];
    this.group = 0;
    this.wanted = '';
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  async #load() {
    this.groups = await load();
    await this.updateComplete;
    this.renderRoot.querySelector('input')?.focus();
  }

  #shown() {
    if (!this.wanted) return this.groups[this.group] ?? [];
    const words = this.wanted.toLowerCase().split(/\s+/);
    return this.groups
      .flat()
      .filter(([, label, tags]) => words.every((word) => `${label} ${tags}`.toLowerCase().includes(word)))
      .slice(0, FOUND_MAX);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.dispatchEvent(new Event('closed'));
    }
    const buttons = /** @type {HTMLElement[]} */ ([...this.renderRoot.querySelectorAll('.grid button')]);
    const at = buttons.findIndex((button) => button.matches(':focus'));
    const across = buttons.findIndex((one) => one.offsetTop !== buttons[0].offsetTop);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: at < 0 ? 1 : across, ArrowUp: -across };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step === undefined || !buttons.length || (at < 0 && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))].focus();
  }

  /** @param {string} one */
  #choose(one) {
    this.dispatchEvent(new CustomEvent('emoji', { detail: one }));
  }

  /** @param {InputEvent} event */
  #onInput(event) {
    this.wanted = /** @type {HTMLInputElement} */ (event.target).value;
  }

  render() {
    const shown = this.#shown();
    return html`
      <input type="search" aria-label=${t.emoji.search} placeholder=${t.emoji.search} .value=${this.wanted}
        @keydown=${this.#onKey} @input=${this.#onInput}>
      <div role="tablist" aria-label=${t.emoji.categories}>
        ${this.groups.map((group, at) => this.#tab(group[0][0], at))}
      </div>
      <div class="grid" role="group" aria-label=${t.emoji.all} @keydown=${this.#onKey}>
        ${repeat(
          shown,
          ([one]) => one,
          ([one, label], at) => this.#one(one, label, at === 0),
        )}
        ${shown.length === 0 && this.groups.length ? html`<p class="soft small">${t.emoji.none}</p>` : nothing}
      </div>`;
  }

  /** @param {string} first the emoji that stands for the group @param {number} at */
  #tab(first, at) {
    const label = t.emoji.groups[GROUPS[at]];
    const isChosen = !this.wanted && at === this.group;
    return html`
      <button type="button" role="tab" aria-selected=${isChosen} aria-label=${label} title=${label}
        @click=${() => Object.assign(this, { group: at, wanted: '' })}>${first}</button>`;
  }

  /** @param {string} one @param {string} label @param {boolean} isTabStop */
  #one(one, label, isTabStop) {
    return html`
      <button type="button" tabindex=${isTabStop ? 0 : -1} aria-label=${label} title=${label}
        @click=${() => this.#choose(one)}>${one}</button>`;
  }
}
customElements.define('sv-emoji', EmojiPicker);
