// @ts-check
import { css, html } from '../../../vendor/lit.js';
import { trustIn } from '../../../client/trust/trust-in.js';
import { t } from '../../messages/index.js';
import { lockOf, others } from '../../state/selectors.js';
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
    const lock = lockOf(this.conversation, this.me);
    if (lock === 'direct') return this.#direct(people[0]?.name ?? '');
    const { heading, texts } = explanations(lock);
    return html`
      <sv-dialog .heading=${heading}>
        <div class="stack">
          ${texts.map((text) => html`<p>${text}</p>`)}
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

/** Never "encrypted" where the lock is an alarm. @param {'unsafe' | 'changed' | 'verified' | 'unknown'} lock */
function explanations(lock) {
  const { encryptedTitle, encryptedText, metadataText, verifyText } = t.trust;
  switch (lock) {
    case 'unsafe':
      return { heading: t.trust.unsafeTitle, texts: [t.trust.unsafeText] };
    case 'changed':
      return { heading: t.conversation.safetyNumberChanged, texts: [t.conversation.numbersChangedText] };
    default:
      return { heading: encryptedTitle, texts: [encryptedText, metadataText, verifyText] };
  }
}
customElements.define('sv-encryption', Encryption);
