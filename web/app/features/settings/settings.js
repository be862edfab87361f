// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { momentOf } from '../../format.js';
import { sentenceFor } from '../../words.js';
import '../../ui/avatar.js';
import '../../ui/dialog.js';
import { Element } from '../../ui/element.js';
import './picture-crop.js';

/** @typedef {{ id: string, username: string, email: string | null, bio: string | null, picture?: string | null }} Account */

/** One's account, this device, and how it all looks and behaves. */
export class Settings extends Element {
  static properties = {
    me: { attribute: false }, settings: { attribute: false }, account: { state: true }, devices: { state: true }, sessions: { state: true },
    blocked: { state: true }, problem: { state: true }, done: { state: true }, picked: { state: true },
  }; // prettier-ignore
  static styles = [
    super.styles,
    css`
      section { padding: 1.1rem 0; border-top: 1px solid var(--line); }
      section:first-of-type { border-top: 0; padding-top: 0; }
      h3 { margin-bottom: 0.75rem; }
      fieldset { margin: 0; padding: 0; border: 0; display: grid; gap: 0.25rem; }
      legend { padding: 0; font-weight: 600; margin-bottom: 0.25rem; }
      .check { display: flex; gap: 0.75rem; align-items: flex-start; min-height: var(--touch); padding: 0.4rem 0; font-weight: 400; }
      .check input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.15rem 0 0; accent-color: var(--accent); }
      .themes { display: flex; gap: 0 1.25rem; flex-wrap: wrap; }
      fieldset + fieldset { margin-top: 1rem; }
      fieldset ~ p, fieldset ~ h3 { margin-top: 1rem; }
      form { margin-top: 0.75rem; }
      label.button:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
      summary { min-height: var(--touch); padding-block: 0.6rem; cursor: pointer; font-weight: 600; }
      .row + h3, .list + h3, details + details { margin-top: 1rem; }
    `,
  ];

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    /** @type {import('../../state/reducer.js').Settings | null} */
    this.settings = null;
    /** @type {Account | null} */
    this.account = null;
    /** @type {{ id: string, name: string, created_at: string }[]} */
    this.devices = [];
    /** @type {{ id: string, created_at: string, device: string | null, current: boolean }[]} */
    this.sessions = [];
    /** @type {{ id: string, username: string }[]} */
    this.blocked = [];
    this.problem = this.done = '';
    /** @type {File | null} */
    this.picked = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#load();
  }

  async #load() {
    await this.#do(async () => {
      [this.account, this.devices, this.sessions, this.blocked] = await Promise.all([
        this.ask('account'),
        this.ask('devices'),
        this.ask('sessions'),
        this.ask('blocked'),
      ]);
    });
  }

  /** @param {() => Promise<unknown>} work @param {string} [done] */
  async #do(work, done = '') {
    this.problem = this.done = '';
    try {
      await work();
      this.done = done;
    } catch (error) {
      this.problem = sentenceFor(error);
    }
    if (!this.problem && !this.done) return;
    await this.updateComplete;
    this.renderRoot.querySelector('.wrong, .explained')?.scrollIntoView({ block: 'center' }); // the dialog is long
  }

  /** @param {string} intent @param {object} detail */
  #change(intent, detail) {
    return this.#do(async () => {
      await this.ask(intent, detail);
      await this.#load();
    });
  }

  /** @param {string} name @param {string} label @param {string} hint */
  #check(name, label, hint) {
    return html`<label class="check"><input type="checkbox" .checked=${/** @type {any} */ (this.settings)?.[name] ?? false}
      @change=${(/** @type {any} */ event) => this.want('settle', { changes: { [name]: event.target.checked } })}>
      <span>${label}<br><span class="small soft">${hint}</span></span></label>`;
  }

  /** @param {SubmitEvent} event @param {(given: Record<string, string>) => Promise<unknown>} work @param {string} done */
  #submit(event, work, done) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
    return this.#do(async () => {
      await work(given);
      form.reset();
    }, done);
  }

  render() {
    return html`
      <sv-dialog heading="Settings" wide>
        ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
        <p role="status" class=${this.done ? 'explained' : ''}>${this.done}</p>
        ${this.#profile()} ${this.#look()} ${this.#privacy()} ${this.#devices()} ${this.#end()}
      </sv-dialog>`;
  }

  #profile() {
    const { me, account } = this;
    const picture = account?.picture ? `/v2/users/${encodeURIComponent(me.username)}/picture?v=${account.picture}` : '';
    return html`<section><h3>${me.username}</h3>
      ${this.picked
        ? html`<sv-picture .file=${this.picked} @cropped=${(/** @type {CustomEvent} */ event) => this.#setPicture(event.detail)} @failed=${() => Object.assign(this, { picked: null, problem: 'This picture cannot be read. Try a PNG or a JPEG.' })}></sv-picture>`
        : html`<div class="row"><sv-avatar size="72" of=${me.id} .name=${me.username} .picture=${picture}></sv-avatar>
            <label class="button">Choose a picture<input class="unseen" type="file" accept="image/png,image/jpeg,image/webp,image/gif"
              @change=${(/** @type {any} */ event) => (this.picked = event.target.files[0] ?? null)}></label></div>`}
      <form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event, ({ bio }) => this.ask('setBio', { bio }).then(() => this.#load()), 'Saved.')}>
        <div class="field"><label for="bio">About you</label><textarea id="bio" name="bio" rows="2" maxlength="2000" .defaultValue=${account?.bio ?? ''}></textarea>
          <span class="hint">Everybody who knows your name can read this, and so can the server.</span></div>
        <button class="button">Save</button></form></section>`;
  }

  /** @param {string} image */
  async #setPicture(image) {
    this.picked = null;
    await this.#change('setPicture', { image });
  }

  #look() {
    const chosen = this.settings?.theme ?? 'system';
    return html`<section><fieldset><legend>Look</legend><div class="themes">
      ${/** @type {const} */ ([['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']]).map(
        ([theme, label]) => html`<label class="check"><input type="radio" name="theme" .checked=${theme === chosen} @change=${() => this.want('settle', { changes: { theme } })}>${label}</label>`,
      )}</div></fieldset></section>`;
  }

  #privacy() {
    return html`<section><fieldset><legend>What others see</legend>
      ${this.#check('receipts', 'Tell what I have received and read', 'In conversations with up to 16 people.')}
      ${this.#check('typing', 'Show when I am typing', 'Only to those who have the conversation open right now.')}
      </fieldset>
      <fieldset><legend>On this device</legend>${this.#check('notices', 'Show notifications while Sottovoce is open', 'They say from whom, and not what.')}</fieldset>
      ${this.blocked.length
        ? html`<h3>Blocked</h3><ul class="list">${this.blocked.map(({ id, username }) => html`<li><span class="grow">${username}</span><button class="button" @click=${() => this.#change('unblock', { user: id })}>Unblock</button></li>`)}</ul>`
        : html`<p class="small soft">You have blocked nobody.</p>`}
    </section>`;
  }

  #devices() {
    const removal = { text: 'It is logged out, and reads nothing that is said from then on. What it has stays on it.', action: 'Remove' };
    const browsers = this.sessions.filter(({ device }) => device === null);
    return html`<section><h3>Your devices</h3>
      <p class="small soft">Each has keys of its own and reads what is said to you. Remove one that you have lost; its conversations go on without it.</p>
      <ul class="list">${this.devices.map(
        ({ id, name, created_at: at }) => html`<li><span class="grow">${name}<br><span class="small soft">${id === this.me.device ? 'this device' : `since ${momentOf(at)}`}</span></span>
          ${id === this.me.device ? nothing : html`<button class="button bad" aria-label="Remove ${name}" @click=${() => this.want('confirm', { ...removal, heading: `Remove “${name}”?`, then: { intent: 'revokeDevice', id } })}>Remove</button>`}</li>`,
      )}</ul>
      ${browsers.length
        ? html`<h3>Other sessions</h3><ul class="list">${browsers.map(({ id, created_at: at }) => html`<li><span class="grow">A session without keys, since ${momentOf(at)}</span><button class="button" @click=${() => this.#change('endSession', { id })}>End</button></li>`)}</ul>`
        : nothing}
      <details><summary>Change the password</summary>
        <form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event, ({ password, fresh }) => this.ask('setPassword', { password, fresh }), 'Your password is changed. Other sessions have ended.')}>
          <input class="unseen" name="name" autocomplete="username" .value=${this.me.username} tabindex="-1" aria-hidden="true">
          <div class="field"><label for="old">Current password</label><input id="old" name="password" type="password" required autocomplete="current-password"></div>
          <div class="field"><label for="fresh">New password</label><input id="fresh" name="fresh" type="password" required minlength="8" autocomplete="new-password"></div>
          <button class="button">Change it</button></form></details></section>`;
  }

  #end() {
    const logOut = { heading: 'Log out?', text: 'This device forgets everything: its keys, and every message on it. Nothing can be read here afterwards, and what is only here is lost. Without a connection it stays in your list of devices until you remove it there.', action: 'Log out', then: { intent: 'logOut' } };
    return html`<section class="stack"><div class="row"><button class="button" @click=${() => this.want('confirm', logOut)}>Log out of this device</button></div>
      <details><summary>Delete the account</summary>
        <form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event, ({ password }) => this.ask('deleteAccount', { password }), '')}>
          <p>Your name, devices and messages go from the server, for ever. What others have received stays with them.</p>
          <input class="unseen" name="name" autocomplete="username" .value=${this.me.username} tabindex="-1" aria-hidden="true"><div class="field"><label for="last">Password</label><input id="last" name="password" type="password" required autocomplete="current-password"></div>
          <button class="button bad">Delete my account</button></form></details></section>`;
  }
}
customElements.define('sv-settings', Settings);
