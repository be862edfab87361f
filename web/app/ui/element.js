// @ts-check
/** The base of every component: it renders the values it is given, and dispatches what the user does as actions. */
import { LitElement } from '../../vendor/lit.js';
import { onLanguage } from '../messages/index.js';
import { shared } from './styles.js';

/** @typedef {import('../actions.js').Actions} Actions */

/** A property that the parent sets before the component is rendered. */
export const UNSET = /** @type {never} */ (/** @type {unknown} */ (undefined));

/** The text of a form's field, or '' if the form has no such field. @param {FormData} form @param {string} name */
export function field(form, name) {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

export class Element extends LitElement {
  /** @type {import('../../vendor/lit.js').CSSResultGroup} */
  static styles = [shared];

  /** @type {(() => void) | null} */
  #stopListening = null;

  connectedCallback() {
    super.connectedCallback();
    this.#stopListening = onLanguage(() => this.requestUpdate());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#stopListening?.();
  }

  /**
   * Run an action of `actions.js`; an error is shown as a toast.
   * @template {keyof Actions} Name @param {Name} action @param {Parameters<Actions[Name]>} detail
   */
  act(action, ...detail) {
    this.#dispatch({ action, detail: detail[0] });
  }

  /** The same for a call that was given as a value. @param {import('../actions.js').Call} call */
  run({ action, detail }) {
    this.#dispatch({ action, detail });
  }

  /**
   * Run an action and return its result, or raise its error.
   * @template {keyof Actions} Name @param {Name} action @param {Parameters<Actions[Name]>} detail
   * @returns {Promise<Awaited<ReturnType<Actions[Name]>>>}
   */
  ask(action, ...detail) {
    return new Promise((resolve, reject) => this.#dispatch({ action, detail: detail[0], resolve, reject }));
  }

  /** @param {object} request */
  #dispatch(request) {
    this.dispatchEvent(new CustomEvent('action', { bubbles: true, composed: true, detail: request }));
  }
}
