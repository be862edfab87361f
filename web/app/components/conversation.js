// @ts-check
import { css, html, nothing } from '../../vendor/lit.js';
import { trustIn } from '../../client/trust/verified.js';
import { UNKNOWN, isGroup, nameOf, others, titleOf } from '../fold.js';
import { listOf } from '../format.js';
import './avatar.js';
import './composer.js';
import { Element } from './element.js';
import { icon } from './icon.js';
import { pictureOf } from './sidebar.js';
import './timeline.js';
import { aboutNewKey } from '../words.js';

/** One conversation: who it is with, what was said, and what is being said. */
export class ConversationView extends Element {
  static properties = {
    conversation: { attribute: false }, me: {}, line: {}, window: { attribute: false }, waiting: { attribute: false }, quoted: { attribute: false },
    typing: { attribute: false }, draft: {}, settings: { attribute: false }, about: { state: true },
  }; // prettier-ignore
  static styles = [
    super.styles,
    css`
      :host { display: grid; grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr); background: var(--paper); }
      .head { display: flex; align-items: center; gap: 0.6rem; min-height: 4rem; padding: 0.4rem 0.75rem; border-bottom: 1px solid var(--line); }
      .head h1 { font: 700 1.05rem/1.25 var(--face); letter-spacing: 0; }
      .title { display: block; }
      .under { display: block; font-weight: 400; color: var(--soft); font-size: var(--small); }
      .who { display: flex; width: 100%; align-items: center; gap: 0.75rem; border-radius: 0.7rem; min-height: var(--touch); }
      .lock { display: inline-flex; align-items: center; gap: 0.35rem; min-height: 2.25rem; padding: 0 0.8rem; border: 0; border-radius: 2rem;
        background: var(--accent-soft); color: var(--accent); font-size: var(--small); font-weight: 600; }
      .lock:hover { filter: brightness(0.97); }
      .lock.direct { background: var(--warn-soft); color: var(--warn); }
      .lock.changed { background: var(--bad-soft); color: var(--bad); }
      .back { display: none; }
      .banner { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; padding: 0.8rem 1.25rem; background: var(--accent-soft); }
      .banner.changed { background: var(--bad-soft); color: var(--bad); border-bottom: 2px solid var(--bad); }
      .banner p { flex: 1 1 16rem; }
      .over { padding: 1rem 1.25rem; border-top: 1px solid var(--line); color: var(--soft); text-align: center; }
      @media (max-width: 44rem) { .back { display: inline-grid; } .lock span { display: none; } .lock { width: var(--touch); padding: 0; justify-content: center; } }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../fold.js').Conversation} */
    this.conversation = /** @type {any} */ (undefined);
    this.me = '';
    /** @type {'online' | 'offline'} */
    this.line = 'online';
    /** @type {import('../fold.js').Window | null} */
    this.window = null;
    /** @type {import('../fold.js').Waiting[]} */
    this.waiting = [];
    /** @type {Record<string, import('../fold.js').Item>} */
    this.quoted = {};
    /** @type {Record<string, number> | undefined} */
    this.typing = undefined;
    this.draft = '';
    /** @type {import('../fold.js').Settings | null} */
    this.settings = null;
    /** What is being written refers to this. @type {{ what: 'reply' | 'edit', item: import('../fold.js').Item } | null} */
    this.about = null;
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has('conversation') && changed.get('conversation')?.id !== this.conversation.id) this.about = null;
  }

  render() {
    const { conversation, me } = this;
    const title = titleOf(conversation, me);
    const [first] = others(conversation, me);
    const group = isGroup(conversation);
    return html`
      <div class="head">
        <button class="icon back" aria-label="Back to the conversations" @click=${() => this.want('open', { conversation: null })}>${icon('back')}</button>
        <h1 class="grow"><button class="plain who" @click=${() => this.want('show', { dialog: { name: 'details' } })}>
          <sv-avatar size="40" of=${group ? conversation.id : (first?.id ?? conversation.id)} .name=${title} .picture=${group ? '' : pictureOf(first)}></sv-avatar>
          <span class="grow"><span class="cut title">${title}</span>${this.#under()}<span class="unseen">: members and more</span></span>
        </button></h1>
        ${this.#lock()}
      </div>
      <div>${this.#banner(title)}</div>
      <sv-timeline .conversation=${conversation} .me=${me} .window=${this.window} .quoted=${this.quoted}
        .waiting=${this.waiting.filter((one) => one.conversation === conversation.id && one.content.kind === 'text')}
        @about=${(/** @type {CustomEvent} */ event) => this.#begin(event.detail)}></sv-timeline>
      ${this.#foot()}`;
  }

  /** @param {NonNullable<ConversationView['about']>} about */
  #begin(about) {
    this.about = about;
  }

  #under() {
    const typing = Object.keys(this.typing ?? {}).map((user) => nameOf(this.conversation, user, this.me));
    const names = isGroup(this.conversation) ? [...others(this.conversation, this.me).map(({ username }) => username), 'you'] : [];
    const text = this.line === 'offline' ? 'Offline. What you write is sent later.' : typing.length ? `${listOf(typing)} ${typing.length > 1 ? 'are' : 'is'} typing…` : listOf(names);
    return text ? html`<span class="under cut">${text}</span>` : nothing;
  }

  #trust() {
    if (this.conversation.kind === 'direct') return 'direct';
    const trust = others(this.conversation, this.me).map(({ id }) => trustIn(this.conversation, id));
    if (trust.includes('changed')) return 'changed';
    return trust.length && trust.every((one) => one === 'verified') ? 'verified' : 'unknown';
  }

  #lock() {
    const trust = this.#trust();
    const [name, word] = { changed: ['alarm', 'Keys changed'], verified: ['shield', 'Compared'], unknown: ['lock', 'Encrypted'], direct: ['open', 'Not end-to-end'] }[trust];
    return html`<button class="lock ${trust}" title="What this means" @click=${() => this.want('show', { dialog: { name: 'lock', conversation: this.conversation.id } })}>
      ${icon(name, 18)}<span>${word}</span><span class="unseen">. What this means</span></button>`;
  }

  /** @param {string} title */
  #banner(title) {
    const { conversation } = this;
    const changed = others(conversation, this.me).filter(({ id }) => trustIn(conversation, id) === 'changed');
    if (conversation.state === 'requested') {
      const strangers = others(conversation, this.me);
      const host = strangers.find(({ role }) => role === 'owner') ?? strangers[0];
      return html`<div class="banner" role="region" aria-label="Request">
        <p><b>${host?.username ?? title}</b> is new to you. Until you accept, they do not see whether you have read anything.</p>
        <div class="row">
          <button class="button main" @click=${() => this.want('answer', { conversation: conversation.id, state: 'joined' })}>Accept</button>
          <button class="button" @click=${() => this.want('answer', { conversation: conversation.id, state: 'ignored' })}>Ignore</button>
          <button class="button bad" @click=${() => this.want('block', { user: host?.id })}>Block</button>
        </div></div>`;
    }
    const unknown = others(conversation, this.me).filter(({ username }) => username === UNKNOWN);
    if (unknown.length && conversation.kind !== 'direct') {
      return html`<div class="banner changed" role="alert">${icon('alarm', 28)}
        <p><b>Somebody reads along here whom the server does not name.</b> That goes by in a moment when somebody is just being added. If it stays, say nothing secret.</p></div>`;
    }
    if (!changed.length) return nothing;
    return html`<div class="banner changed" role="alert">
      ${icon('alarm', 28)}
      <p><b>The keys of ${listOf(changed.map(({ username }) => username))} are not the ones you compared.</b>
        They may have a new phone, or somebody may be listening. Compare the safety number again before you say anything secret.</p>
      ${changed.map(({ id, username }) => html`<button class="button bad" @click=${() => this.want('show', { dialog: { name: 'safety', conversation: conversation.id, user: id } })}>Compare with ${username}</button>`)}
    </div>`;
  }

  #foot() {
    const { conversation } = this;
    if (!conversation.isActive) {
      return html`<div class="over"><p>You are not in this conversation any more. What was said stays here until you remove it.</p>
        <button class="button" @click=${() => this.want('forget', { conversation: conversation.id })}>Remove it from this device</button></div>`;
    }
    if (conversation.key === 'elsewhere') {
      const name = titleOf(conversation, this.me);
      return html`<div class="over"><p>The key of this conversation is not on this device. The server hands it out once; with a new one both of you begin anew.</p>
        <button class="button" @click=${() => this.want('confirm', aboutNewKey(conversation.id, name))}>Make a new key</button></div>`;
    }
    if (conversation.state !== 'joined') return html`<div class="over">Accept the request to answer.</div>`;
    return html`<sv-composer .conversation=${conversation.id} .draft=${this.draft} .about=${this.about} .name=${this.about ? nameOf(conversation, this.about.item.user, this.me) : ''}
      @done=${() => (this.about = null)} @last=${this.#editLast}></sv-composer>`;
  }

  /** The arrow up in an empty field takes up what one has said last. */
  #editLast() {
    const item = this.window?.items.findLast((one) => one.user === this.me && one.id !== undefined && one.text !== undefined);
    if (item) this.about = { what: 'edit', item };
  }
}
customElements.define('sv-conversation', ConversationView);
