// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { trustIn } from '../../../client/trust/trust-in.js';
import { isEqual } from '../../../client/util/equal.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { participants } from '../../state/selectors.js';
import '../../ui/dialog.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../../ui/qr.js';

/** The safety number of two people, to compare and to mark as verified. */
export class SafetyNumber extends Element {
  static properties = {
    conversation: { attribute: false },
    user: {},
    number: { state: true },
    problem: { state: true },
  };
  static styles = [
    super.styles,
    css`
      .digits { display: grid; grid-template-columns: repeat(4, auto); justify-content: center; gap: 0.35rem 1.1rem;
        padding: 1rem; border-radius: 1rem; background: var(--sheet); border: 1px solid var(--line);
        font: 500 1.25rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; font-variant-numeric: tabular-nums; }
      .both { display: grid; gap: 1rem; justify-items: center; }
      @media (max-width: 24rem) { .digits { gap: 0.35rem 0.8rem; font-size: 1.1rem; } }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../../state/selectors.js').Conversation} */
    this.conversation = UNSET;
    this.user = this.problem = '';
    /** @type {({ digits: string, qr: string } & import('../../../client/trust/verified.js').Compared) | null} */
    this.number = null;
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<SafetyNumber>} changed */
  willUpdate(changed) {
    const { members, listed, changedKeys } = this.conversation;
    const before = changed.get('conversation');
    const hasOtherKeys = !isEqual(
      [before?.members, before?.listed, before?.changedKeys],
      [members, listed, changedKeys],
    );
    if (!changed.has('user') && !(changed.has('conversation') && hasOtherKeys)) return;
    void this.#load();
  }

  get #person() {
    return participants(this.conversation).find(({ id }) => id === this.user);
  }

  async #load() {
    try {
      this.number = await this.ask('getSafetyNumber', { conversation: this.conversation.id, user: this.user });
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  async #verify() {
    if (!this.number) return;
    const { key, thumbprints } = this.number;
    try {
      await this.ask('verify', {
        user: this.user,
        compared: { key, thumbprints },
        name: this.#person?.username ?? '',
      });
    } catch (error) {
      await this.#load();
      this.problem = errorText(error);
    }
  }

  render() {
    const name = this.#person?.name ?? '';
    const trust = trustIn(this.conversation, this.user);
    return html`
      <sv-dialog .heading=${t.trust.safetyNumberWith(name)}>
        <div class="stack">
          <p>${t.trust.compare(name)}</p>
          <p>${t.trust.whereToLook(name)}</p>
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          ${this.number ? this.#number(this.number) : nothing}
          ${trust === 'verified' ? html`<p class="explained">${t.trust.isVerified(name)}</p>` : nothing}
          ${trust === 'changed' ? html`<p class="wrong">${t.trust.hasChanged}</p>` : nothing}
          <button class="button main" id="verify" ?disabled=${trust === 'verified' || !this.number}
            @click=${this.#verify}>${icon('shield', 20)} ${t.trust.markVerified}</button>
        </div>
      </sv-dialog>`;
  }

  /** @param {{ digits: string, qr: string }} number */
  #number({ digits, qr }) {
    const groups = digits.split(' ').map((five) => html`<span>${five}</span>`);
    return html`
      <div class="both">
        <div class="digits" role="img" aria-label=${digits}>${groups}</div>
        <sv-qr .text=${qr} .label=${t.trust.qr}></sv-qr>
        <p class="small soft">${t.trust.qrHint}</p>
      </div>`;
  }
}
customElements.define('sv-safety-number', SafetyNumber);
