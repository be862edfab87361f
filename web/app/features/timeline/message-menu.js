// @ts-check
/** What can be done with a message: its menu, the reactions in it, and the picker for other emoji. */
import { css, html, nothing } from '../../../vendor/lit.js';
import { t } from '../../messages/index.js';
import { Element, UNSET } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../../ui/menu.js';
import '../emoji/emoji.js';

/**
 * @typedef {import('../../state/reducer.js').Item} Item
 * @typedef {import('../../ui/menu.js').Choice} Choice
 * @typedef {import('../../ui/menu.js').Menu} Menu
 */

const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

export class MessageMenu extends Element {
  static properties = {
    conversation: { attribute: false },
    me: {},
    chosen: { state: true },
    picking: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { display: contents; }
      .quick { display: flex; gap: 0.15rem; padding: 0 0.2rem 0.35rem; margin-bottom: 0.35rem;
        border-bottom: 1px solid var(--line); }
      .quick button { width: 2.5rem; height: 2.5rem; padding: 0; border: 0; border-radius: 50%; background: none;
        font-size: 1.35rem; }
      .quick button:hover, .quick button:focus-visible, .quick [aria-checked=true] { background: var(--hover); }
      .picker { position: absolute; inset: auto auto 1rem 50%; translate: -50%; z-index: 3; }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../../state/reducer.js').Conversation} */
    this.conversation = UNSET;
    this.me = '';
    /** The message whose menu is open. @type {Item | null} */
    this.chosen = null;
    /** The message that an emoji is picked for. @type {Item | null} */
    this.picking = null;
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<MessageMenu>} changed */
  willUpdate(changed) {
    if (changed.has('conversation') && changed.get('conversation')?.id !== this.conversation.id) {
      this.chosen = this.picking = null;
    }
  }

  get #menu() {
    return /** @type {Menu} */ (this.renderRoot.querySelector('sv-menu'));
  }

  /** @param {Item} item @param {HTMLElement} opener @param {{ x: number, y: number }} [at] */
  async openFor(item, opener, at) {
    this.chosen = item;
    await this.updateComplete;
    await this.#menu.openAt(opener, at);
  }

  render() {
    const { chosen, picking } = this;
    return html`
      <sv-menu .label=${t.timeline.actions} .choices=${chosen ? this.#choices(chosen) : []}>${this.#quick()}</sv-menu>
      ${
        picking
          ? html`<sv-emoji class="picker" @closed=${() => (this.picking = null)}
            @emoji=${(/** @type {CustomEvent<string>} */ event) => this.#react(picking, event.detail)}></sv-emoji>`
          : nothing
      }`;
  }

  /** Reactions, replies and edits are possible. @param {Item} item */
  #isOpenFor(item) {
    return this.conversation.isActive && this.conversation.state === 'joined' && item.id !== undefined;
  }

  /** @param {Item} item @returns {Choice[]} */
  #choices(item) {
    const { id, kind } = this.conversation;
    const isOpen = this.#isOpenFor(item);
    const isMine = isOpen && item.user === this.me;
    /** @type {(Choice | false)[]} */
    const choices = [
      isOpen &&
        kind !== 'direct' && {
          perform: () => this.#begin('reply', item),
          label: t.timeline.reply,
          icon: 'reply',
        },
      isMine &&
        item.text !== undefined && { perform: () => this.#begin('edit', item), label: t.timeline.edit, icon: 'edit' },
      item.replyTo !== undefined && {
        action: 'showMessage',
        detail: { conversation: id, id: item.replyTo },
        label: t.timeline.goToOriginal,
        icon: 'back',
      },
      item.text !== undefined && { action: 'copy', detail: { text: item.text }, label: t.common.copy, icon: 'copy' },
      { action: 'confirm', detail: deleteForMe(id, item), label: t.timeline.deleteForMe, icon: 'bin' },
      isMine && {
        action: 'confirm',
        detail: deleteForEveryone(id, item),
        label: t.timeline.deleteForEveryone,
        icon: 'bin',
        isBad: true,
      },
    ];
    return choices.filter((choice) => choice !== false);
  }

  /** The conversation shows it in the composer. @param {'reply' | 'edit'} what @param {Item} item */
  #begin(what, item) {
    this.dispatchEvent(new CustomEvent('about', { bubbles: true, composed: true, detail: { what, item } }));
  }

  /** @param {Item} item @param {string} emoji */
  #react(item, emoji) {
    const mine = item.reactions?.[this.me]?.emoji;
    const detail = { conversation: this.conversation.id, of: item.id ?? '', emoji: mine === emoji ? '' : emoji };
    this.act('react', detail);
    this.picking = null;
    this.#menu.close();
  }

  /** The reactions in the menu. */
  #quick() {
    const item = this.chosen;
    if (!item || this.conversation.kind === 'direct' || !this.#isOpenFor(item)) return nothing;
    const mine = item.reactions?.[this.me]?.emoji;
    return html`
      <div class="quick" role="group" aria-label=${t.timeline.react}>
        ${QUICK.map(
          (one) => html`
            <button role="menuitemradio" tabindex="-1" aria-checked=${mine === one}
              aria-label=${t.timeline.reactWith(one)} @click=${() => this.#react(item, one)}>${one}</button>`,
        )}
        <button role="menuitem" tabindex="-1" aria-label=${t.timeline.moreEmoji} @click=${() => this.#pick(item)}>
          ${icon('plus', 20)}</button>
      </div>`;
  }

  /** @param {Item} item */
  #pick(item) {
    this.#menu.close();
    this.picking = item;
  }
}

/** @param {string} conversation @param {Item} item @returns {import('../../ui/confirm.js').Question} */
function deleteForMe(conversation, { seq }) {
  return {
    heading: t.timeline.deleteForMeTitle,
    text: t.timeline.deleteForMeText,
    label: t.timeline.deleteForMe,
    then: { action: 'deleteForMe', detail: { conversation, seq } },
  };
}

/** @param {string} conversation @param {Item} item @returns {import('../../ui/confirm.js').Question} */
function deleteForEveryone(conversation, { seq }) {
  return {
    heading: t.timeline.deleteForEveryoneTitle,
    text: t.timeline.deleteForEveryoneText,
    label: t.timeline.deleteForEveryone,
    then: { action: 'deleteForEveryone', detail: { conversation, seq } },
  };
}
customElements.define('sv-message-menu', MessageMenu);
