// @ts-check
import { css, html, nothing } from '../../vendor/lit.js';
import { sentenceFor } from '../words.js';
import './avatar.js';
import './dialog.js';
import { Element } from './element.js';
import { pictureOf } from './sidebar.js';

/** What somebody shows of themselves. */
export class About extends Element {
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
    /** @type {import('../../client/conversations/reducer.js').Person} */
    this.person = /** @type {any} */ (undefined);
    /** @type {string | null} */
    this.bio = null;
    this.problem = '';
  }

  async firstUpdated() {
    try {
      const { id, bio } = await this.ask('find', { name: this.person.username });
      if (id !== this.person.id) throw Object.assign(new Error(), { code: 'no_such_user' }); // somebody else has the name now
      this.bio = bio ?? '';
    } catch (error) {
      this.problem = sentenceFor(error);
    }
  }

  render() {
    const { person, bio } = this;
    return html`<sv-dialog .heading=${person.username}><div class="stack">
      <sv-avatar size="160" of=${person.id} .name=${person.username} .picture=${pictureOf(person)}></sv-avatar>
      ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
      ${bio === null ? nothing : bio ? html`<p class="bio">${bio}</p>` : html`<p class="soft">${person.username} says nothing here.</p>`}
    </div></sv-dialog>`;
  }
}
customElements.define('sv-about', About);
