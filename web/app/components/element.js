// @ts-check
/** What every component is: given values, it draws them, and says what its person wants. */
import { LitElement } from '../../vendor/lit.js';
import { shared } from './styles.js';

/**
 * @typedef {{ heading: string, text: string, action: string, then: { intent: string, [detail: string]: unknown } }} Question
 *   what is wanted `then`, if the answer is yes
 */

/** The intent to ask first, of what cannot be taken back. @param {Question} question */
export function asking(question) {
  return { intent: 'show', detail: { dialog: { name: 'confirm', ...question } } };
}

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

  /** @param {Question} question */
  confirm(question) {
    const { intent, detail } = asking(question);
    this.want(intent, detail);
  }
}
