// @ts-check
import { html } from '../../../vendor/lit.js';
import { failure } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { pictureOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import './picture-crop.js';
import { Section } from './section.js';

const PICTURES = 'image/png,image/jpeg,image/webp,image/gif';

/** What the account shows to others: its picture and the text about it. */
export class Profile extends Section {
  static properties = {
    me: { attribute: false },
    account: { attribute: false },
    picked: { state: true },
  };

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    /** @type {import('./section.js').Account | null} */
    this.account = null;
    /** @type {File | null} */
    this.picked = null;
  }

  render() {
    return html`
        <h3>${this.me.username}</h3>
        ${this.picked ? this.#crop(this.picked) : this.#picture()}
        <form class="stack" id="profile" @submit=${this.#setBio}>
          <div class="field">
            <label for="bio">${t.settings.about}</label>
            <textarea id="bio" name="bio" rows="2" maxlength="2000" .defaultValue=${this.account?.bio ?? ''}></textarea>
            <span class="hint">${t.settings.aboutHint}</span>
          </div>
          <button class="button">${t.common.save}</button>
        </form>`;
  }

  /** @param {SubmitEvent} event */
  #setBio(event) {
    const save = (/** @type {(name: string) => string} */ field) => this.ask('setBio', { bio: field('bio') });
    this.submit(event, save, { done: t.common.saved, invalid: t.settings.aboutInvalid });
  }

  #picture() {
    const { id, username } = this.me;
    const picture = pictureOf(this.account ? { ...this.account, username } : undefined);
    const pick = (/** @type {Event} */ event) => {
      this.picked = /** @type {HTMLInputElement} */ (event.target).files?.[0] ?? null;
    };
    return html`
      <div class="row">
        <sv-avatar size="72" of=${id} .name=${username} .picture=${picture}></sv-avatar>
        <label class="button">${t.settings.choosePicture}<input class="unseen" id="picture" type="file"
          accept=${PICTURES} @change=${pick}></label>
      </div>`;
  }

  /** @param {File} file */
  #crop(file) {
    const fail = () => {
      this.picked = null;
      this.attempt(() => Promise.reject(failure('unreadable_picture')));
    };
    return html`
      <sv-picture-crop .file=${file} @failed=${fail}
        @cropped=${(/** @type {CustomEvent<string>} */ event) => this.#setPicture(event.detail)}></sv-picture-crop>`;
  }

  /** @param {string} image */
  #setPicture(image) {
    this.picked = null;
    this.attempt(() => this.ask('setPicture', { image }), { invalid: t.errors.unreadable_picture });
  }
}
customElements.define('sv-settings-profile', Profile);
