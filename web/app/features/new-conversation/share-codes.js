// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { wholeTimeOf } from '../../format.js';
import { sentenceFor } from '../../words.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../../ui/qr.js';

const WORDS = {
  codes: {
    link: 'code',
    make: 'Show a code of mine',
    scan: 'The same code, to scan',
    about: 'Whoever has it can write to you without asking first.',
  },
  invites: {
    link: 'invite',
    make: 'Make an invite',
    scan: 'The invite, to scan',
    about: 'Whoever opens it can join, and you two know each other.',
  },
};

/** Codes or invites of ours that still work. The newest is shown large. */
export class Own extends Element {
  static properties = { what: {}, canHaveMore: { type: Boolean }, open: { state: true }, problem: { state: true }, isBusy: { state: true } };
  static styles = [
    super.styles,
    css`
      .code { font: 600 3rem/1 var(--face); letter-spacing: 0.18em; text-align: center; padding-inline-start: 0.18em; font-variant-numeric: tabular-nums; }
      .shown { display: grid; justify-items: center; gap: 1rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--sheet); }
      .row { justify-content: center; }
      .list { margin-top: 1rem; }
      .list span { font-variant-numeric: tabular-nums; }
    `,
  ];

  constructor() {
    super();
    /** @type {keyof typeof WORDS} */
    this.what = 'codes';
    this.canHaveMore = false;
    /** The oldest first; null while nobody knows. @type {{ code: number | string, expires_at: string }[] | null} */
    this.open = null;
    this.problem = '';
    this.isBusy = false;
  }

  firstUpdated() {
    return this.#do();
  }

  /** @param {string} [intent] what is wanted before they are listed @param {object} [detail] */
  async #do(intent, detail) {
    this.problem = '';
    this.isBusy = true;
    try {
      if (intent) await this.ask(intent, { what: this.what, ...detail });
      this.open = await this.ask('own', { what: this.what });
    } catch (error) {
      this.problem = sentenceFor(error);
    }
    this.isBusy = false;
  }

  render() {
    const problem = this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing;
    if (this.open === null) return problem;
    const newest = this.open.at(-1);
    const { make } = WORDS[this.what];
    if (!newest) return html`${problem}<button class="button ${this.what === 'invites' ? 'main' : ''}" ?disabled=${this.isBusy} @click=${() => this.#do('makeOwn')}>${make}</button>`;
    return html`${problem}${this.#large(newest)}
      ${this.open.length > 1 ? html`<ul class="list" aria-label="Others that still work">${this.open.slice(0, -1).reverse().map((one) => this.#line(one))}</ul>` : nothing}
      ${this.canHaveMore ? html`<button class="button" ?disabled=${this.isBusy} @click=${() => this.#do('makeOwn')}>Make another</button>` : nothing}`;
  }

  /** @param {{ code: number | string, expires_at: string }} one */
  #large({ code, expires_at: until }) {
    const { scan, about } = WORDS[this.what];
    return html`<div class="shown">
      ${this.what === 'codes' ? html`<p class="code" aria-label="Your code: ${[...String(code)].join(' ')}">${code}</p>` : nothing}
      <sv-qr .text=${this.#link(code)} label=${scan}></sv-qr>
      ${this.what === 'invites' ? html`<code>${code}</code>` : nothing}
      <div class="row">${this.#buttons(code, 'Copy the link')}</div>
      ${onlyHere()}
      <p class="small soft">Works once, until ${wholeTimeOf(until)}. ${about}</p></div>`;
  }

  /** @param {{ code: number | string, expires_at: string }} one */
  #line({ code, expires_at: until }) {
    return html`<li><span class="grow"><strong>${code}</strong><br><span class="small soft">until ${wholeTimeOf(until)}</span></span>${this.#buttons(code, 'Copy')}</li>`;
  }

  /** @param {number | string} code @param {string} copy */
  #buttons(code, copy) {
    return html`<button class="button" aria-label="${copy} of ${code}" @click=${() => this.want('copy', { text: this.#link(code) })}>${icon('copy', 18)} ${copy}</button>
      <button class="button bad" aria-label="Take back ${code}" ?disabled=${this.isBusy} @click=${() => this.#do('takeBack', { code })}>Take back</button>`;
  }

  /** @param {number | string} code */
  #link(code) {
    return `${location.origin}/#${WORDS[this.what].link}=${code}`;
  }
}

/** A link is as good as the address from which it was made. */
function onlyHere() {
  if (!['localhost', '127.0.0.1', '[::1]'].includes(location.hostname)) return nothing;
  return html`<p class="explained">The address of this link works on this computer only. For others, open Sottovoce by the name or number that this computer has in your network, and make it there.</p>`;
}
customElements.define('sv-own', Own);
