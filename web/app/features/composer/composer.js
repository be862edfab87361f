// @ts-check
import { css, html, live, nothing } from '../../../vendor/lit.js';
import { t } from '../../messages/index.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../emoji/emoji.js';

const MAX_CHARS = 20_000;
const TYPING_MS = 3000; // a typing event is sent at most this often

/** The field for a message: Enter sends, Shift+Enter is a new line; on phones only the button sends. */
export class Composer extends Element {
  static properties = {
    conversation: {},
    draft: {},
    placeholder: {},
    about: { attribute: false },
    name: {},
    picking: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { display: block; border-top: 1px solid var(--line);
        padding: 0.6rem clamp(0.6rem, 2vw, 1.25rem) max(0.8rem, env(safe-area-inset-bottom)); }
      form { position: relative; display: flex; align-items: flex-end; gap: 0.35rem; max-width: 50rem;
        margin: 0 auto; }
      .box { flex: 1; display: grid; grid-template-columns: minmax(0, 1fr); min-width: 0;
        border: 1px solid var(--edge); border-radius: 1.35rem; background: var(--sheet); }
      .box:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
      textarea { width: 100%; min-width: 0; margin: 0; max-height: 40dvh; padding: 0.6rem 1rem; border: 0;
        border-radius: inherit; background: none; resize: none; field-sizing: content; line-height: 1.4; }
      textarea:focus-visible { outline: none; }
      .about { display: flex; align-items: center; gap: 0.5rem; margin: 0.4rem 0.4rem 0;
        padding: 0.15rem 0 0.15rem 0.75rem; border-inline-start: 3px solid var(--accent); font-size: var(--small); }
      .about b { color: var(--accent); }
      .about .icon { width: 2rem; height: 2rem; }
      .send { background: var(--accent); color: var(--on-accent); }
      .send:hover:not(:disabled) { background: var(--accent); color: var(--on-accent); filter: brightness(1.15); }
      .send:disabled { background: var(--hover); color: var(--soft); }
      sv-emoji { position: absolute; bottom: calc(100% + 0.6rem); inset-inline-start: 0; z-index: 2; }
    `,
  ];

  #typedAt = 0;

  constructor() {
    super();
    this.conversation = this.draft = '';
    this.placeholder = '';
    /** The author of the message that is replied to; empty: ourselves. */
    this.name = '';
    /** @type {{ what: 'reply' | 'edit', item: import('../../state/reducer.js').Item } | null} */
    this.about = null;
    this.picking = false;
  }

  get #field() {
    return /** @type {HTMLTextAreaElement} */ (this.renderRoot.querySelector('textarea'));
  }

  /** @param {import('../../../vendor/lit.js').PropertyValues<Composer>} changed */
  updated(changed) {
    if (changed.has('about') && this.about) {
      if (changed.get('about')?.what === 'edit') this.#write(this.draft);
      if (this.about.what === 'edit') this.#write(this.about.item.text ?? '');
      this.#field.focus();
    }
    if (changed.has('conversation')) {
      this.#write(this.draft);
      this.picking = false;
      if (matchMedia('(hover: hover)').matches) this.#field.focus();
    }
  }

  /** @param {string} text */
  #write(text) {
    this.#field.value = text;
    this.requestUpdate();
  }

  #onInput() {
    const { value } = this.#field;
    this.requestUpdate();
    if (this.about?.what !== 'edit') this.act('saveDraft', { conversation: this.conversation, text: value });
    if (value && Date.now() - this.#typedAt > TYPING_MS) {
      this.#typedAt = Date.now();
      this.act('sendTyping', { conversation: this.conversation });
    }
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const isTouch = matchMedia('(hover: none)').matches;
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && !isTouch) {
      event.preventDefault();
      this.#send();
    } else if (event.key === 'Escape' && this.about) {
      event.preventDefault();
      this.#cancel();
    } else if (event.key === 'ArrowUp' && !this.#field.value) {
      event.preventDefault();
      this.dispatchEvent(new Event('last'));
    }
  }

  /** @param {Event} [event] */
  #send(event) {
    event?.preventDefault();
    const text = this.#field.value.trim();
    if (!text) return;
    const { about, conversation } = this;
    if (about?.what === 'edit') {
      if (text !== about.item.text) this.act('editMessage', { conversation, of: about.item.id ?? '', text });
    } else {
      this.act('sendMessage', { conversation, text, replyTo: about?.item.id });
    }
    this.#typedAt = 0;
    this.#end();
  }

  /** The text of a reply stays, as a message that is no reply. */
  #cancel() {
    if (this.about?.what === 'edit') return this.#end();
    this.dispatchEvent(new Event('done'));
    this.#field.focus();
  }

  #end() {
    const draft = this.about?.what === 'edit' ? this.draft : '';
    this.#write(draft);
    if (!draft) this.act('saveDraft', { conversation: this.conversation, text: '' });
    this.dispatchEvent(new Event('done'));
    this.#field.focus();
  }

  /** @param {CustomEvent<string>} event */
  #onEmoji({ detail }) {
    const field = this.#field;
    field.setRangeText(detail, field.selectionStart, field.selectionEnd, 'end');
    this.picking = false;
    field.focus();
    this.#onInput();
  }

  render() {
    const isEditing = this.about?.what === 'edit';
    const isEmpty = !(this.hasUpdated ? this.#field.value : this.draft).trim();
    return html`
      <form @submit=${this.#send}>
        ${
          this.picking
            ? html`<sv-emoji @emoji=${this.#onEmoji} @closed=${() => (this.picking = false)}></sv-emoji>`
            : nothing
        }
        <button type="button" class="icon" id="emoji" aria-label=${t.composer.emoji} aria-expanded=${this.picking}
          @click=${() => (this.picking = !this.picking)}>${icon('smile')}</button>
        <div class="box">
          ${this.about ? this.#about(this.about.item.text ?? '', isEditing) : nothing}
          <textarea rows="1" aria-label=${t.common.message} placeholder=${this.placeholder} maxlength=${MAX_CHARS}
            enterkeyhint="enter" @input=${this.#onInput} @keydown=${this.#onKey}></textarea>
        </div>
        <button class="icon send" id="send" aria-label=${isEditing ? t.common.save : t.composer.send}
          ?disabled=${live(isEmpty)}>${icon('send')}</button>
      </form>`;
  }

  /** The message that is replied to or edited. @param {string} text @param {boolean} isEditing */
  #about(text, isEditing) {
    const reply = this.name ? t.composer.replyingTo(this.name) : t.composer.replyingToYourself;
    const cancel = isEditing ? t.composer.cancelEdit : t.composer.cancelReply;
    return html`
      <div class="about">
        <span class="grow cut"><b>${isEditing ? t.composer.editing : reply}</b> ${text}</span>
        <button type="button" class="icon" id="cancel" aria-label=${cancel} title=${cancel} @click=${this.#cancel}>
          ${icon('close', 18)}</button>
      </div>`;
  }
}
customElements.define('sv-composer', Composer);
