// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText, failure } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { pictureOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import '../../ui/dialog.js';
import { Element, UNSET } from '../../ui/element.js';

/** The picture of a person and what they wrote about themselves. */
export class Profile extends Element {
  static properties = { person: { attribute: false }, bio: { state: true }, problem: { state: true } };
  static styles = [
    super.styles,
    css`
      sv-avatar { margin: 0 auto; }
      .bio { white-space: pre-wrap; overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../../state/selectors.js').Person} */
    this.person = UNSET;
    /** Null until it is loaded. @type {string | null} */
    this.bio = null;
    this.problem = '';
  }

  firstUpdated() {
    void this.#load();
  }

  async #load() {
    try {
      const { id, bio } = await this.ask('findUser', { name: this.person.username });
      if (id !== this.person.id) throw failure('no_such_user'); // another person has this name now
      this.bio = bio ?? '';
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  render() {
    const { person } = this;
    return html`
      <sv-dialog .heading=${person.name}>
        <div class="stack">
          <sv-avatar size="160" of=${person.id} .name=${person.username} .picture=${pictureOf(person)}></sv-avatar>
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          ${this.bio === null ? nothing : this.#bio(this.bio)}
        </div>
      </sv-dialog>`;
  }

  /** @param {string} bio */
  #bio(bio) {
    if (bio) return html`<p class="bio">${bio}</p>`;
    return html`<p class="soft">${t.details.noBio(this.person.name)}</p>`;
  }
}
customElements.define('sv-profile', Profile);
