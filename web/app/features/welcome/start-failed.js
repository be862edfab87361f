// @ts-check
import { css, html } from '../../../vendor/lit.js';
import { Element } from '../../ui/element.js';

/** What this browser keeps cannot be opened: what that means, and the ways out. */
export class Broken extends Element {
  static properties = { reason: {} };
  static styles = [
    super.styles,
    css`
      :host { display: grid; min-height: 100dvh; padding: 1rem; place-items: center; background: var(--desk); }
      main { display: grid; gap: 1rem; width: min(32rem, 100%); padding: clamp(1.25rem, 5vw, 2.5rem); border: 1px solid var(--line); border-radius: 1.4rem; background: var(--paper); }
      .reason { overflow-wrap: anywhere; }
      details > * + * { margin-top: 0.75rem; }
    `,
  ];

  constructor() {
    super();
    this.reason = '';
  }

  render() {
    return html`<main>
      <h1>Sottovoce cannot start in this browser</h1>
      <p>What it keeps here cannot be opened. It is tried again every few seconds; it often helps to close other tabs, to make room on the disk, or to start the browser anew.</p>
      <p class="small soft reason">The browser says: ${this.reason}</p>
      <p><button class="button main" @click=${() => location.reload()}>Try again</button></p>
      <details>
        <summary>If nothing helps</summary>
        <p>You can empty this device and log in again, as a new one. What was said stays on your other devices; what only this one had is gone for good.</p>
        <button class="button bad" @click=${() => this.want('emptyDevice')}>Empty this device</button>
      </details>
    </main>`;
  }
}
customElements.define('sv-broken', Broken);
