// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { momentOf } from '../../messages/format.js';
import { LANGUAGES, t } from '../../messages/index.js';
import { pictureOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import '../../ui/dialog.js';
import { Element, field } from '../../ui/element.js';
import './picture-crop.js';

/**
 * @typedef {import('../../../worker/rpc.js').Settings} Values
 * @typedef {import('../../../client/transport/frames.d.ts').OwnAccount} Account
 * @typedef {import('../../../client/transport/frames.d.ts').Device} Device
 * @typedef {import('../../../client/transport/frames.d.ts').Session} Session
 * @typedef {import('../../../client/transport/frames.d.ts').User} User
 */

const PICTURES = 'image/png,image/jpeg,image/webp,image/gif';

/** The account, its devices, and how the client looks and behaves. */
export class Settings extends Element {
  static properties = {
    me: { attribute: false },
    settings: { attribute: false },
    account: { state: true },
    devices: { state: true },
    sessions: { state: true },
    blocked: { state: true },
    problem: { state: true },
    done: { state: true },
    picked: { state: true },
  };
  static styles = [
    super.styles,
    css`
      section { padding: 1.1rem 0; border-top: 1px solid var(--line); }
      section:first-of-type { border-top: 0; padding-top: 0; }
      h3 { margin-bottom: 0.75rem; }
      fieldset { margin: 0; padding: 0; border: 0; display: grid; gap: 0.25rem; }
      legend { padding: 0; font-weight: 600; margin-bottom: 0.25rem; }
      .check { display: flex; gap: 0.75rem; align-items: flex-start; min-height: var(--touch); padding: 0.4rem 0;
        font-weight: 400; }
      .check input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.15rem 0 0; accent-color: var(--accent); }
      .themes { display: flex; gap: 0 1.25rem; flex-wrap: wrap; }
      fieldset + fieldset { margin-top: 1rem; }
      fieldset ~ p, fieldset ~ h3, fieldset ~ .field { margin-top: 1rem; }
      select { max-width: 20rem; }
      form { margin-top: 0.75rem; }
      label.button:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
      summary { min-height: var(--touch); padding-block: 0.6rem; cursor: pointer; font-weight: 600; }
      .row + h3, .list + h3, details + details { margin-top: 1rem; }
      .list .grow { overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    /** @type {Values | null} */
    this.settings = null;
    /** @type {Account | null} */
    this.account = null;
    /** @type {Device[]} */
    this.devices = [];
    /** @type {Session[]} */
    this.sessions = [];
    /** @type {User[]} */
    this.blocked = [];
    this.problem = this.done = '';
    /** A picture to crop. @type {File | null} */
    this.picked = null;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#run(() => this.#load());
  }

  async #load() {
    [this.account, this.devices, this.sessions, this.blocked] = await Promise.all([
      this.ask('getAccount'),
      this.ask('listDevices'),
      this.ask('listSessions'),
      this.ask('listBlocked'),
    ]);
  }

  /**
   * Run an action; the outcome is shown at the top.
   * @param {() => Promise<unknown>} run @param {string} [done]
   * @param {string} [invalid] when the server rejects a value
   */
  async #run(run, done = '', invalid = t.unknownError) {
    this.problem = this.done = '';
    try {
      await run();
      this.done = done;
    } catch (error) {
      this.problem = errorText(error, { invalid });
    }
    if (!this.problem && !this.done) return;
    await this.updateComplete;
    this.renderRoot.querySelector('.wrong, .explained')?.scrollIntoView({ block: 'center' }); // the dialog is long
  }

  /** @param {Partial<Values>} changes */
  #change(changes) {
    this.act('changeSettings', { changes });
  }

  /**
   * @param {SubmitEvent} event @param {(valueOf: (name: string) => string) => Promise<unknown>} run
   * @param {string} [done] @param {string} [invalid]
   */
  #submit(event, run, done, invalid) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = new FormData(form);
    const submit = async () => {
      await run((name) => field(given, name));
      form.reset();
    };
    return this.#run(submit, done, invalid);
  }

  render() {
    return html`
      <sv-dialog .heading=${t.settings.title} wide>
        ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
        <p role="status" class=${this.done ? 'explained' : ''}>${this.done}</p>
        ${this.#profile()} ${this.#appearance()} ${this.#privacy()} ${this.#devices()} ${this.#account()}
      </sv-dialog>`;
  }

  // The profile

  #profile() {
    return html`
      <section>
        <h3>${this.me.username}</h3>
        ${this.picked ? this.#crop(this.picked) : this.#picture()}
        <form class="stack" id="profile" @submit=${this.#setBio}>
          <div class="field">
            <label for="bio">${t.settings.about}</label>
            <textarea id="bio" name="bio" rows="2" maxlength="2000" .defaultValue=${this.account?.bio ?? ''}></textarea>
            <span class="hint">${t.settings.aboutHint}</span>
          </div>
          <button class="button">${t.common.save}</button>
        </form>
      </section>`;
  }

  /** @param {SubmitEvent} event */
  #setBio(event) {
    const save = async (/** @type {(name: string) => string} */ field) => {
      await this.ask('setBio', { bio: field('bio') });
      await this.#load();
    };
    return this.#submit(event, save, t.common.saved, t.settings.aboutInvalid);
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
    const fail = () => Object.assign(this, { picked: null, problem: t.settings.pictureUnreadable });
    return html`
      <sv-picture-crop .file=${file} @failed=${fail}
        @cropped=${(/** @type {CustomEvent<string>} */ event) => this.#setPicture(event.detail)}></sv-picture-crop>`;
  }

  /** @param {string} image */
  async #setPicture(image) {
    this.picked = null;
    const save = async () => {
      await this.ask('setPicture', { image });
      await this.#load();
    };
    await this.#run(save, '', t.settings.pictureUnreadable);
  }

  // How it looks

  #appearance() {
    const { matchSystem, light, dark } = t.settings;
    const chosen = this.settings?.theme ?? 'system';
    const themes = /** @type {const} */ (['system', 'light', 'dark']);
    const labels = { system: matchSystem, light, dark };
    return html`
      <section>
        <fieldset>
          <legend>${t.settings.appearance}</legend>
          <div class="themes">
            ${themes.map(
              (theme) => html`
                <label class="check"><input type="radio" name="theme" value=${theme} .checked=${theme === chosen}
                  @change=${() => this.#change({ theme })}>${labels[theme]}</label>`,
            )}
          </div>
        </fieldset>
        ${this.#language()}
      </section>`;
  }

  #language() {
    const chosen = this.settings?.language ?? 'system';
    const options = { system: t.settings.languageOfSystem, ...LANGUAGES };
    const choose = (/** @type {Event} */ event) => {
      const { value } = /** @type {HTMLSelectElement} */ (event.target);
      this.#change({ language: /** @type {Values['language']} */ (value) });
    };
    return html`
      <div class="field">
        <label for="language">${t.settings.language}</label>
        <select id="language" @change=${choose}>
          ${Object.entries(options).map(
            ([value, label]) => html`
              <option value=${value} lang=${value === 'system' ? nothing : value} .selected=${value === chosen}>
                ${label}
              </option>`,
          )}
        </select>
      </div>`;
  }

  // What others see, and what this device does

  #privacy() {
    const words = t.settings;
    return html`
      <section>
        <fieldset>
          <legend>${words.privacy}</legend>
          ${this.#check('receipts', words.receipts, words.receiptsHint)}
          ${this.#check('typing', words.typing, words.typingHint)}
        </fieldset>
        <fieldset>
          <legend>${words.thisDevice}</legend>
          ${this.#check('notices', words.notifications, words.notificationsHint)}
        </fieldset>
        ${this.#blocked()}
      </section>`;
  }

  /** @param {'receipts' | 'typing' | 'notices'} name @param {string} label @param {string} hint */
  #check(name, label, hint) {
    const change = (/** @type {Event} */ event) =>
      this.#change({ [name]: /** @type {HTMLInputElement} */ (event.target).checked });
    return html`
      <label class="check"><input type="checkbox" id=${name} .checked=${this.settings?.[name] ?? false}
        @change=${change}>
        <span>${label}<br><span class="small soft">${hint}</span></span></label>`;
  }

  #blocked() {
    if (!this.blocked.length) return html`<p class="small soft" id="none-blocked">${t.settings.noneBlocked}</p>`;
    const unblock = (/** @type {string} */ user) => () =>
      this.#run(async () => {
        await this.ask('unblock', { user });
        await this.#load();
      });
    return html`
      <h3>${t.settings.blocked}</h3>
      <ul class="list" id="blocked">
        ${this.blocked.map(
          ({ id, username }) => html`
            <li><span class="grow">${username}</span>
              <button class="button" @click=${unblock(id)}>${t.settings.unblock}</button></li>`,
        )}
      </ul>`;
  }

  // Devices and sessions

  #devices() {
    const others = this.sessions.filter(({ device }) => device === null);
    return html`
      <section>
        <h3>${t.settings.devices}</h3>
        <p class="small soft">${t.settings.devicesHint}</p>
        <ul class="list" id="devices">${this.devices.map((device) => this.#device(device))}</ul>
        ${others.length ? this.#sessions(others) : nothing}
        ${this.#passwordForm()}
      </section>`;
  }

  /** @param {Device} device */
  #device({ id, name, created_at: at }) {
    const isThis = id === this.me.device;
    const label = deviceLabel(name);
    const remove = () => this.act('confirm', removal(id, label));
    return html`
      <li>
        <span class="grow">${label}<br><span class="small soft">
          ${isThis ? t.settings.isThisDevice : t.settings.addedOn(momentOf(at))}</span></span>
        ${
          isThis
            ? nothing
            : html`<button class="button bad" aria-label=${t.settings.removeDevice(label)} @click=${remove}>
              ${t.common.remove}
            </button>`
        }
      </li>`;
  }

  /** @param {Session[]} sessions */
  #sessions(sessions) {
    const end = (/** @type {string} */ id) => () =>
      this.#run(async () => {
        await this.ask('endSession', { id });
        await this.#load();
      });
    return html`
      <h3>${t.settings.sessions}</h3>
      <ul class="list" id="sessions">
        ${sessions.map(
          ({ id, created_at: at }) => html`
            <li><span class="grow">${t.settings.session(momentOf(at))}</span>
              <button class="button" @click=${end(id)}>${t.settings.endSession}</button></li>`,
        )}
      </ul>`;
  }

  #passwordForm() {
    const words = t.settings;
    const save = (/** @type {(name: string) => string} */ field) =>
      this.ask('setPassword', { password: field('password'), fresh: field('fresh') });
    const submit = (/** @type {SubmitEvent} */ event) =>
      this.#submit(event, save, words.passwordChanged, words.passwordInvalid);
    return html`
      <details>
        <summary>${words.changePassword}</summary>
        <form class="stack" id="change-password" @submit=${submit}>
          ${this.#nameForPasswordManagers()}
          <div class="field">
            <label for="old">${words.currentPassword}</label>
            <input id="old" name="password" type="password" required autocomplete="current-password">
          </div>
          <div class="field">
            <label for="fresh">${words.newPassword}</label>
            <input id="fresh" name="fresh" type="password" required minlength="8" autocomplete="new-password">
          </div>
          <button class="button">${words.savePassword}</button>
        </form>
      </details>`;
  }

  #nameForPasswordManagers() {
    return html`
      <input class="unseen" name="name" autocomplete="username" .value=${this.me.username} tabindex="-1"
        aria-hidden="true">`;
  }

  // The end of this device, or of the account

  #account() {
    const deleteAccount = (/** @type {(name: string) => string} */ field) =>
      this.ask('deleteAccount', { password: field('password') });
    return html`
      <section class="stack">
        <div class="row">
          <button class="button" id="log-out" @click=${() => this.act('confirm', loggingOut())}>
            ${t.common.logOut}
          </button>
        </div>
        <details>
          <summary>${t.settings.deleteAccount}</summary>
          <form class="stack" id="delete-account"
            @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event, deleteAccount)}>
            <p>${t.settings.deleteAccountText}</p>
            ${this.#nameForPasswordManagers()}
            <div class="field">
              <label for="last">${t.common.password}</label>
              <input id="last" name="password" type="password" required autocomplete="current-password">
            </div>
            <button class="button bad">${t.settings.deleteAccountAction}</button>
          </form>
        </details>
      </section>`;
  }
}

/** Devices name themselves in English, e.g. "Firefox on Linux". @param {string} name */
function deviceLabel(name) {
  const [, browser, system] = /^(\w+) on (\w+)$/.exec(name) ?? [];
  return browser && system ? t.settings.deviceName(browser, system) : name;
}

/** @param {string} id @param {string} name @returns {import('../../ui/confirm.js').Question} */
function removal(id, name) {
  return {
    heading: t.settings.removeDeviceTitle(name),
    text: t.settings.removeDeviceText,
    label: t.common.remove,
    then: { action: 'revokeDevice', detail: { id } },
  };
}

/** @returns {import('../../ui/confirm.js').Question} */
function loggingOut() {
  return {
    heading: t.settings.logOutTitle,
    text: t.settings.logOutText,
    label: t.common.logOut,
    then: { action: 'logOut' },
  };
}
customElements.define('sv-settings', Settings);
