// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { previewOf } from '../../../client/content/index.js';
import { readersOf } from '../../../client/conversations/readers.js';
import { PASSING } from '../../../client/mls/errors.js';
import { isJumbo, partsOf } from '../../format.js';
import { errorText } from '../../messages/errors.js';
import { listOf, timeOf, wholeTimeOf } from '../../messages/format.js';
import { t } from '../../messages/index.js';
import { nameOf, nameOfOther } from '../../state/selectors.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';

/** @typedef {'sending' | 'sent' | 'delivered' | 'read'} Mark */

/** @type {Record<Mark, string>} */
const MARK_ICONS = { sending: 'clock', sent: 'once', delivered: 'twice', read: 'twice' };

/** One message. Its text is never HTML. */
export class Message extends Element {
  static properties = {
    item: { attribute: false },
    name: {},
    conversation: { attribute: false },
    me: {},
    showsName: { type: Boolean },
    isFollowing: { type: Boolean },
    quoted: { attribute: false },
    mark: {},
    failure: { attribute: false },
  };
  static styles = [
    super.styles,
    css`
      :host { display: flex; align-items: center; gap: 0.25rem; margin-top: 0.6rem; border-radius: 1rem;
        outline-offset: 3px; }
      :host([following]) { margin-top: 0.15rem; }
      :host([mine]) { flex-direction: row-reverse; }
      .bubble { position: relative; max-width: min(85%, 36rem); padding: 0.45rem 0.85rem; border: 1px solid var(--line);
        border-radius: 1.15rem 1.15rem 1.15rem 0.35rem; background: var(--theirs); }
      :host([mine]) .bubble { border-color: transparent; border-radius: 1.15rem 1.15rem 0.35rem 1.15rem;
        background: var(--mine); }
      .name { display: block; color: var(--accent); font-size: var(--small); font-weight: 700; }
      .text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
      .jumbo { font-size: 2.4rem; line-height: 1.2; }
      .jumbo + .end { float: none; display: flex; justify-content: flex-end; margin-top: 0.1rem; }
      .gone { color: var(--soft); font-style: italic; }
      .end { float: inline-end; display: inline-flex; align-items: center; gap: 0.25rem;
        margin: 0.45rem -0.15rem -0.15rem 0.75rem; color: var(--soft); font-size: 0.72rem; line-height: 1; }
      .end .open { color: var(--warn); }
      .foreign { display: flex; gap: 0.35rem; margin-top: 0.35rem; color: var(--warn); font-size: 0.82rem; }
      .foreign svg { flex: none; }
      .end .read { color: var(--accent); }
      .quote { display: grid; width: 100%; margin: 0.15rem 0 0.35rem; padding: 0.25rem 0.6rem; border: 0;
        border-inline-start: 3px solid var(--accent); border-radius: 0.3rem;
        background: color-mix(in srgb, var(--accent) 9%, transparent); color: inherit; font-size: var(--small);
        text-align: start; }
      .quote b { color: var(--accent); }
      .quote span { max-height: 2.9em; overflow: hidden; }
      :host([failed]) .bubble { border-color: var(--bad); background: var(--paper); }
      .failed { display: grid; gap: 0.4rem; clear: both; margin: 0.4rem 0 0.2rem; color: var(--bad);
        font-size: var(--small); }
      .failed .button { min-height: 2.25rem; }
      .failed .row:first-child { flex-wrap: nowrap; align-items: baseline; }
      .failed svg { flex: none; translate: 0 0.15rem; }
      .reactions { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0.35rem 0 0.1rem; clear: both; }
      .reactions button { min-height: 1.75rem; padding: 0 0.55rem; border: 1px solid var(--line); border-radius: 1rem;
        background: var(--paper); font-size: 0.85rem; }
      .reactions [aria-pressed=true] { border-color: var(--accent); background: var(--accent-soft); }
      .more { opacity: 0; width: 2.25rem; height: 2.25rem; }
      :host(:hover) .more, :host(:focus-within) .more, :host(:focus) .more { opacity: 1; }
      @media (hover: none) { .more { opacity: 0.85; } }
    `,
  ];

  /** Kept, because messages are drawn often and looking for links takes a while. @type {ReturnType<typeof partsOf>} */
  #parts = [];

  constructor() {
    super();
    /** @type {import('../../state/reducer.js').Item} */
    this.item = UNSET;
    this.name = this.me = '';
    /** @type {Mark | ''} */
    this.mark = '';
    /** Why it was not sent, as a sentence. */
    /** @type {import('../../state/reducer.js').Waiting['failure']} */
    this.failure = undefined;
    /** @type {import('../../state/selectors.js').Conversation} */
    this.conversation = UNSET;
    this.showsName = this.isFollowing = false;
    /** @type {import('../../state/reducer.js').Item | undefined} */
    this.quoted = undefined;
    this.addEventListener('keydown', (event) => this.#onKey(event));
    this.addEventListener('contextmenu', (event) => this.#onContextMenu(event));
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<Message>} changed */
  willUpdate(changed) {
    const isNewText = changed.has('item') && changed.get('item')?.text !== this.item.text;
    if (isNewText) this.#parts = partsOf(this.item.text ?? '');
    this.toggleAttribute('mine', this.item.user === this.me);
    this.toggleAttribute('following', this.isFollowing);
    this.toggleAttribute('failed', this.failure !== undefined);
    this.setAttribute('aria-label', this.#spoken());
  }

  /** What a screen reader says of it. */
  #spoken() {
    const { text = '', at, isDeleted, edits, how, replyTo, reactions } = this.item;
    const words = t.message;
    const said = isDeleted ? words.deleted : how === 'unreadable' ? words.unreadable : text;
    const reacted = Object.entries(reactions ?? {}).filter(([, { emoji }]) => emoji);
    return [
      t.conversations.said(this.name, said),
      this.item.isForeign ? words.unconfirmed : '',
      replyTo ? this.#spokenReply() : '',
      how === 'plain' ? words.notEncrypted : '',
      ...reacted.map(([user, { emoji }]) => words.reaction(emoji, [this.#nameInSentence(user)])),
      timeOf(at),
      edits?.length ? words.edited : '',
      this.mark ? words[this.mark] : '',
      this.#whyNotSent(),
    ].filter(Boolean).join(', '); // prettier-ignore
  }

  #spokenReply() {
    const { quoted } = this;
    if (!quoted) return t.message.replyToEarlier;
    if (quoted.user === this.me) return t.message.replyToYou;
    return t.message.replyTo(nameOfOther(this.conversation, quoted.user));
  }

  /** @param {string} user */
  #nameInSentence(user) {
    return user === this.me ? t.common.youAfterFrom : nameOfOther(this.conversation, user);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.target !== this || !['Enter', ' ', 'ContextMenu'].includes(event.key)) return;
    event.preventDefault();
    this.#openMenu();
  }

  /** @param {MouseEvent} event */
  #onContextMenu(event) {
    const [target] = event.composedPath();
    const isLink = target instanceof HTMLElement && target.closest('a') !== null;
    if (isLink || getSelection()?.toString()) return; // the browser's own menu
    event.preventDefault();
    this.#openMenu({ x: event.clientX, y: event.clientY });
  }

  /** @param {{ x: number, y: number }} [at] */
  #openMenu(at) {
    if (!this.#hasMenu) return;
    const opener = at ? this : this.renderRoot.querySelector('.more');
    const detail = { item: this.item, opener, at };
    this.dispatchEvent(new CustomEvent('menu', { bubbles: true, composed: true, detail }));
  }

  get #hasMenu() {
    return !this.item.isDeleted && this.item.seq !== Infinity;
  }

  render() {
    const { item } = this;
    return html`
      <div class="bubble">
        ${this.showsName ? html`<b class="name">${this.name}</b>` : nothing}
        ${item.replyTo ? this.#quote() : nothing}
        ${this.#body()}
        ${item.isForeign ? html`<span class="foreign">${icon('alarm', 15)} ${this.#foreign()}</span>` : nothing}
        <span class="end">${item.how === 'plain' ? html`<span class="open">${t.message.notEncrypted}</span>` : nothing}
          ${item.edits?.length ? t.message.edited : nothing}
          <time datetime=${item.at} title=${wholeTimeOf(item.at)}>${timeOf(item.at)}</time> ${this.#mark()}</span>
        ${this.#reactions()} ${this.#failed()}
      </div>
      ${
        this.#hasMenu
          ? html`<button class="icon more" tabindex="-1" aria-label=${t.timeline.actions} aria-haspopup="menu"
            @click=${() => this.#openMenu()}>${icon('more', 18)}</button>`
          : nothing
      }`;
  }

  #body() {
    const { isDeleted, how, text = '' } = this.item;
    if (isDeleted) return html`<span class="gone">${t.message.deleted}</span>`;
    if (how === 'unreadable') return html`<span class="gone">${t.message.unreadable}</span>`;
    const parts = this.#parts.map(({ text: part, href }) =>
      href ? html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${part}</a>` : part,
    );
    return html`<span class="text ${isJumbo(text) ? 'jumbo' : ''}" dir="auto">${parts}</span>`;
  }

  #foreign() {
    const { user } = this.item;
    return user === this.me ? t.message.foreignOwn : t.message.foreign(nameOfOther(this.conversation, user));
  }

  #mark() {
    if (!this.mark || this.item.isDeleted) return nothing;
    const word = t.message[this.mark];
    return html`<span class=${this.mark} role="img" aria-label=${word} title=${word}>
      ${icon(MARK_ICONS[this.mark], 15)}</span>`;
  }

  #quote() {
    const { quoted } = this;
    const detail = { conversation: this.conversation.id, id: this.item.replyTo ?? '' };
    const body = quoted
      ? html`<b>${nameOf(this.conversation, quoted.user, this.me)}</b>
          <span>${quoted.isDeleted || quoted.isHidden ? t.message.deletedQuote : previewOf(quoted)}</span>`
      : html`<span>${t.message.earlier}</span>`;
    return html`<button class="quote" tabindex="-1" @click=${() => this.act('showMessage', detail)}>${body}</button>`;
  }

  #whyNotSent() {
    if (!this.failure) return '';
    const reason = errorText(this.failure, { invalid: t.errors.unsendable });
    return this.#isPassing ? t.message.waits(reason) : t.message.notSent(reason);
  }

  /** It is sent without its author when the reason is gone. */
  get #isPassing() {
    return this.failure !== undefined && PASSING.includes(this.failure.code);
  }

  #failed() {
    if (!this.failure) return nothing;
    const { id = '' } = this.item;
    const label = this.failure.code === 'new_readers' ? t.message.sendToAll : t.common.tryAgain;
    return html`
      <div class="failed" role="alert">
        <span class="row">${icon('alarm', 16)} <span>${this.#whyNotSent()}</span></span>
        <span class="row">
          ${this.#isPassing ? nothing : html`<button class="button" @click=${() => this.#retry(id)}>${label}</button>`}
          <button class="button discard" @click=${() => this.act('discardMessage', { id })}>
            ${t.message.discard}
          </button>
        </span>
      </div>`;
  }

  /** To the devices that the page shows now. @param {string} id */
  #retry(id) {
    this.act('retryMessage', { id, readers: readersOf(this.conversation) });
  }

  #reactions() {
    /** @type {Map<string, string[]>} */
    const byEmoji = new Map();
    for (const [user, { emoji }] of Object.entries(this.item.reactions ?? {})) {
      if (emoji) byEmoji.set(emoji, [...(byEmoji.get(emoji) ?? []), user]);
    }
    if (!byEmoji.size) return nothing;
    return html`<div class="reactions">${[...byEmoji].map(([emoji, users]) => this.#reaction(emoji, users))}</div>`;
  }

  /** @param {string} emoji @param {string[]} users */
  #reaction(emoji, users) {
    const isMine = users.includes(this.me);
    const label = t.message.reaction(
      emoji,
      users.map((user) => this.#nameInSentence(user)),
    );
    const title = listOf(users.map((user) => nameOf(this.conversation, user, this.me)));
    const { id: of = '' } = this.item;
    const detail = { conversation: this.conversation.id, of, emoji: isMine ? '' : emoji };
    return html`
      <button tabindex="-1" aria-pressed=${isMine} aria-label=${label} title=${title}
        @click=${() => this.act('react', detail)}>${emoji} ${users.length > 1 ? users.length : ''}</button>`;
  }
}
customElements.define('sv-message', Message);
