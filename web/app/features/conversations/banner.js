// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { trustIn, unlistedIn } from '../../../client/trust/trust-in.js';
import { t } from '../../messages/index.js';
import { hostOf, mayRemove, others, participants, saidToHaveLeft, titleOf } from '../../state/selectors.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import { questionBeforeAgreeing, questionBeforeLeaving, questionBeforeRemoval } from './questions.js';

/** @typedef {import('../../state/selectors.js').Person} Person */

/**
 * The most urgent warning about a conversation's members; and below it a request, which must not hide a warning: the
 * server says what is one.
 */
export class Banner extends Element {
  static properties = { conversation: { attribute: false }, me: {} };
  static styles = [
    super.styles,
    css`
      :host { display: block; }
      .banner { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; padding: 0.8rem 1.25rem;
        background: var(--accent-soft); }
      .banner.changed { background: var(--bad-soft); color: var(--bad); border-bottom: 2px solid var(--bad); }
      .banner p { flex: 1 1 16rem; }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../../state/selectors.js').Conversation} */
    this.conversation = UNSET;
    this.me = '';
  }

  render() {
    return html`${this.#warning()} ${this.conversation.state === 'requested' ? this.#request() : nothing}`;
  }

  #warning() {
    const { conversation } = this;
    const people = others(conversation, this.me);
    if (conversation.isForged) {
      const question = questionBeforeLeaving(conversation.id);
      return html`
        <div class="banner changed" role="alert" id="forged">
          ${icon('alarm', 28)}
          <p><b>${t.conversation.forged}</b> ${t.conversation.forgedText}</p>
          <button class="button bad" @click=${() => this.act('confirm', question)}>${t.details.leave}</button>
        </div>`;
    }
    const strangers = people.filter(({ id }) => conversation.strangers?.includes(id));
    if (strangers.length) return this.#strangers(strangers);
    if (conversation.kind !== 'direct' && people.some(({ isUnknown }) => isUnknown)) {
      return html`
        <div class="banner changed" role="alert" id="unknown-participant">
          ${icon('alarm', 28)}
          <p><b>${t.conversation.unknownParticipant}</b> ${t.conversation.unknownParticipantText}</p>
          ${this.#seeMembers()}
        </div>`;
    }
    const changed = people.filter(({ id }) => trustIn(conversation, id) === 'changed');
    if (changed.length) return this.#numbersChanged(changed);
    const asked = saidToHaveLeft(conversation);
    if (asked.length) return this.#removalAsked(asked);
    const unlisted = new Set(unlistedIn(conversation).map(({ user }) => user));
    return unlisted.size ? this.#unlisted(participants(conversation).filter(({ id }) => unlisted.has(id))) : nothing;
  }

  #request() {
    const { id } = this.conversation;
    const host = hostOf(this.conversation, this.me);
    const answer = (/** @type {'joined' | 'ignored'} */ state) => () =>
      this.act('answerRequest', { conversation: id, state });
    return html`
      <div class="banner" role="region" aria-label=${t.conversation.request}>
        <p><b>${t.conversation.requestFrom(host?.name ?? titleOf(this.conversation, this.me))}</b> ${t.conversation.requestText}</p>
        <div class="row">
          <button class="button main" id="accept" @click=${answer('joined')}>${t.conversation.accept}</button>
          <button class="button" id="ignore" @click=${answer('ignored')}>${t.conversation.ignore}</button>
          ${
            host
              ? html`<button class="button bad" id="block" @click=${() => this.act('block', { user: host.id })}>
                ${t.common.block}
              </button>`
              : nothing
          }
        </div>
      </div>`;
  }

  /** @param {Person[]} people */
  #numbersChanged(people) {
    const conversation = this.conversation.id;
    const show = (/** @type {string} */ user) => () =>
      this.act('show', { dialog: { name: 'safety-number', conversation, user } });
    return html`
      <div class="banner changed" role="alert" id="numbers-changed">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.numbersChanged(people.map(({ name }) => name))}</b>
          ${t.conversation.numbersChangedText}
          ${people.some(({ id }) => this.#hasChangedKey(id)) ? t.conversation.waitsForYou : nothing}</p>
        ${people.map(
          ({ id, name }) => html`<button class="button bad" @click=${show(id)}>${t.conversation.verify(name)}</button>
            ${
              this.#hasChangedKey(id)
                ? html`<button class="button" @click=${() => this.act('acceptKey', { user: id })}>
                  ${t.conversation.acceptKey(name)}
                </button>`
                : nothing
            }`,
        )}
      </div>`;
  }

  /** Messages wait until the user decides. @param {string} user */
  #hasChangedKey(user) {
    return this.conversation.changedKeys?.includes(user) === true;
  }

  /** @param {Person[]} people */
  #strangers(people) {
    const { id } = this.conversation;
    const names = people.map(({ name }) => name);
    const accept = () => this.act('acceptStrangers', { conversation: id, users: people.map((one) => one.id) });
    return html`
      <div class="banner changed" role="alert" id="strangers">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.strangers(names)}</b> ${t.conversation.strangersText(names)}</p>
        ${this.#seeMembers()}
        ${people
          .filter((person) => mayRemove(this.conversation, this.me, person.id))
          .map(
            ({ id: user, name }) => html`
              <button class="button bad" @click=${() => this.act('confirm', questionBeforeRemoval(id, user, name))}>
                ${t.conversation.remove([name])}
              </button>`,
          )}
        <button class="button" id="accept-strangers" @click=${accept}>
          ${t.conversation.acceptStrangers(names)}
        </button>
      </div>`;
  }

  /** @param {{ id: string, name: string }[]} people */
  #removalAsked(people) {
    const { id } = this.conversation;
    const names = people.map(({ name }) => name);
    return html`
      <div class="banner changed" role="alert" id="removal-asked">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.removalAsked(names)}</b> ${t.conversation.removalAskedText(names)}</p>
        <button class="button bad" id="agree" @click=${() => this.act('confirm', questionBeforeAgreeing(id, people))}>
          ${t.conversation.agree(names)}
        </button>
      </div>`;
  }

  #seeMembers() {
    return html`
      <button class="button main" @click=${() => this.act('show', { dialog: { name: 'details' } })}>
        ${t.conversation.seeMembers}
      </button>`;
  }

  /** @param {Person[]} people */
  #unlisted(people) {
    if (people.some(({ id }) => id === this.me)) return this.#ownUnlisted();
    const names = people.map(({ name }) => name);
    return html`
      <div class="banner changed" role="alert" id="unlisted-device">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.unlistedDevice(names)}</b> ${t.conversation.unlistedDeviceText(names)}</p>
      </div>`;
  }

  #ownUnlisted() {
    return html`
      <div class="banner changed" role="alert" id="unlisted-device">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.ownUnlistedDevice}</b> ${t.conversation.ownUnlistedDeviceText}</p>
        <button class="button bad" @click=${() => this.act('show', { dialog: { name: 'settings' } })}>
          ${t.conversation.openSettings}
        </button>
      </div>`;
  }
}
customElements.define('sv-banner', Banner);
