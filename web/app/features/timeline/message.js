// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { nameOf } from '../../state/reducer.js';
import { isJumbo, listOf, partsOf, timeOf, wholeTimeOf } from '../../format.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';

/** @type {Record<string, [string, string]>} */
const MARKS = {
  sending: ['clock', 'Sending'],
  sent: ['once', 'Sent'],
  delivered: ['twice', 'Delivered'],
  read: ['twice', 'Read'],
};

/** One message. Its text is text, whatever is in it. */
export class Message extends Element {
  static properties = {
    item: { attribute: false }, name: {}, conversation: { attribute: false }, me: {}, showsName: { type: Boolean }, isFollowing: { type: Boolean },
    quoted: { attribute: false }, mark: {}, failure: {},
  }; // prettier-ignore
  static styles = [
    super.styles,
    css`
      :host { display: flex; align-items: center; gap: 0.25rem; margin-top: 0.6rem; border-radius: 1rem; outline-offset: 3px; }
      :host([following]) { margin-top: 0.15rem; }
      :host([mine]) { flex-direction: row-reverse; }
      .bubble { position: relative; max-width: min(85%, 36rem); padding: 0.45rem 0.85rem; border: 1px solid var(--line); border-radius: 1.15rem 1.15rem 1.15rem 0.35rem; background: var(--theirs); }
      :host([mine]) .bubble { border-color: transparent; border-radius: 1.15rem 1.15rem 0.35rem 1.15rem; background: var(--mine); }
      .name { display: block; color: var(--accent); font-size: var(--small); font-weight: 700; }
      .text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
      .jumbo { font-size: 2.4rem; line-height: 1.2; }
      .jumbo + .end { float: none; display: flex; justify-content: flex-end; margin-top: 0.1rem; }
      .gone { color: var(--soft); font-style: italic; }
      .end { float: inline-end; display: inline-flex; align-items: center; gap: 0.25rem; margin: 0.45rem -0.15rem -0.15rem 0.75rem; color: var(--soft); font-size: 0.72rem; line-height: 1; }
      .end .open { color: var(--warn); }
      .end .read { color: var(--accent); }
      .quote { display: grid; width: 100%; margin: 0.15rem 0 0.35rem; padding: 0.25rem 0.6rem; border: 0; border-inline-start: 3px solid var(--accent); border-radius: 0.3rem; background: color-mix(in srgb, var(--accent) 9%, transparent); color: inherit; font-size: var(--small); text-align: start; }
      .quote b { color: var(--accent); }
      .quote span { max-height: 2.9em; overflow: hidden; }
      :host([failed]) .bubble { border-color: var(--bad); background: var(--paper); }
      .failed { display: grid; gap: 0.4rem; clear: both; margin: 0.4rem 0 0.2rem; color: var(--bad); font-size: var(--small); }
      .failed .button { min-height: 2.25rem; }
      .reactions { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0.35rem 0 0.1rem; clear: both; }
      .reactions button { min-height: 1.75rem; padding: 0 0.55rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--paper); font-size: 0.85rem; }
      .reactions [aria-pressed=true] { border-color: var(--accent); background: var(--accent-soft); }
      .more { opacity: 0; width: 2.25rem; height: 2.25rem; }
      :host(:hover) .more, :host(:focus-within) .more, :host(:focus) .more { opacity: 1; }
      @media (hover: none) { .more { opacity: 0.85; } }
    `,
  ];

  /** Looking for links takes a while, and messages are drawn often. @type {ReturnType<typeof partsOf>} */
  #parts = [];

  constructor() {
    super();
    /** @type {import('../../state/reducer.js').Item} */
    this.item = /** @type {any} */ (undefined);
    this.name = this.me = this.mark = '';
    /** Why it was not sent. */
    this.failure = '';
    /** @type {import('../../state/reducer.js').Conversation} */
    this.conversation = /** @type {any} */ (undefined);
    this.showsName = this.isFollowing = false;
    /** @type {import('../../state/reducer.js').Item | undefined} */
    this.quoted = undefined;
    this.addEventListener('keydown', (event) => this.#onKey(event));
    this.addEventListener('contextmenu', (event) => this.#onContextMenu(event));
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has('item') && changed.get('item')?.text !== this.item.text) this.#parts = partsOf(this.item.text ?? '');
    this.toggleAttribute('mine', this.item.user === this.me);
    this.toggleAttribute('following', this.isFollowing);
    this.toggleAttribute('failed', this.failure !== '');
    this.setAttribute('aria-label', this.#spoken());
  }

  /** What a screen reader says of it. */
  #spoken() {
    const { text, at, isDeleted, edits } = this.item;
    const { how, replyTo, reactions } = this.item;
    const quoted = this.quoted ? `answer to ${nameOf(this.conversation, this.quoted.user, this.me)}` : 'answer to an earlier message';
    const reacted = Object.entries(reactions ?? {}).flatMap(([user, { emoji }]) => (emoji ? [`${emoji} by ${nameOf(this.conversation, user, this.me)}`] : []));
    const parts = [`${this.name}: ${isDeleted ? 'deleted message' : how === 'unreadable' ? 'unreadable message' : text}`, replyTo ? quoted : '', how === 'plain' ? 'not encrypted' : '', ...reacted, timeOf(at), edits?.length ? 'edited' : '', this.mark ? MARKS[this.mark][1] : '', this.failure ? `Not sent: ${this.failure}` : ''];
    return parts.filter(Boolean).join(', ');
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.target !== this || !['Enter', ' ', 'ContextMenu'].includes(event.key)) return;
    event.preventDefault();
    this.#openMenu();
  }

  /** @param {MouseEvent} event */
  #onContextMenu(event) {
    if (getSelection()?.toString() || /** @type {Element} */ (event.composedPath()[0]).closest?.('a')) return;
    event.preventDefault();
    this.#openMenu({ x: event.clientX, y: event.clientY });
  }

  /** @param {{ x: number, y: number }} [at] */
  #openMenu(at) {
    if (this.item.isDeleted || this.item.seq === Infinity) return;
    const opener = /** @type {HTMLElement} */ (at ? this : this.renderRoot.querySelector('.more'));
    this.dispatchEvent(new CustomEvent('menu', { bubbles: true, composed: true, detail: { item: this.item, opener, at } }));
  }

  render() {
    const { item } = this;
    return html`
      <div class="bubble">
        ${this.showsName ? html`<b class="name">${this.name}</b>` : nothing}
        ${item.replyTo ? this.#quote() : nothing}
        ${item.isDeleted ? html`<span class="gone">This message was deleted.</span>` : item.how === 'unreadable' ? html`<span class="gone">This was encrypted with a key that is not on this device.</span>` : html`<span class="text ${isJumbo(item.text ?? '') ? 'jumbo' : ''}" dir="auto">${this.#text()}</span>`}
        <span class="end">${item.how === 'plain' ? html`<span class="open">not encrypted</span>` : nothing} ${item.edits?.length ? 'edited' : nothing} <time datetime=${item.at} title=${wholeTimeOf(item.at)}>${timeOf(item.at)}</time> ${this.#mark()}</span>
        ${this.#reactions()} ${this.#failed()}
      </div>
      ${item.isDeleted || item.seq === Infinity
        ? nothing
        : html`<button class="icon more" tabindex="-1" aria-label="What can be done with this message" aria-haspopup="menu" @click=${() => this.#openMenu()}>${icon('more', 18)}</button>`}`;
  }

  #text() {
    return this.#parts.map(({ text, href }) => (href ? html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${text}</a>` : text));
  }

  #mark() {
    if (!this.mark || this.item.isDeleted) return nothing;
    const [name, word] = MARKS[this.mark];
    return html`<span class=${this.mark} role="img" aria-label=${word} title=${word}>${icon(name, 15)}</span>`;
  }

  #quote() {
    const { quoted } = this;
    const name = quoted ? nameOf(this.conversation, quoted.user, this.me) : '';
    return html`<button class="quote" tabindex="-1" @click=${() => this.want('showMessage', { conversation: this.conversation.id, id: this.item.replyTo })}>
      ${quoted ? html`<b>${name}</b><span>${quoted.isDeleted || quoted.isHidden ? 'Deleted' : quoted.text}</span>` : html`<span>An earlier message</span>`}
    </button>`;
  }

  #failed() {
    if (!this.failure) return nothing;
    const { id } = this.item;
    return html`<div class="failed" role="alert">
      <span class="row">${icon('alarm', 16)} <span>Not sent. ${this.failure}</span></span>
      <span class="row"><button class="button" @click=${() => this.want('retry', { id })}>Try again</button><button class="button" @click=${() => this.want('giveUp', { id })}>Remove</button></span>
    </div>`;
  }

  #reactions() {
    /** @type {Map<string, string[]>} */
    const byEmoji = new Map();
    for (const [user, { emoji }] of Object.entries(this.item.reactions ?? {})) if (emoji) byEmoji.set(emoji, [...(byEmoji.get(emoji) ?? []), user]);
    if (!byEmoji.size) return nothing;
    return html`<div class="reactions">
      ${[...byEmoji].map(([emoji, users]) => {
        const isMine = users.includes(this.me);
        const names = listOf(users.map((user) => nameOf(this.conversation, user, this.me)));
        const detail = { conversation: this.conversation.id, of: this.item.id, emoji: isMine ? '' : emoji };
        return html`<button tabindex="-1" aria-pressed=${isMine} aria-label="${emoji} by ${names}" title=${names} @click=${() => this.want('react', detail)}>${emoji} ${users.length > 1 ? users.length : ''}</button>`;
      })}
    </div>`;
  }
}
customElements.define('sv-message', Message);
