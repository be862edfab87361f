// @ts-check
import { css, html, nothing, repeat } from '../../../vendor/lit.js';
import { isGroup, nameOf, others, titleOf } from '../../state/reducer.js';
import { listOf, momentOf, wholeTimeOf } from '../../format.js';
import '../../ui/avatar.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';

/** @typedef {import('../../state/reducer.js').Conversation} Conversation */

/** The conversations, the latest first, with what is new in each. */
export class Sidebar extends Element {
  static properties = {
    conversations: { attribute: false }, me: { attribute: false }, open: {}, typing: { attribute: false }, drafts: { attribute: false },
    waiting: { attribute: false }, line: {}, hasEnded: { type: Boolean },
  }; // prettier-ignore
  static styles = [
    super.styles,
    css`
      :host { display: grid; grid-template: auto auto 1fr / minmax(0, 1fr); border-inline-end: 1px solid var(--line); background: var(--desk); }
      .head { display: flex; align-items: center; gap: 0.25rem; padding: 0.9rem 0.75rem 0.6rem 1.25rem; }
      h1 { flex: 1; font-size: 1.6rem; }
      nav { overflow-y: auto; padding: 0 0.6rem 1rem; overscroll-behavior: contain; }
      h2 { padding: 0.75rem 0.65rem 0.35rem; font: 600 var(--small) var(--face); letter-spacing: 0.02em; color: var(--soft); }
      ul { margin: 0; padding: 0; list-style: none; }
      .one { display: grid; grid-template-columns: auto 1fr auto; gap: 0.1rem 0.75rem; align-items: center; width: 100%; min-height: 4.25rem;
        padding: 0.55rem 0.65rem; border: 0; border-radius: 0.9rem; background: none; color: inherit; text-align: start; text-decoration: none; }
      .one:hover { background: var(--hover); }
      .one[aria-current="true"] { background: var(--sheet); box-shadow: inset 3px 0 0 var(--accent); }
      sv-avatar { grid-row: 1 / 3; }
      .title { font-weight: 600; align-self: end; }
      .direct { color: var(--warn); vertical-align: -0.1em; }
      .moment { align-self: end; color: var(--soft); font-size: var(--small); }
      .text { align-self: start; color: var(--soft); font-size: 0.9rem; }
      .new .title, .new .text { font-weight: 700; color: var(--ink); }
      .typing, .draft b { color: var(--accent); font-weight: 600; }
      .count { justify-self: end; align-self: start; min-width: 1.45rem; padding: 0.05rem 0.4rem; border-radius: 1rem; background: var(--accent);
        color: var(--on-accent); font-size: var(--small); font-weight: 700; text-align: center; }
      .line { margin: 0 1.25rem 0.6rem; padding: 0.5rem 0.8rem; border-radius: 0.7rem; background: var(--hover); font-size: var(--small); color: var(--soft); }
      .line.bad { background: var(--warn-soft); color: var(--warn); }
      .nothing .button { display: none; margin-top: 1rem; }
      @media (max-width: 44rem) { .nothing .button { display: flex; } }
      .nothing { padding: 1.5rem 0.65rem; color: var(--soft); }
    `,
  ];

  constructor() {
    super();
    /** @type {Conversation[]} */
    this.conversations = [];
    this.me = { id: '', username: '', device: '' };
    /** @type {string | null} */
    this.open = null;
    /** @type {import('../../state/reducer.js').State['typing']} */
    this.typing = {};
    /** @type {Record<string, string>} */
    this.drafts = {};
    /** @type {import('../../state/reducer.js').Waiting[]} */
    this.waiting = [];
    /** @type {'online' | 'offline'} */
    this.line = 'offline';
    this.hasEnded = false;
  }

  render() {
    const requests = this.conversations.filter(({ state }) => state === 'requested');
    const joined = this.conversations.filter(({ state }) => state === 'joined');
    return html`
      <div class="head">
        <h1>Sottovoce</h1>
        <button class="icon" aria-label="New conversation" title="New conversation" @click=${() => this.want('show', { dialog: { name: 'new' } })}>${icon('plus')}</button>
        <button class="icon" aria-label="Settings" title="Settings" @click=${() => this.want('show', { dialog: { name: 'settings' } })}>${icon('settings')}</button>
      </div>
      ${this.#line()}
      <nav aria-label="Conversations">
        ${requests.length ? html`<h2>Wants to talk to you</h2>${this.#list(requests)}<h2>Conversations</h2>` : nothing}
        ${joined.length ? this.#list(joined) : html`<p class="nothing">Your conversations will be here. <button class="button main" @click=${() => this.want('show', { dialog: { name: 'new' } })}>Begin one</button></p>`}
      </nav>`;
  }

  #line() {
    if (this.hasEnded) {
      return html`<p class="line bad" role="status">Your session has ended. What is here stays.
        <button class="plain" @click=${() => this.want('show', { dialog: { name: 'again' } })}><u>Log in again</u></button></p>`;
    }
    const text = this.waiting.some(({ content, failure }) => content.kind === 'text' && !failure) ? 'Offline. What you write is sent later.' : 'Offline. Connecting…';
    return html`<div role="status">${this.line === 'offline' ? html`<p class="line">${text}</p>` : nothing}</div>`;
  }

  /** @param {Conversation[]} conversations */
  #list(conversations) {
    return html`<ul>${repeat(conversations, ({ id }) => id, (one) => html`<li>${this.#one(one)}</li>`)}</ul>`;
  }

  /** @param {Conversation} one */
  #one(one) {
    const title = titleOf(one, this.me.id);
    const count = one.unread.length;
    const [first] = others(one, this.me.id);
    return html`
      <a class="one ${count ? 'new' : ''}" href="#c/${one.id}" aria-current=${one.id === this.open}>
        <sv-avatar of=${isGroup(one) ? one.id : (first?.id ?? one.id)} .name=${title} .picture=${isGroup(one) ? '' : pictureOf(first)}></sv-avatar>
        <span class="title cut">${title}${one.kind === 'direct' ? html` <span class="direct" title="Not end-to-end encrypted">${icon('open', 15)}<span class="unseen">, not end-to-end encrypted</span></span>` : nothing}</span>
        <span class="moment">${one.last ? html`<time datetime=${one.last.at} title=${wholeTimeOf(one.last.at)}>${momentOf(one.last.at)}</time>` : nothing}</span>
        <span class="text cut">${this.#preview(one)}</span>
        ${count ? html`<span class="count"><span class="unseen">unread messages: </span>${count > 99 ? '99+' : count}</span>` : html`<span></span>`}
      </a>`;
  }

  /** @param {Conversation} one */
  #preview(one) {
    const typing = Object.keys(this.typing[one.id] ?? {}).map((user) => nameOf(one, user, this.me.id));
    if (typing.length) return html`<span class="typing">${isGroup(one) ? `${listOf(typing)} ${typing.length > 1 ? 'are' : 'is'} typing…` : 'typing…'}</span>`;
    if (this.drafts[one.id] && one.id !== this.open) return html`<span class="draft"><b>Draft:</b> ${this.drafts[one.id]}</span>`;
    const waiting = this.waiting.findLast(({ conversation, content, failure }) => conversation === one.id && content.kind === 'text' && !failure);
    if (waiting) return `You: ${/** @type {any} */ (waiting.content).text}`;
    if (!one.isActive) return 'You are not in this conversation any more';
    if (!one.last?.text) return one.last?.seq && one.last.user ? 'A message was deleted' : 'Say hello';
    const who = one.last.user === this.me.id ? 'You: ' : isGroup(one) ? `${nameOf(one, one.last.user, this.me.id)}: ` : '';
    return who + one.last.text;
  }
}

/** @param {any} person */
export function pictureOf(person) {
  return person?.picture ? `/v2/users/${encodeURIComponent(person.username)}/picture?v=${person.picture}` : '';
}
customElements.define('sv-sidebar', Sidebar);
