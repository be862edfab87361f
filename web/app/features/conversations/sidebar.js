// @ts-check
import { css, html, nothing, repeat } from '../../../vendor/lit.js';
import { isMessage, previewOf } from '../../../client/content/index.js';
import { momentOf, wholeTimeOf } from '../../messages/format.js';
import { t } from '../../messages/index.js';
import { isGroup, nameOf, others, pictureOf, titleOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import { deviceLabel, removal } from '../linking/own-device.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';

/** @typedef {import('../../state/selectors.js').Conversation} Conversation */

const COUNT_MAX = 99;

/** The list of conversations, the latest first, with what is new in each. */
export class Sidebar extends Element {
  static properties = {
    conversations: { attribute: false },
    me: { attribute: false },
    open: {},
    typing: { attribute: false },
    drafts: { attribute: false },
    waiting: { attribute: false },
    line: {},
    isRecoveryDue: { type: Boolean },
    hasEnded: { type: Boolean },
    unconfirmed: { attribute: false },
  };
  static styles = [
    super.styles,
    css`
      :host { display: grid; grid-template: auto auto 1fr / minmax(0, 1fr); border-inline-end: 1px solid var(--line);
        background: var(--desk); }
      .head { display: flex; align-items: center; gap: 0.25rem; padding: 0.9rem 0.75rem 0.6rem 1.25rem; }
      h1 { flex: 1; font-size: 1.6rem; }
      nav { overflow-y: auto; padding: 0 0.6rem 1rem; overscroll-behavior: contain; }
      h2 { padding: 0.75rem 0.65rem 0.35rem; font: 600 var(--small) var(--face); letter-spacing: 0.02em;
        color: var(--soft); }
      ul { margin: 0; padding: 0; list-style: none; }
      .one { display: grid; grid-template-columns: auto 1fr auto; gap: 0.1rem 0.75rem; align-items: center; width: 100%;
        min-height: 4.25rem; padding: 0.55rem 0.65rem; border: 0; border-radius: 0.9rem; background: none;
        color: inherit; text-align: start; text-decoration: none; }
      .one:hover { background: var(--hover); }
      .one[aria-current="true"] { background: var(--sheet); box-shadow: inset 3px 0 0 var(--accent); }
      sv-avatar { grid-row: 1 / 3; }
      .title { font-weight: 600; align-self: end; }
      .direct { color: var(--warn); vertical-align: -0.1em; }
      .moment { align-self: end; color: var(--soft); font-size: var(--small); }
      .text { align-self: start; color: var(--soft); font-size: 0.9rem; }
      .new .title, .new .text { font-weight: 700; color: var(--ink); }
      .typing, .draft b { color: var(--accent); font-weight: 600; }
      .count { justify-self: end; align-self: start; min-width: 1.45rem; padding: 0.05rem 0.4rem; border-radius: 1rem;
        background: var(--accent); color: var(--on-accent); font-size: var(--small); font-weight: 700;
        text-align: center; }
      .card { display: grid; gap: 0.6rem; margin: 0 0.75rem 0.5rem; padding: 0.8rem 0.9rem; border-radius: 0.8rem;
        background: var(--accent-soft); font-size: var(--small); }
      .line { margin: 0 1.25rem 0.6rem; padding: 0.5rem 0.8rem; border-radius: 0.7rem; background: var(--hover);
        font-size: var(--small); color: var(--soft); }
      .line.bad { background: var(--warn-soft); color: var(--warn); }
      .nothing { padding: 1.5rem 0.65rem; color: var(--soft); }
      .ways { display: none; gap: 0.6rem; padding: 0 0.65rem; }
      @media (max-width: 44rem) { .ways { display: grid; } }
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
    this.isRecoveryDue = false;
    /** @type {import('../../../client/trust/own-devices.js').OwnDevice[]} */
    this.unconfirmed = [];
  }

  render() {
    const requests = this.conversations.filter(({ state }) => state === 'requested');
    const joined = this.conversations.filter(({ state }) => state === 'joined');
    return html`
      <div class="head">
        <h1>Sottovoce</h1>
        ${this.#button('plus', t.common.newConversation, { name: 'new' })}
        ${this.#button('settings', t.settings.title, { name: 'settings' })}
      </div>
      <div>${this.#connection()} ${this.hasEnded ? nothing : this.#cards()}</div>
      <nav aria-label=${t.conversations.label}>
        ${
          requests.length
            ? html`<h2>${t.conversations.requests}</h2>${this.#list(requests)}<h2>${t.conversations.label}</h2>`
            : nothing
        }
        ${joined.length ? this.#list(joined) : this.#empty()}
      </nav>`;
  }

  /** @param {string} name @param {string} label @param {import('../../app.js').Dialog} dialog */
  #button(name, label, dialog) {
    return html`
      <button class="icon" id=${name} aria-label=${label} title=${label} @click=${() => this.act('show', { dialog })}>
        ${icon(name)}</button>`;
  }

  #cards() {
    return html`
      ${this.unconfirmed.map((device) => this.#unconfirmed(device))} ${this.isRecoveryDue ? this.#recovery() : nothing}`;
  }

  /** The buttons are shown where the pane beside the list, which has them too, is not. */
  #empty() {
    return html`
      <p class="nothing">${t.conversations.empty}</p>
      <div class="ways">
        <button class="button main" @click=${() => this.act('show', { dialog: { name: 'new' } })}>
          ${t.conversations.start}
        </button>
        <button class="button" @click=${() => this.act('show', { dialog: { name: 'new', tab: 'invite' } })}>
          ${t.conversations.invite}
        </button>
      </div>`;
  }

  /** @param {import('../../../client/trust/own-devices.js').OwnDevice} device */
  #unconfirmed({ id, name }) {
    const label = deviceLabel(name);
    return html`
      <div class="card" role="alert" data-device=${id}>
        <p><b>${t.linking.unconfirmed(label)}</b> ${t.linking.unconfirmedText}</p>
        <div class="row">
          <button class="button" @click=${() => this.act('show', { dialog: { name: 'link-device', isWaiting: true } })}>
            ${t.linking.isMine}
          </button>
          <button class="button bad" aria-label=${t.settings.removeDevice(label)}
            @click=${() => this.act('confirm', removal(id, label))}>${t.common.remove}</button>
        </div>
      </div>`;
  }

  #recovery() {
    return html`
      <div class="card" id="recovery">
        <p><b>${t.linking.noKeyYet}</b> ${t.linking.noKeyYetText}</p>
        <div class="row">
          <button class="button" @click=${() => this.act('show', { dialog: { name: 'recovery-key' } })}>
            ${t.linking.saveRecoveryKey}
          </button>
          <button class="plain" @click=${() => this.act('postponeRecoveryKey')}><u>${t.linking.later}</u></button>
        </div>
      </div>`;
  }

  #connection() {
    if (this.hasEnded) {
      return html`
        <p class="line bad" role="status">
          ${t.sessionExpired.notice}
          <button class="plain" @click=${() => this.act('show', { dialog: { name: 'session-expired' } })}>
            <u>${t.sessionExpired.logInAgain}</u>
          </button>
        </p>`;
    }
    const isWaiting = this.waiting.some(({ content, failure }) => isMessage(content) && !failure);
    const text = isWaiting ? t.conversations.offlineWaiting : t.conversations.offline;
    return html`<div role="status">${this.line === 'offline' ? html`<p class="line">${text}</p>` : nothing}</div>`;
  }

  /** @param {Conversation[]} conversations */
  #list(conversations) {
    return html`<ul>${repeat(
      conversations,
      ({ id }) => id,
      (one) => html`<li>${this.#one(one)}</li>`,
    )}</ul>`;
  }

  /** @param {Conversation} one */
  #one(one) {
    const title = titleOf(one, this.me.id);
    const count = one.unread.length;
    const [first] = others(one, this.me.id);
    const group = isGroup(one);
    return html`
      <a class="one ${count ? 'new' : ''}" href="#c/${one.id}" aria-current=${one.id === this.open}>
        <sv-avatar ?group=${group} of=${group ? one.id : (first?.id ?? one.id)} .name=${title}
          .picture=${group ? '' : pictureOf(first)}></sv-avatar>
        <span class="title cut">${
          group ? html`<span class="unseen">${t.details.group}: </span>` : nothing
        }${title}${one.kind === 'direct' ? this.#direct() : nothing}</span>
        <span class="moment">${one.last ? this.#moment(one.last.at) : nothing}</span>
        <span class="text cut">${this.#preview(one)}</span>
        ${count ? this.#count(count) : html`<span></span>`}
      </a>`;
  }

  #direct() {
    const text = t.common.notEncrypted;
    return html` <span class="direct" title=${text}>${icon('open', 15)}<span class="unseen">, ${text}</span></span>`;
  }

  /** @param {string} at */
  #moment(at) {
    return html`<time datetime=${at} title=${wholeTimeOf(at)}>${momentOf(at)}</time>`;
  }

  /** @param {number} count */
  #count(count) {
    const shown = count > COUNT_MAX ? `${COUNT_MAX}+` : count;
    return html`
      <span class="count"><span aria-hidden="true">${shown}</span>
        <span class="unseen">${t.conversations.unread(count)}</span></span>`;
  }

  /** @param {Conversation} one */
  #preview(one) {
    const { me } = this;
    const typing = Object.keys(this.typing[one.id] ?? {}).map((user) => nameOf(one, user, me.id));
    if (typing.length) {
      const text = isGroup(one) ? t.conversations.peopleTyping(typing) : t.conversations.typing;
      return html`<span class="typing">${text}</span>`;
    }
    const draft = this.drafts[one.id];
    if (draft && one.id !== this.open) {
      return html`<span class="draft"><b>${t.conversations.draft}</b> ${draft}</span>`;
    }
    const waiting = this.waiting.findLast(
      ({ conversation, failure, content }) => conversation === one.id && !failure && isMessage(content),
    );
    const unsent = waiting && previewOf(waiting.content);
    if (unsent !== undefined) return t.conversations.youSaid(unsent);
    if (!one.isActive) return t.conversations.notMember;
    const { last } = one;
    if (!last?.text) return last?.seq && last.user ? t.conversations.messageDeleted : t.conversations.noMessages;
    const said = isGroup(one) ? t.conversations.said(nameOf(one, last.user, me.id), last.text) : last.text;
    const text = last.user === me.id ? t.conversations.youSaid(last.text) : said;
    return last.isForeign
      ? html`${icon('alarm', 15)}<span class="unseen">${t.message.unconfirmed}: </span>${text}`
      : text;
  }
}
customElements.define('sv-sidebar', Sidebar);
