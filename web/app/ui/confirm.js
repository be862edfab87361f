// @ts-check
import { html, nothing } from '../../vendor/lit.js';
import { t } from '../messages/index.js';
import './dialog.js';
import { Element, UNSET } from './element.js';

/**
 * Asks before an action that can't be undone.
 *
 * @typedef {import('../actions.js').Call} Call
 * @typedef {{ heading: string, text: string, label: string, then: Call, before?: { label: string, then: Call } }} Question
 *   `label` is on the button that runs the action `then`; `before`: what the user may want to do first
 */
export class Confirm extends Element {
  static properties = { question: { attribute: false } };

  constructor() {
    super();
    /** @type {Question} */
    this.question = UNSET;
  }

  get #dialog() {
    return /** @type {import('./dialog.js').Dialog} */ (this.renderRoot.querySelector('sv-dialog'));
  }

  #confirm() {
    const { then } = this.question;
    this.#dialog.close();
    this.run(then);
  }

  render() {
    const { heading, text, label, before } = this.question;
    return html`
      <sv-dialog .heading=${heading}>
        <div class="stack">
          <p>${text}</p>
          <div class="row">
            <button class="button bad" @click=${this.#confirm}>${label}</button>
            ${before ? html`<button class="button" @click=${() => this.run(before.then)}>${before.label}</button>` : nothing}
            <button class="button" @click=${() => this.#dialog.close()}>${t.common.cancel}</button>
          </div>
        </div>
      </sv-dialog>`;
  }
}
customElements.define('sv-confirm', Confirm);
