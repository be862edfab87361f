// @ts-check
import { html } from '../../vendor/lit.js';
import './dialog.js';
import { Element } from './element.js';

/**
 * What cannot be taken back is asked once more.
 *
 * @typedef {{ heading: string, text: string, action: string, then: { intent: string, [detail: string]: unknown } }} Question
 *   what is wanted `then`, if the answer is yes
 */
export class Confirm extends Element {
  static properties = { heading: {}, text: {}, action: {}, intent: { attribute: false } };

  constructor() {
    super();
    this.heading = this.text = this.action = '';
    /** @type {any} */
    this.intent = null;
  }

  render() {
    return html`<sv-dialog .heading=${this.heading}><div class="stack"><p>${this.text}</p>
      <div class="row"><button class="button bad" @click=${this.#do}>${this.action}</button><button class="button" @click=${() => /** @type {any} */ (this.renderRoot.querySelector('sv-dialog')).close()}>Cancel</button></div></div></sv-dialog>`;
  }

  #do() {
    const { intent, ...detail } = this.intent;
    /** @type {import('./dialog.js').Dialog} */ (this.renderRoot.querySelector('sv-dialog')).close();
    this.want(intent, detail);
  }
}
customElements.define('sv-confirm', Confirm);
