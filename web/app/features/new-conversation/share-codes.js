// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { wholeTimeOf } from '../../messages/format.js';
import { t } from '../../messages/index.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../../ui/qr.js';

/**
 * @typedef {import('../../../worker/calls/contacts.js').ShareKind} ShareKind
 * @typedef {import('../../../client/transport/frames.d.ts').ShareCode} ShareCode
 */

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** The codes or invites of this account that can still be used. The newest is shown large. */
export class ShareCodes extends Element {
  static properties = {
    kind: {},
    hasMore: { type: Boolean },
    codes: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  };
  static styles = [
    super.styles,
    css`
      .code { padding-inline-start: 0.18em; font: 600 3rem/1 var(--face); letter-spacing: 0.18em; text-align: center;
        font-variant-numeric: tabular-nums; }
      .shown { display: grid; justify-items: center; gap: 1rem; padding: 1.25rem; border: 1px solid var(--line);
        border-radius: 1rem; background: var(--sheet); }
      .row { justify-content: center; }
      .list { margin: 1rem 0; }
      .list > li { flex-wrap: wrap; }
      .list span { font-variant-numeric: tabular-nums; }
    `,
  ];

  constructor() {
    super();
    /** @type {ShareKind} */
    this.kind = 'codes';
    /** More than one can be active. */
    this.hasMore = false;
    /** The oldest first; null until they are loaded. @type {ShareCode[] | null} */
    this.codes = null;
    this.problem = '';
    this.isBusy = false;
  }

  firstUpdated() {
    void this.#run();
  }

  /** List the codes, after a change if there is one. @param {() => Promise<unknown>} [change] */
  async #run(change) {
    this.problem = '';
    this.isBusy = true;
    try {
      await change?.();
      this.codes = await this.ask('listCodes', { kind: this.kind });
    } catch (error) {
      this.problem = errorText(error);
    }
    this.isBusy = false;
  }

  #create() {
    return this.#run(() => this.ask('createCode', { kind: this.kind }));
  }

  /** @param {ShareCode['code']} code */
  #revoke(code) {
    return this.#run(() => this.ask('revokeCode', { kind: this.kind, code }));
  }

  render() {
    const problem = this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing;
    if (this.codes === null) return problem;
    const newest = this.codes.at(-1);
    if (!newest) return html`${problem}${this.#createButton()}`;
    const others = this.codes.slice(0, -1).reverse();
    return html`
      ${problem}${this.#large(newest)}
      ${
        others.length
          ? html`<ul class="list" aria-label=${t.shareCodes.others}>${others.map((one) => this.#line(one))}</ul>`
          : nothing
      }
      ${
        this.hasMore
          ? html`<button class="button" id="create" ?disabled=${this.isBusy} @click=${this.#create}>
            ${t.shareCodes.createAnother}
          </button>`
          : nothing
      }`;
  }

  #createButton() {
    const isInvite = this.kind === 'invites';
    return html`
      <button class="button ${isInvite ? 'main' : ''}" id="create" ?disabled=${this.isBusy} @click=${this.#create}>
        ${isInvite ? t.shareCodes.createInvite : t.shareCodes.showCode}
      </button>`;
  }

  /** @param {ShareCode} one */
  #large({ code, expires_at: until }) {
    const words = t.shareCodes;
    const isInvite = this.kind === 'invites';
    const digits = [...String(code)].join(' ');
    return html`
      <div class="shown">
        ${isInvite ? nothing : html`<p class="code" aria-label=${words.yourCode(digits)}>${code}</p>`}
        <sv-qr .text=${this.#link(code)} .label=${isInvite ? words.inviteQr : words.codeQr}></sv-qr>
        ${isInvite ? html`<code>${code}</code>` : nothing}
        <div class="row">${this.#buttons(code)}</div>
        ${LOCAL.includes(location.hostname) ? html`<p class="explained">${words.localAddress}</p>` : nothing}
        <p class="small soft">
          ${words.worksOnce(wholeTimeOf(until))} ${isInvite ? words.inviteText : words.codeText}
        </p>
      </div>`;
  }

  /** @param {ShareCode} one */
  #line({ code, expires_at: until }) {
    const valid = t.shareCodes.validUntil(wholeTimeOf(until));
    return html`
      <li><span class="grow"><strong>${code}</strong><br><span class="small soft">${valid}</span></span>
        ${this.#buttons(code)}</li>`;
  }

  /** @param {ShareCode['code']} code */
  #buttons(code) {
    const words = t.shareCodes;
    return html`
      <button class="button copy" aria-label=${words.copyLinkOf(String(code))}
        @click=${() => this.act('copy', { text: this.#link(code) })}>${icon('copy', 18)} ${words.copyLink}</button>
      <button class="button bad" aria-label=${words.revokeCode(String(code))} ?disabled=${this.isBusy}
        @click=${() => this.#revoke(code)}>${words.revoke}</button>`;
  }

  /** It works at the address that this page was loaded from. @param {ShareCode['code']} code */
  #link(code) {
    return `${location.origin}/#${this.kind === 'invites' ? 'invite' : 'code'}=${code}`;
  }
}
customElements.define('sv-share-codes', ShareCodes);
