// @ts-check
import { css, html, nothing, repeat } from '../../vendor/lit.js';
import { receivedBy } from '../../client/conversations/reducer.js';
import { isGroup, nameOf } from '../fold.js';
import { dayOf, isSameDay, timeOf } from '../format.js';
import { isLookedAt } from '../looking.js';
import { wordsOf } from '../notices.js';
import { sentenceFor } from '../words.js';
import { Element } from './element.js';
import './emoji.js';
import { icon } from './icon.js';
import './menu.js';
import './message.js';

/** @typedef {import('../fold.js').Item} Item */

const NEAR_PX = 60; // of the end: then what comes is followed
const EARLY_PX = 800; // before the end of what is loaded more is asked for
const TOGETHER_MS = 5 * 60 * 1000; // what somebody says within this stands together
const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

/**
 * What was said, in its order. Only a window of it is in the page; scrolling moves the window. The messages are one
 * stop for the Tab key; arrows move between them, Enter opens what can be done with one.
 */
export class Timeline extends Element {
  static properties = {
    conversation: { attribute: false }, me: {}, window: { attribute: false }, waiting: { attribute: false }, quoted: { attribute: false },
    isAtEnd: { state: true }, chosen: { state: true }, picking: { state: true },
  }; // prettier-ignore
  static styles = [
    super.styles,
    css`
      :host { position: relative; display: grid; min-height: 0; }
      .scroll { overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain; padding: 1rem clamp(0.6rem, 2vw, 1.25rem); }
      .column { display: flex; flex-direction: column; max-width: 50rem; min-height: 100%; margin: 0 auto; }
      .column::before { content: ""; flex: 1; }
      .day { align-self: center; margin: 1rem 0 0.75rem; padding: 0.15rem 0.9rem; border-radius: 1rem; background: var(--desk); color: var(--soft); font-size: var(--small); }
      .notice { align-self: center; max-width: 34rem; margin: 0.5rem 1rem; color: var(--soft); font-size: var(--small); text-align: center; }
      .notice.loud { padding: 0.5rem 1rem; border-radius: 0.8rem; background: var(--warn-soft); color: var(--warn); font-weight: 600; }
      .unread { display: flex; align-items: center; gap: 0.75rem; margin: 0.75rem 0; color: var(--accent); font-size: var(--small); font-weight: 700; }
      .unread::before, .unread::after { content: ""; flex: 1; height: 1px; background: var(--accent); opacity: 0.4; }
      .jump { position: absolute; inset: auto 1rem 0.75rem auto; display: flex; align-items: center; gap: 0.4rem; min-height: var(--touch); padding: 0 1rem; border: 1px solid var(--line);
        border-radius: 2rem; background: var(--sheet); box-shadow: 0 0.3rem 1rem var(--shade); font-weight: 600; }
      .quick { display: flex; gap: 0.15rem; padding: 0 0.2rem 0.35rem; margin-bottom: 0.35rem; border-bottom: 1px solid var(--line); }
      .quick button { width: 2.5rem; height: 2.5rem; padding: 0; border: 0; border-radius: 50%; background: none; font-size: 1.35rem; }
      .quick button:hover, .quick button:focus-visible, .quick [aria-checked=true] { background: var(--hover); }
      .picker { position: absolute; inset: auto auto 1rem 50%; translate: -50%; z-index: 3; }
    `,
  ];

  /** How far the first message was from the top before what is drawn now. @type {{ seq: number, top: number } | null} */
  #anchor = null;
  #shown = '';
  #hasSeen = 0;
  #isAsking = false;

  constructor() {
    super();
    /** @type {import('../fold.js').Conversation} */
    this.conversation = /** @type {any} */ (undefined);
    this.me = '';
    /** @type {import('../fold.js').Window | null} */
    this.window = null;
    /** @type {import('../fold.js').Waiting[]} */
    this.waiting = [];
    /** @type {Record<string, Item>} */
    this.quoted = {};
    this.isAtEnd = true;
    /** What can be done with this one is shown. @type {Item | null} */
    this.chosen = null;
    /** Any emoji for this one. @type {Item | null} */
    this.picking = null;
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#see);
    addEventListener('focus', this.#see);
    this.#size.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#see);
    removeEventListener('focus', this.#see);
    this.#size.disconnect();
  }

  /** A keyboard or a banner takes room: the end stays in sight. */
  #size = new ResizeObserver(() => this.isAtEnd && this.#scroll && this.#toEnd());

  get #scroll() {
    return /** @type {HTMLElement} */ (this.renderRoot.querySelector('.scroll'));
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has('conversation') && changed.get('conversation')?.id !== this.conversation.id) {
      this.chosen = this.picking = null;
      this.isAtEnd = true;
      this.#shown = '';
      this.#hasSeen = 0;
    }
    if (!changed.has('window') || !this.hasUpdated || this.isAtEnd) return;
    const [first] = [...this.renderRoot.querySelectorAll('sv-message')].filter((one) => one.getBoundingClientRect().bottom > 0);
    this.#anchor = first ? { seq: /** @type {any} */ (first).item.seq, top: first.getBoundingClientRect().top } : null;
  }

  /** @param {Map<string, any>} changed */
  async updated(changed) {
    if (!this.window) return;
    await Promise.all([...this.renderRoot.querySelectorAll('sv-message')].map((one) => /** @type {any} */ (one).updateComplete));
    const target = changed.has('window') && changed.get('window')?.at !== this.window.at ? this.window.target : undefined;
    const asked = target ? /** @type {HTMLElement | null} */ (this.renderRoot.querySelector(`sv-message[data-seq="${target}"]`)) : null;
    if (asked) {
      asked.scrollIntoView({ block: 'center' });
      asked.focus({ preventScroll: true });
    } else if (this.#shown !== this.conversation.id) {
      this.#shown = this.conversation.id;
      const unread = this.renderRoot.querySelector('.unread');
      if (unread) this.#scroll.scrollTop += unread.getBoundingClientRect().top - this.#scroll.getBoundingClientRect().top - 80;
      else this.#toEnd();
      this.#onScroll();
    } else if (this.isAtEnd && !this.window.hasNewer && (changed.has('window') || changed.has('waiting'))) {
      this.#toEnd();
    } else if (this.#anchor) {
      const { seq, top } = this.#anchor;
      const now = this.renderRoot.querySelector(`sv-message[data-seq="${seq}"]`);
      if (now) this.#scroll.scrollTop += now.getBoundingClientRect().top - top;
    }
    this.#anchor = null;
    if (changed.has('window')) this.#isAsking = false;
    this.#see();
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    const window = this.window;
    if (!window) return;
    const below = scrollHeight - clientHeight - scrollTop;
    this.isAtEnd = below < NEAR_PX && !window.hasNewer;
    const { id } = this.conversation;
    if (!this.#isAsking && scrollTop < EARLY_PX && window.hasOlder) this.#more('older', id, window.items[0]?.seq);
    else if (!this.#isAsking && below < EARLY_PX && window.hasNewer) this.#more('newer', id, window.items.at(-1)?.seq);
    this.#see();
  }

  /** @param {'older' | 'newer'} which @param {string} conversation @param {number | undefined} seq */
  #more(which, conversation, seq) {
    this.#isAsking = true;
    this.want(which, { conversation, seq });
  }

  /** What is in sight of somebody who looks has been seen. */
  #see = () => {
    const newest = this.window?.items.at(-1)?.seq ?? 0;
    if (this.conversation.state !== 'joined') return; // looking at a request tells nobody anything
    if (!this.isAtEnd || !isLookedAt() || newest <= this.#hasSeen || !this.conversation.unread.length) return;
    this.#hasSeen = newest;
    this.want('read', { conversation: this.conversation.id, seq: newest });
  };

  #jump() {
    if (this.window?.hasNewer) this.want('open', { conversation: this.conversation.id, atEnd: true });
    this.isAtEnd = true;
    this.#toEnd();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const all = /** @type {HTMLElement[]} */ ([...this.renderRoot.querySelectorAll('sv-message')]);
    const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at === -1 || to === undefined || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  }

  /** @param {CustomEvent} event */
  async #onMenu({ detail: { item, opener, at } }) {
    this.chosen = item;
    await this.updateComplete;
    /** @type {import('./menu.js').Menu} */ (this.renderRoot.querySelector('sv-menu')).openAt(opener, at);
  }

  /** @param {Item} item @returns {import('./menu.js').Choice[]} */
  #choices(item) {
    const { id } = this.conversation;
    const isMine = item.user === this.me;
    const can = this.conversation.isActive && this.conversation.state === 'joined' && item.id !== undefined;
    const isDirect = this.conversation.kind === 'direct';
    return [
      ...(can && !isDirect ? [{ intent: 'about', label: 'Answer', icon: 'reply', detail: { what: 'reply', item } }] : []),
      ...(can && isMine ? [{ intent: 'about', label: 'Edit', icon: 'edit', detail: { what: 'edit', item } }] : []),
      ...(item.replyTo ? [{ intent: 'showMessage', label: 'Go to what it answers', icon: 'back', detail: { conversation: id, id: item.replyTo } }] : []),
      { intent: 'copy', label: 'Copy', icon: 'copy', detail: { text: item.text } },
      { intent: 'confirm', detail: { heading: 'Delete this message for you?', text: 'It goes from this device. Everybody else keeps it, and so do your other devices.', action: 'Delete for me', then: { intent: 'hide', conversation: id, seq: item.seq } }, label: 'Delete for me', icon: 'bin' },
      ...(can && isMine
        ? [{ intent: 'confirm', detail: { heading: 'Delete this message for everyone?', text: 'It goes from the server and from all devices as they hear of it. Who has read it has read it.', action: 'Delete for everyone', then: { intent: 'unsay', conversation: id, seq: item.seq } }, label: 'Delete for everyone', icon: 'bin', isBad: true }]
        : []),
    ];
  }

  /** Some of what a person wants is the conversation's own affair. @param {CustomEvent} event */
  #onIntent(event) {
    if (event.detail.intent !== 'about') return;
    event.stopPropagation();
    this.dispatchEvent(new CustomEvent('about', { detail: { what: event.detail.what, item: event.detail.item } }));
  }

  /** @param {Item} item @param {string} emoji */
  #react(item, emoji) {
    const mine = item.reactions?.[this.me]?.emoji;
    this.want('react', { conversation: this.conversation.id, of: item.id, emoji: mine === emoji ? '' : emoji });
    this.picking = null;
    /** @type {any} */ (this.renderRoot.querySelector('sv-menu'))?.renderRoot.querySelector('[popover]').hidePopover();
  }

  render() {
    const { window } = this;
    const { unread } = this.conversation;
    return html`
      <div class="scroll" @scroll=${this.#onScroll}>
        <div class="column" role="list" aria-label="Messages" @keydown=${this.#onKey} @menu=${this.#onMenu}>
          ${window ? repeat(this.#rows(window), (row) => row.key, (row) => row.html) : nothing}
        </div>
      </div>
      ${!this.isAtEnd && window
        ? html`<button class="jump" @click=${this.#jump}>${icon('down', 20)} ${unread.length ? `${unread.length} new` : 'Newest'}</button>`
        : nothing}
      <sv-menu label="What can be done with this message" .choices=${this.chosen ? this.#choices(this.chosen) : []} @intent=${this.#onIntent}>${this.#quick()}</sv-menu>
      ${this.picking
        ? html`<sv-emoji class="picker" @closed=${() => (this.picking = null)} @emoji=${(/** @type {CustomEvent} */ event) => this.picking && this.#react(this.picking, event.detail)}></sv-emoji>`
        : nothing}`;
  }

  #quick() {
    const item = this.chosen;
    if (!item?.id || this.conversation.kind === 'direct' || !this.conversation.isActive || this.conversation.state !== 'joined') return nothing;
    const mine = item.reactions?.[this.me]?.emoji;
    return html`<div class="quick" role="group" aria-label="React">
      ${QUICK.map((one) => html`<button role="menuitemradio" tabindex="-1" aria-checked=${mine === one} aria-label="React with ${one}" @click=${() => this.#react(item, one)}>${one}</button>`)}
      <button role="menuitem" tabindex="-1" aria-label="Another emoji" @click=${() => this.#pick(item)}>${icon('plus', 20)}</button>
    </div>`;
  }

  /** @param {Item} item */
  #pick(item) {
    /** @type {any} */ (this.renderRoot.querySelector('sv-menu')).renderRoot.querySelector('[popover]').hidePopover();
    this.picking = item;
  }

  /** @param {import('../fold.js').Window} window */
  #rows(window) {
    const rows = [];
    const items = window.items.filter(({ isHidden }) => !isHidden);
    const tabStop = items.findLast((item) => !item.notice)?.seq;
    /** @type {Item | undefined} */
    let before;
    for (const item of items) {
      if (!before || !isSameDay(before.at, item.at)) rows.push({ key: `day ${item.seq}`, html: html`<div class="day" role="listitem">${dayOf(item.at)}</div>` });
      if (window.unreadFrom === item.seq) rows.push({ key: 'unread', html: html`<div class="unread" role="listitem">New</div>` });
      rows.push(item.notice ? this.#notice(item) : this.#message(item, isOfOneBreath(before, item), tabStop));
      before = item;
    }
    if (!window.hasNewer) for (const one of this.waiting) rows.push(this.#unsent(one));
    return rows;
  }

  /** @param {Item} item @param {boolean} isFollowing @param {number | undefined} tabStop */
  #message(item, isFollowing, tabStop) {
    const { conversation, me } = this;
    const isMine = item.user === me;
    const quoted = item.replyTo ? (this.window?.items.find(({ id }) => id === item.replyTo) ?? this.quoted[item.replyTo]) : undefined;
    const name = nameOf(conversation, item.user, me);
    return {
      key: item.id ?? item.seq,
      html: html`<sv-message role="listitem" data-seq=${item.seq} tabindex=${item.seq === tabStop ? 0 : -1} .item=${item} .name=${name} .conversation=${conversation} .me=${me}
        .showsName=${!isFollowing && !isMine && isGroup(conversation)} .isFollowing=${isFollowing} .quoted=${quoted}
        .mark=${isMine ? receivedBy(conversation, item.seq, me) : ''}></sv-message>`,
    };
  }

  /** @param {import('../fold.js').Waiting} waiting */
  #unsent({ id, at, content, failure }) {
    const { text, reply_to: replyTo } = /** @type {import('../../client/content/text.js').Text} */ (content);
    const item = { seq: Infinity, at, user: this.me, id, text, replyTo };
    const quoted = replyTo ? this.window?.items.find((one) => one.id === replyTo) : undefined;
    return {
      key: id,
      html: html`<sv-message role="listitem" data-seq=${Infinity} tabindex="-1" .item=${item} .name=${'You'} .conversation=${this.conversation} .me=${this.me} .showsName=${false} .isFollowing=${true} .quoted=${quoted}
        .failure=${failure ? sentenceFor(failure) : ''} .mark=${failure ? '' : 'sending'}></sv-message>`,
    };
  }

  /** @param {Item} item */
  #notice(item) {
    const { text, isLoud } = wordsOf(/** @type {import('../../client/conversations/reducer.js').Notice} */ (item.notice), item.seq, this.conversation, this.me);
    return { key: item.seq, html: html`<p class="notice ${isLoud ? 'loud' : ''}" role="listitem">${isLoud ? icon('alarm', 16) : nothing} ${text} <span class="unseen">${timeOf(item.at)}</span></p>` };
  }
}

/** @param {Item | undefined} before @param {Item} item */
function isOfOneBreath(before, item) {
  if (!before || before.notice || before.user !== item.user || !isSameDay(before.at, item.at)) return false;
  return new Date(item.at).getTime() - new Date(before.at).getTime() < TOGETHER_MS;
}
customElements.define('sv-timeline', Timeline);
