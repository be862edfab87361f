// @ts-check
import { css, html, nothing, repeat } from '../../../vendor/lit.js';
import { receivedBy } from '../../../client/conversations/reducer.js';
import { dayOf, isSameDay, timeOf } from '../../messages/format.js';
import { t } from '../../messages/index.js';
import { isGroup, nameOf } from '../../state/selectors.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import { isTabActive } from '../../visibility.js';
import './message-menu.js';
import './message.js';
import { wordsOf } from './notices.js';

/**
 * @typedef {import('../../state/reducer.js').Item} Item
 * @typedef {import('./message.js').Message} Message
 */

const NEAR_PX = 60; // this close to the end, new messages scroll into view
const EARLY_PX = 800; // this far before the end of the loaded messages, more are loaded
const TOGETHER_MS = 5 * 60 * 1000; // messages of one person within this time are one block
const UNREAD_TOP_PX = 80; // from the top of the view to the first unread message

/**
 * The messages of a conversation in their order. Only a window of them is in the page; scrolling moves the window.
 * The messages are one stop for the Tab key; arrows move between them, Enter opens the menu of one.
 */
export class Timeline extends Element {
  static properties = {
    conversation: { attribute: false },
    me: {},
    window: { attribute: false },
    waiting: { attribute: false },
    quoted: { attribute: false },
    isAtEnd: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { position: relative; display: grid; min-height: 0; }
      .scroll { overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain;
        padding: 1rem clamp(0.6rem, 2vw, 1.25rem); }
      .column { display: flex; flex-direction: column; max-width: 50rem; min-height: 100%; margin: 0 auto; }
      .column::before { content: ""; flex: 1; }
      .day { align-self: center; margin: 1rem 0 0.75rem; padding: 0.15rem 0.9rem; border-radius: 1rem;
        background: var(--desk); color: var(--soft); font-size: var(--small); }
      .notice { align-self: center; max-width: 34rem; margin: 0.5rem 1rem; color: var(--soft);
        font-size: var(--small); text-align: center; overflow-wrap: anywhere; }
      .notice.loud { padding: 0.5rem 1rem; border-radius: 0.8rem; background: var(--warn-soft); color: var(--warn);
        font-weight: 600; }
      .unread { display: flex; align-items: center; gap: 0.75rem; margin: 0.75rem 0; color: var(--accent);
        font-size: var(--small); font-weight: 700; }
      .unread::before, .unread::after { content: ""; flex: 1; height: 1px; background: var(--accent); opacity: 0.4; }
      .jump { position: absolute; inset: auto 1rem 0.75rem auto; display: flex; align-items: center; gap: 0.4rem;
        min-height: var(--touch); padding: 0 1rem; border: 1px solid var(--line); border-radius: 2rem;
        background: var(--sheet); box-shadow: 0 0.3rem 1rem var(--shade); font-weight: 600; }
    `,
  ];

  /** Where the first visible message was before this update. @type {{ seq: number, top: number } | null} */
  #anchor = null;
  #shown = '';
  #hasSeen = 0;
  #isAsking = false;

  constructor() {
    super();
    /** @type {import('../../state/reducer.js').Conversation} */
    this.conversation = UNSET;
    this.me = '';
    /** @type {import('../../state/reducer.js').Window | null} */
    this.window = null;
    /** @type {import('../../state/reducer.js').Waiting[]} */
    this.waiting = [];
    /** @type {Record<string, Item>} */
    this.quoted = {};
    this.isAtEnd = true;
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

  /** A keyboard or a banner takes space: the end stays visible. */
  #size = new ResizeObserver(() => this.isAtEnd && this.#scroll && this.#toEnd());

  get #scroll() {
    return /** @type {HTMLElement} */ (this.renderRoot.querySelector('.scroll'));
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<Timeline>} changed */
  willUpdate(changed) {
    if (changed.has('conversation') && changed.get('conversation')?.id !== this.conversation.id) {
      this.isAtEnd = true;
      this.#shown = '';
      this.#hasSeen = 0;
    }
    if (!changed.has('window') || !this.hasUpdated || this.isAtEnd) return;
    const first = this.#messages.find((one) => one.getBoundingClientRect().bottom > 0);
    this.#anchor = first ? { seq: first.item.seq, top: first.getBoundingClientRect().top } : null;
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<Timeline>} changed */
  updated(changed) {
    void this.#restorePosition(changed);
  }

  /**
   * Scroll when the messages are rendered: to the requested one, to the first unread, or to where the view was.
   * @param {import('../../../vendor/lit.js').PropertyValues<Timeline>} changed
   */
  async #restorePosition(changed) {
    if (!this.window) return;
    await Promise.all(this.#messages.map((one) => one.updateComplete));
    const isLoaded = changed.has('window') && changed.get('window')?.at !== this.window.at;
    const asked = isLoaded && this.window.target ? this.#messageAt(this.window.target) : null;
    if (asked) {
      asked.scrollIntoView({ block: 'center' });
      asked.focus({ preventScroll: true });
    } else if (this.#shown !== this.conversation.id) {
      this.#shown = this.conversation.id;
      this.#toFirstUnread();
      this.#onScroll();
    } else if (this.isAtEnd && !this.window.hasNewer && (changed.has('window') || changed.has('waiting'))) {
      this.#toEnd();
    } else if (this.#anchor) {
      const { seq, top } = this.#anchor;
      const now = this.#messageAt(seq);
      if (now) this.#scroll.scrollTop += now.getBoundingClientRect().top - top;
    }
    this.#anchor = null;
    if (changed.has('window')) this.#isAsking = false;
    this.#see();
  }

  /** @returns {Message[]} */
  get #messages() {
    return [...this.renderRoot.querySelectorAll('sv-message')].map((one) => /** @type {Message} */ (one));
  }

  /** @param {number} seq @returns {HTMLElement | null} */
  #messageAt(seq) {
    return this.renderRoot.querySelector(`sv-message[data-seq="${seq}"]`);
  }

  /** Or to the end, if everything has been read. */
  #toFirstUnread() {
    const unread = this.renderRoot.querySelector('.unread');
    if (!unread) return this.#toEnd();
    const top = this.#scroll.getBoundingClientRect().top + UNREAD_TOP_PX;
    this.#scroll.scrollTop += unread.getBoundingClientRect().top - top;
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
    if (!this.#isAsking && scrollTop < EARLY_PX && window.hasOlder) this.#more('loadOlder', window.items[0]?.seq);
    else if (!this.#isAsking && below < EARLY_PX && window.hasNewer) this.#more('loadNewer', window.items.at(-1)?.seq);
    this.#see();
  }

  /** @param {'loadOlder' | 'loadNewer'} action @param {number | undefined} seq */
  #more(action, seq) {
    if (seq === undefined) return;
    this.#isAsking = true;
    this.act(action, { conversation: this.conversation.id, seq });
  }

  /** The end is visible in an active tab: everything has been read. */
  #see = () => {
    const newest = this.window?.items.at(-1)?.seq ?? 0;
    if (this.conversation.state !== 'joined') return; // a request sends no receipts
    if (!this.isAtEnd || !isTabActive() || newest <= this.#hasSeen || !this.conversation.unread.length) return;
    this.#hasSeen = newest;
    this.act('markRead', { conversation: this.conversation.id, seq: newest });
  };

  #jump() {
    if (this.window?.hasNewer) this.act('showLatest', { conversation: this.conversation.id });
    this.isAtEnd = true;
    this.#toEnd();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const all = this.#messages;
    const at = all.findIndex((one) => one === event.target);
    const moves = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 };
    const to = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (at === -1 || to === undefined || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  }

  /** @param {CustomEvent<{ item: Item, opener: HTMLElement, at?: { x: number, y: number } }>} event */
  #onMenu({ detail: { item, opener, at } }) {
    const menu = /** @type {import('./message-menu.js').MessageMenu} */ (this.renderRoot.querySelector('#menu'));
    return menu.openFor(item, opener, at);
  }

  render() {
    const { window } = this;
    return html`
      <div class="scroll" @scroll=${this.#onScroll}>
        <div class="column" role="list" aria-label=${t.timeline.messages} @keydown=${this.#onKey} @menu=${this.#onMenu}>
          ${
            window
              ? repeat(
                  this.#rows(window),
                  (row) => row.key,
                  (row) => row.html,
                )
              : nothing
          }
        </div>
      </div>
      ${!this.isAtEnd && window ? this.#jumpButton() : nothing}
      <sv-message-menu id="menu" .conversation=${this.conversation} .me=${this.me}></sv-message-menu>`;
  }

  #jumpButton() {
    const { length } = this.conversation.unread;
    const label = length ? t.timeline.newCount(length) : t.timeline.latest;
    return html`<button class="jump" @click=${this.#jump}>${icon('down', 20)} ${label}</button>`;
  }

  /** @param {import('../../state/reducer.js').Window} window */
  #rows(window) {
    const rows = [];
    const items = window.items.filter(({ isHidden }) => !isHidden);
    const tabStop = items.findLast((item) => !item.notice)?.seq;
    /** @type {Item | undefined} */
    let before;
    for (const item of items) {
      if (!before || !isSameDay(before.at, item.at)) rows.push(row(`day ${item.seq}`, 'day', dayOf(item.at)));
      if (window.unreadFrom === item.seq) rows.push(row('unread', 'unread', t.timeline.newMessages));
      rows.push(item.notice ? this.#notice(item) : this.#message(item, isFollowing(before, item), tabStop));
      before = item;
    }
    if (!window.hasNewer) for (const one of this.waiting) rows.push(this.#unsent(one));
    return rows;
  }

  /** @param {string | undefined} id */
  #quoted(id) {
    if (id === undefined) return undefined;
    return this.window?.items.find((one) => one.id === id) ?? this.quoted[id];
  }

  /** @param {Item} item @param {boolean} follows @param {number | undefined} tabStop */
  #message(item, follows, tabStop) {
    const { conversation, me } = this;
    const isMine = item.user === me;
    return {
      key: item.id ?? item.seq,
      html: html`
        <sv-message role="listitem" data-seq=${item.seq} tabindex=${item.seq === tabStop ? 0 : -1} .item=${item}
          .name=${nameOf(conversation, item.user, me)} .conversation=${conversation} .me=${me}
          .showsName=${!follows && !isMine && isGroup(conversation)} .isFollowing=${follows}
          .quoted=${this.#quoted(item.replyTo)} .mark=${isMine ? receivedBy(conversation, item.seq, me) : ''}>
        </sv-message>`,
    };
  }

  /** A message that the server does not have yet. @param {import('../../state/reducer.js').Waiting} waiting */
  #unsent({ id, at, content, failure }) {
    const {
      kind: _,
      reply_to: replyTo,
      ...fields
    } = /** @type {import('../../../client/content/text.js').Text} */ (content);
    const item = { ...fields, seq: Infinity, at, user: this.me, id, replyTo };
    return {
      key: id,
      html: html`
        <sv-message role="listitem" data-seq=${Infinity} tabindex="-1" .item=${item} .name=${t.common.you}
          .conversation=${this.conversation} .me=${this.me} .showsName=${false} .isFollowing=${true}
          .quoted=${this.#quoted(replyTo)} .failure=${failure} .mark=${failure ? '' : 'sending'}></sv-message>`,
    };
  }

  /** @param {Item} item */
  #notice(item) {
    const notice = /** @type {import('./notices.js').NoticeItem} */ (item);
    const { text, isLoud } = wordsOf(notice, this.conversation, this.me);
    return {
      key: item.seq,
      html: html`
        <p class="notice ${isLoud ? 'loud' : ''}" role="listitem">
          ${isLoud ? icon('alarm', 16) : nothing} ${text} <span class="unseen">${timeOf(item.at)}</span>
        </p>`,
    };
  }
}

/** @param {string} key @param {string} name @param {string} text */
function row(key, name, text) {
  return { key, html: html`<div class=${name} role="listitem">${text}</div>` };
}

/** In one block with the message before. @param {Item | undefined} before @param {Item} item */
function isFollowing(before, item) {
  if (!before || before.notice || before.user !== item.user || !isSameDay(before.at, item.at)) return false;
  return new Date(item.at).getTime() - new Date(before.at).getTime() < TOGETHER_MS;
}
customElements.define('sv-timeline', Timeline);
