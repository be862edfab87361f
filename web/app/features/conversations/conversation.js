// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { trustIn, unlistedIn } from '../../../client/trust/verified.js';
import { t } from '../../messages/index.js';
import { isGroup, lockOf, mayRemove, nameOf, others, participants, pictureOf, titleOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../composer/composer.js';
import '../timeline/timeline.js';
import { questionBeforeNewKey } from '../trust/new-key.js';
import { questionBeforeAgreeing, questionBeforeLeaving, questionBeforeRemoval } from './questions.js';

/** @typedef {import('../../state/reducer.js').Item} Item */

/** One open conversation: who it is with, its messages, and the field for the next one. */
export class ConversationView extends Element {
  static properties = {
    conversation: { attribute: false },
    me: {},
    line: {},
    window: { attribute: false },
    waiting: { attribute: false },
    quoted: { attribute: false },
    typing: { attribute: false },
    draft: {},
    about: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { display: grid; grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr); background: var(--paper); }
      .head { display: flex; align-items: center; gap: 0.6rem; min-height: 4rem; padding: 0.4rem 0.75rem;
        border-bottom: 1px solid var(--line); }
      .head h1 { font: 700 1.05rem/1.25 var(--face); letter-spacing: 0; }
      .title { display: block; }
      .under { display: block; font-weight: 400; color: var(--soft); font-size: var(--small); }
      .who { display: flex; width: 100%; align-items: center; gap: 0.75rem; border-radius: 0.7rem;
        min-height: var(--touch); }
      .lock { display: inline-flex; flex: none; align-items: center; gap: 0.35rem; max-width: 50%; min-height: 2.25rem;
        padding: 0.2rem 0.8rem; border: 0; border-radius: 2rem; background: var(--accent-soft); color: var(--accent);
        font-size: var(--small); font-weight: 600; }
      .lock svg { flex: none; }
      .lock:hover { filter: brightness(0.97); }
      .lock.direct { background: var(--warn-soft); color: var(--warn); }
      .lock.changed { background: var(--bad-soft); color: var(--bad); }
      .back { display: none; }
      .banner { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; padding: 0.8rem 1.25rem;
        background: var(--accent-soft); }
      .banner.changed { background: var(--bad-soft); color: var(--bad); border-bottom: 2px solid var(--bad); }
      .banner p { flex: 1 1 16rem; }
      .over { padding: 1rem 1.25rem; border-top: 1px solid var(--line); color: var(--soft); text-align: center; }
      .over .button { margin-top: 0.5rem; }
      @media (max-width: 44rem) {
        .back { display: inline-grid; }
        .lock span { display: none; }
        .lock { width: var(--touch); padding: 0; justify-content: center; }
      }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../../state/selectors.js').Conversation} */
    this.conversation = UNSET;
    this.me = '';
    /** @type {'online' | 'offline'} */
    this.line = 'online';
    /** @type {import('../../state/reducer.js').Window | null} */
    this.window = null;
    /** @type {import('../../state/reducer.js').Waiting[]} */
    this.waiting = [];
    /** @type {Record<string, Item>} */
    this.quoted = {};
    /** @type {Record<string, number> | undefined} */
    this.typing = undefined;
    this.draft = '';
    /** The message that is replied to or edited. @type {{ what: 'reply' | 'edit', item: Item } | null} */
    this.about = null;
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<ConversationView>} changed */
  willUpdate(changed) {
    if (changed.has('conversation') && changed.get('conversation')?.id !== this.conversation.id) this.about = null;
  }

  render() {
    const { conversation, me } = this;
    const title = titleOf(conversation, me);
    const [first] = others(conversation, me);
    const group = isGroup(conversation);
    const waiting = this.waiting.filter((one) => one.conversation === conversation.id && one.content.kind === 'text');
    return html`
      <div class="head">
        <button class="icon back" aria-label=${t.conversation.back}
          @click=${() => this.act('openConversation', { conversation: null })}>${icon('back')}</button>
        <h1 class="grow">
          <button class="plain who" id="details" @click=${() => this.act('show', { dialog: { name: 'details' } })}>
            <sv-avatar size="40" ?group=${group} of=${group ? conversation.id : (first?.id ?? conversation.id)} .name=${title}
              .picture=${group ? '' : pictureOf(first)}></sv-avatar>
            <span class="grow"><span class="cut title">${title}</span>${this.#under()}<span class="unseen">:
              ${t.conversation.details}</span></span>
          </button>
        </h1>
        ${this.#lock()}
      </div>
      <div>${this.#banner(title)}</div>
      <sv-timeline .conversation=${conversation} .me=${me} .window=${this.window} .quoted=${this.quoted}
        .waiting=${waiting} @about=${this.#onAbout}></sv-timeline>
      ${this.#foot()}`;
  }

  /** @param {CustomEvent<NonNullable<ConversationView['about']>>} event */
  #onAbout(event) {
    this.about = event.detail;
  }

  #under() {
    const text = this.line === 'offline' ? t.conversations.offlineWaiting : this.#typing() || this.#members();
    return text ? html`<span class="under cut">${text}</span>` : nothing;
  }

  #typing() {
    const names = Object.keys(this.typing ?? {}).map((user) => nameOf(this.conversation, user, this.me));
    return names.length ? t.conversations.peopleTyping(names) : '';
  }

  #members() {
    if (!isGroup(this.conversation)) return '';
    return t.conversation.members(others(this.conversation, this.me).map(({ name }) => name));
  }

  #lock() {
    const trust = lockOf(this.conversation, this.me);
    const [name, word] = {
      unsafe: ['alarm', t.conversation.notSafe],
      changed: ['alarm', t.conversation.safetyNumberChanged],
      verified: ['shield', t.conversation.verified],
      unknown: ['lock', t.conversation.encrypted],
      direct: ['open', t.common.notEncrypted],
    }[trust];
    const dialog = { name: /** @type {const} */ ('encryption'), conversation: this.conversation.id };
    return html`
      <button class="lock ${trust === 'unsafe' ? 'changed' : trust}" id="lock" title=${t.conversation.aboutEncryption}
        @click=${() => this.act('show', { dialog })}>
        ${icon(name, 18)}<span>${word}</span><span class="unseen">. ${t.conversation.aboutEncryption}</span>
      </button>`;
  }

  /** @param {string} title */
  #banner(title) {
    const { conversation } = this;
    const people = others(conversation, this.me);
    if (conversation.state === 'requested') return this.#request(people, title);
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
        </div>`;
    }
    const changed = people.filter(({ id }) => trustIn(conversation, id) === 'changed');
    if (changed.length) return this.#numbersChanged(changed);
    const asked = people.filter(({ id }) => conversation.asked?.includes(id));
    if (asked.length) return this.#removalAsked(asked);
    const unlisted = new Set(unlistedIn(conversation).map(({ user }) => user));
    return unlisted.size ? this.#unlisted(participants(conversation).filter(({ id }) => unlisted.has(id))) : nothing;
  }

  /** @param {import('../../state/selectors.js').Person[]} people @param {string} title */
  #request(people, title) {
    const { id } = this.conversation;
    const host = people.find(({ role }) => role === 'owner') ?? people[0];
    const answer = (/** @type {'joined' | 'ignored'} */ state) => () =>
      this.act('answerRequest', { conversation: id, state });
    return html`
      <div class="banner" role="region" aria-label=${t.conversation.request}>
        <p><b>${t.conversation.requestFrom(host?.name ?? title)}</b> ${t.conversation.requestText}</p>
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

  /** @param {import('../../state/selectors.js').Person[]} people */
  #numbersChanged(people) {
    const conversation = this.conversation.id;
    const show = (/** @type {string} */ user) => () =>
      this.act('show', { dialog: { name: 'safety-number', conversation, user } });
    return html`
      <div class="banner changed" role="alert" id="numbers-changed">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.numbersChanged(people.map(({ name }) => name))}</b>
          ${t.conversation.numbersChangedText}</p>
        ${people.map(
          ({ id, name }) => html`<button class="button bad" @click=${show(id)}>${t.conversation.verify(name)}</button>
            ${
              this.conversation.changedKeys?.includes(id)
                ? html`<button class="button" @click=${() => this.act('acceptKey', { user: id })}>
                  ${t.conversation.acceptKey}
                </button>`
                : nothing
            }`,
        )}
      </div>`;
  }

  /** @param {import('../../state/selectors.js').Person[]} people */
  #strangers(people) {
    const { id } = this.conversation;
    const names = people.map(({ name }) => name);
    const accept = () => this.act('acceptStrangers', { conversation: id, users: people.map((one) => one.id) });
    return html`
      <div class="banner changed" role="alert" id="strangers">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.strangers(names)}</b> ${t.conversation.strangersText(names)}</p>
        ${people
          .filter((person) => mayRemove(this.conversation, this.me, person.id))
          .map(
            ({ id: user, name }) => html`
              <button class="button bad" @click=${() => this.act('confirm', questionBeforeRemoval(id, user, name))}>
                ${t.conversation.remove([name])}
              </button>`,
          )}
        <button class="button" @click=${() => this.act('show', { dialog: { name: 'details' } })}>
          ${t.conversation.seeMembers}
        </button>
        <button class="button" id="accept-strangers" @click=${accept}>
          ${t.conversation.acceptStrangers(names)}
        </button>
      </div>`;
  }

  /** @param {import('../../state/selectors.js').Person[]} people */
  #removalAsked(people) {
    const { id } = this.conversation;
    const names = people.map(({ name }) => name);
    return html`
      <div class="banner changed" role="alert" id="removal-asked">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.removalAsked(names)}</b> ${t.conversation.removalAskedText(names)}</p>
        <button class="button bad" id="agree" @click=${() => this.act('confirm', questionBeforeAgreeing(id, people))}>
          ${t.conversation.remove(names)}
        </button>
      </div>`;
  }

  /** @param {import('../../state/selectors.js').Person[]} people */
  #unlisted(people) {
    const names = people.map(({ id, name }) => (id === this.me ? t.common.you : name));
    return html`
      <div class="banner changed" role="alert" id="unlisted-device">
        ${icon('alarm', 28)}
        <p><b>${t.conversation.unlistedDevice(names)}</b> ${t.conversation.unlistedDeviceText(names)}</p>
      </div>`;
  }

  #foot() {
    const { conversation, me } = this;
    if (!conversation.isActive) {
      return html`
        <div class="over" id="not-member"><p>${t.conversation.notMember}</p>
          <button class="button" @click=${() => this.act('forgetConversation', { conversation: conversation.id })}>
            ${t.conversation.deleteHere}
          </button></div>`;
    }
    if (conversation.key === 'elsewhere') {
      const question = questionBeforeNewKey(conversation.id, titleOf(conversation, me));
      return html`
        <div class="over" id="key-missing"><p>${t.conversation.keyMissing}</p>
          <button class="button" @click=${() => this.act('confirm', question)}>${t.newKey.createNew}</button></div>`;
    }
    if (conversation.state !== 'joined') return html`<div class="over">${t.conversation.acceptFirst}</div>`;
    const name = this.about && this.about.item.user !== me ? nameOf(conversation, this.about.item.user, me) : '';
    return html`
      <sv-composer .conversation=${conversation.id} .draft=${this.draft} .about=${this.about} .name=${name}
        @done=${() => (this.about = null)} @last=${this.#editLast}></sv-composer>`;
  }

  /** The up arrow in an empty field edits your own last message. */
  #editLast() {
    const items = this.window?.items ?? [];
    const item = items.findLast((one) => one.user === this.me && one.id !== undefined && one.text !== undefined);
    if (item) this.about = { what: 'edit', item };
  }
}
customElements.define('sv-conversation', ConversationView);
