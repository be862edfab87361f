// @ts-check
import { css, html, nothing } from '../../vendor/lit.js';
import { trustIn } from '../../client/trust/verified.js';
import { others } from '../fold.js';
import { aboutNewKey, sentenceFor } from '../words.js';
import './dialog.js';
import { Element } from './element.js';
import { icon } from './icon.js';
import './qr.js';

/** The safety number of two people, to compare, and whether it has been. */
export class Safety extends Element {
  static properties = { conversation: { attribute: false }, user: {}, me: {}, number: { state: true }, problem: { state: true } };
  static styles = [
    super.styles,
    css`
      .digits { display: grid; grid-template-columns: repeat(4, auto); justify-content: center; gap: 0.35rem 1.1rem; padding: 1rem; border-radius: 1rem; background: var(--sheet);
        border: 1px solid var(--line); font: 500 1.25rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; font-variant-numeric: tabular-nums; }
      .both { display: grid; gap: 1rem; justify-items: center; }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../fold.js').Conversation} */
    this.conversation = /** @type {any} */ (undefined);
    this.user = this.me = this.problem = '';
    /** @type {{ digits: string, qr: string, thumbprints: string[] } | null} */
    this.number = null;
  }

  /** @param {Map<string, any>} changed */
  async willUpdate(changed) {
    if (!changed.has('user') && !changed.has('conversation')) return; // the number itself
    if (!changed.has('user') && changed.get('conversation')?.members === this.conversation.members) return;
    try {
      this.number = await this.ask('safetyNumber', { conversation: this.conversation.id, user: this.user });
    } catch (error) {
      this.problem = sentenceFor(error);
    }
  }

  render() {
    const name = this.conversation.people.find(({ id }) => id === this.user)?.username ?? '';
    const trust = trustIn(this.conversation, this.user);
    return html`
      <sv-dialog heading="Safety number with ${name}">
        <div class="stack">
          <p>Look at ${name}’s screen, or let them read it to you on the phone. If both show the same sixty digits, nobody sits between you, not even this server.</p>
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          ${this.number
            ? html`<div class="both"><div class="digits" role="img" aria-label=${this.number.digits}>${this.number.digits.split(' ').map((five) => html`<span>${five}</span>`)}</div>
                <sv-qr .text=${this.number.qr} label="The safety number, to scan"></sv-qr></div>`
            : nothing}
          ${trust === 'verified' ? html`<p class="explained">You have compared these keys. If they ever change you are told.</p>` : nothing}
          ${trust === 'changed' ? html`<p class="wrong">These are not the keys that you compared before.</p>` : nothing}
          <button class="button main" ?disabled=${trust === 'verified' || !this.number} @click=${() => this.want('verify', { user: this.user, thumbprints: this.number?.thumbprints })}>
            ${icon('shield', 20)} They are the same</button>
        </div>
      </sv-dialog>`;
  }
}
customElements.define('sv-safety', Safety);

/** What the lock on a conversation means. */
export class Lock extends Element {
  static properties = { title: {}, conversation: { attribute: false }, me: {} };

  constructor() {
    super();
    this.title = this.me = '';
    /** @type {import('../fold.js').Conversation} */
    this.conversation = /** @type {any} */ (undefined);
  }

  render() {
    const people = others(this.conversation, this.me);
    if (this.conversation.kind === 'direct') return this.#direct(people[0]?.username ?? '');
    return html`
      <sv-dialog heading="Encrypted from device to device">
        <div class="stack">
          <p>What is said here is encrypted on the device that says it, and can be read on the devices of those who are in the conversation, and nowhere else. The server passes it on and cannot read it.</p>
          <p>It does know who talks with whom, when, and how much.</p>
          <p>To be sure that nobody else’s device poses as one of theirs, compare the safety number once, with each of them:</p>
          <ul class="list">${people.map(
            ({ id, username }) => html`<li><span class="grow">${username}</span>
              <span class="small soft">${{ verified: 'compared', changed: 'has changed', unknown: 'not compared' }[trustIn(this.conversation, id)]}</span>
              <button class="button" @click=${() => this.want('show', { dialog: { name: 'safety', conversation: this.conversation.id, user: id } })}>Safety number</button></li>`,
          )}</ul>
        </div>
      </sv-dialog>`;
  }

  /** @param {string} name */
  #direct(name) {
    const { id, key } = this.conversation;
    return html`
      <sv-dialog heading="Not encrypted end to end">
        <div class="stack">
          <p>${name} uses a program that cannot encrypt from device to device. ${{
            here: 'What you write is encrypted with a key that this server made and handed to both of you. Whoever runs the server could have kept it.',
            elsewhere: 'The key that this server made and handed to both of you is not on this device.',
            none: 'There is no key for this conversation, so what you write goes as plain text. Whoever runs the server can read it.',
          }[key ?? 'none']}</p>
          <p>Say nothing here that the server must not know.</p>
          <button class="button" @click=${() => this.want('confirm', aboutNewKey(id, name))}>${key !== 'none' ? 'Make a new key' : 'Make a key'}</button>
        </div>
      </sv-dialog>`;
  }
}
customElements.define('sv-lock', Lock);
