// @ts-check
/** A part of the settings. The dialog runs its actions, shows their outcome at the top, and gives it the new values. */
import { css } from '../../../vendor/lit.js';
import { Element, field } from '../../ui/element.js';

/**
 * @typedef {import('../../../worker/page.js').Settings} Values
 * @typedef {import('../../../client/transport/frames.d.ts').OwnAccount} Account
 *
 * @typedef Attempt
 * @property {() => Promise<unknown>} run
 * @property {string} [done] shown when it succeeds
 * @property {string} [invalid] shown when the server rejects a value
 */

export class Section extends Element {
  static styles = [
    super.styles,
    css`
      :host { display: block; padding: 1.1rem 0; border-top: 1px solid var(--line); }
      h3 { margin-bottom: 0.75rem; }
      fieldset { margin: 0; padding: 0; border: 0; display: grid; gap: 0.25rem; }
      legend { padding: 0; font-weight: 600; margin-bottom: 0.25rem; }
      .check { display: flex; gap: 0.75rem; align-items: flex-start; min-height: var(--touch); padding: 0.4rem 0;
        font-weight: 400; }
      .check input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.15rem 0 0; accent-color: var(--accent); }
      .themes { display: flex; gap: 0 1.25rem; flex-wrap: wrap; }
      fieldset + fieldset { margin-top: 1rem; }
      fieldset ~ p, fieldset ~ h3, fieldset ~ .field { margin-top: 1rem; }
      select { max-width: 20rem; }
      form { margin-top: 0.75rem; }
      label.button:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
      summary { min-height: var(--touch); padding-block: 0.6rem; cursor: pointer; font-weight: 600; }
      .row + h3, .list + h3, details + .row, .row + details { margin-top: 1rem; }
      .list .grow { overflow-wrap: anywhere; }
    `,
  ];

  /** @param {Attempt['run']} run @param {Omit<Attempt, 'run'>} [outcome] */
  attempt(run, outcome = {}) {
    this.dispatchEvent(new CustomEvent('attempt', { bubbles: true, composed: true, detail: { ...outcome, run } }));
  }

  /**
   * Run an action with the fields of a form, and empty the form when it has succeeded.
   * @param {SubmitEvent} event @param {(valueOf: (name: string) => string) => Promise<unknown>} run
   * @param {Omit<Attempt, 'run'>} [outcome]
   */
  submit(event, run, outcome) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = new FormData(form);
    const submit = async () => {
      await run((name) => field(given, name));
      form.reset();
    };
    this.attempt(submit, outcome);
  }
}
