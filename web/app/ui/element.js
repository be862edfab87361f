// @ts-check
/** What every component is: given values, it draws them, and says what its person wants. */
import { LitElement } from '../../vendor/lit.js';
import { shared } from './styles.js';

export class Element extends LitElement {
  /** @type {import('../../vendor/lit.js').CSSResultGroup} */
  static styles = [shared];

  /**
   * What a person wants; `app/intents.js` does it.
   * @param {string} intent @param {object} [detail]
   */
  want(intent, detail = {}) {
    this.dispatchEvent(new CustomEvent('intent', { bubbles: true, composed: true, detail: { intent, ...detail } }));
  }

  /** The same, with an answer. @param {string} intent @param {object} [detail] @returns {Promise<any>} */
  ask(intent, detail = {}) {
    return new Promise((resolve, reject) => this.want(intent, { ...detail, resolve, reject }));
  }
}
