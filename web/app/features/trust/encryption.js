// @ts-check
import { css, html } from '../../../vendor/lit.js';
import { trustIn } from '../../../client/trust/trust-in.js';
import { t } from '../../messages/index.js';
import { others } from '../../state/selectors.js';
import '../../ui/dialog.js';
import { Element, UNSET } from '../../ui/element.js';
import { questionBeforeNewKey } from './new-key.js';

/** How a conversation is encrypted, and who in it is verified. */
export class Encryption extends Element {
  static properties = { conversation: { attribute: false }, me: {} };
  static styles = [
    super.styles,
    css`
      .list > li { flex-wrap: wrap; }
      .grow { flex: 1 1 9rem; }
    `,
  ];

  constructor() {
    super();
    this.me = '';
    /** @type {import('../../state/selectors.js').Conversation} */
    this.conversation = UNSET;
  }

  render() {
    const people = others(this.conversation, this.me);
    if (this.conversation.kind === 'direct') return this.#direct(people[0]?.name ?? '');
    return html`
      <sv-dialog .heading=${t.trust.encryptedTitle}>
        <div class="stack">
          <p>${t.trust.encryptedText}</p>
          <p>${t.trust.metadataText}</p>
          <p>${t.trust.verifyText}</p>
          <ul class="list">${people.map((person) => this.#person(person))}</ul>
        </div>
      </sv-dialog>`;
  }

  /** @param {import('../../state/selectors.js').Person} person */
  #person({ id: user, name }) {
    const { verified, changed, notVerified, noDevice } = t.trust;
    const state = { verified, changed, unknown: notVerified, absent: noDevice }[trustIn(this.conversation, user)];
    const dialog = { name: /** @type {const} */ ('safety-number'), conversation: this.conversation.id, user };
    return html`
      <li><span class="grow">${name}</span>
        <span class="small soft">${state}</span>
        <button class="button" @click=${() => this.act('show', { dialog })}>${t.trust.safetyNumber}</button></li>`;
  }

  /** @param {string} name */
  #direct(name) {
    const { id, key = 'none' } = this.conversation;
    const { keyHere, keyElsewhere, keyNone } = t.trust;
    const explanation = { here: keyHere, elsewhere: keyElsewhere, none: keyNone }[key];
    return html`
      <sv-dialog .heading=${t.trust.directTitle}>
        <div class="stack">
          <p>${t.trust.directText(name)} ${explanation}</p>
          <p>${t.trust.directAdvice}</p>
          <button class="button" id="new-key" @click=${() => this.act('confirm', questionBeforeNewKey(id, name))}>
            ${key === 'none' ? t.newKey.create : t.newKey.createNew}
          </button>
        </div>
      </sv-dialog>`;
  }
}
customElements.define('sv-encryption', Encryption);
