// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { isMessage } from '../../../client/content/index.js';
import { t } from '../../messages/index.js';
import { holdsMessages, isGroup, lockOf, nameOf, others, pictureOf, titleOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../composer/composer.js';
import '../timeline/timeline.js';
import { questionBeforeNewKey } from '../trust/new-key.js';
import './banner.js';

/** @typedef {import('../../state/reducer.js').Item} Item */

/** One open conversation: who it is with, its messages, and the field for the next one. */
export class ConversationView extends Element {
  static properties = {
    conversation: { attribute: false },
    me: {},
    line: {},
    hasEnded: { type: Boolean },
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
    this.hasEnded = false;
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
    const waiting = this.waiting.filter((one) => one.conversation === conversation.id && isMessage(one.content));
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
      <sv-banner .conversation=${conversation} .me=${me}></sv-banner>
      <sv-timeline .conversation=${conversation} .me=${me} .window=${this.window} .quoted=${this.quoted}
        .waiting=${waiting} @about=${this.#onAbout}></sv-timeline>
      ${this.#foot()}`;
  }

  /** @param {CustomEvent<NonNullable<ConversationView['about']>>} event */
  #onAbout(event) {
    this.about = event.detail;
  }

  #under() {
    const text =
      this.line === 'offline' && !this.hasEnded ? t.conversations.offlineWaiting : this.#typing() || this.#members();
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

  #foot() {
    const { conversation, me } = this;
    if (!conversation.isActive) {
      return html`
        <div class="over" id="not-member"><p>${t.conversation.notMember}</p>
          <button class="button" @click=${() => this.act('forgetConversation', { conversation: conversation.id })}>
            ${t.conversation.deleteHere}
          </button></div>`;
    }
    if (this.hasEnded) {
      return html`
        <div class="over" id="logged-out"><p>${t.sessionExpired.loggedOut}</p>
          <button class="button main" @click=${() => this.act('show', { dialog: { name: 'session-expired' } })}>
            ${t.sessionExpired.logInAgain}
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
      <sv-composer .conversation=${conversation.id} .placeholder=${this.#placeholder()} .draft=${this.draft} .about=${this.about} .name=${name}
        @done=${() => (this.about = null)} @last=${this.#editLast}></sv-composer>`;
  }

  #placeholder() {
    if (this.conversation.isForged) return t.composer.neverSent;
    return holdsMessages(this.conversation) ? t.composer.waits : t.common.message;
  }

  /** The up arrow in an empty field edits your own last message. */
  #editLast() {
    const items = this.window?.items ?? [];
    const item = items.findLast((one) => one.user === this.me && one.id !== undefined && one.text !== undefined);
    if (item) this.about = { what: 'edit', item };
  }
}
customElements.define('sv-conversation', ConversationView);
