// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import '../../ui/dialog.js';
import { Element, field } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import './share-codes.js';

/** @typedef {'name' | 'group' | 'code' | 'invite'} Tab */

/** @type {Tab[]} */
const TABS = ['name', 'group', 'code', 'invite'];

/** Start a conversation: by username, as a group, by a code, or by inviting someone to the server. */
export class NewConversation extends Element {
  static properties = {
    me: {},
    code: {},
    tab: {},
    hasNoLimit: { state: true },
    names: { state: true },
    unencrypted: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  };
  static styles = [
    super.styles,
    css`
      [role=tablist] { display: flex; gap: 0.25rem; margin-bottom: 1.25rem; padding: 0.25rem; border-radius: 1rem;
        background: var(--desk); }
      [role=tab] { flex: 1 1 auto; min-width: 0; min-height: var(--touch); padding: 0 0.25rem; border: 0;
        border-radius: 0.8rem; background: none; font-weight: 600; overflow-wrap: anywhere; }
      [aria-selected=true] { background: var(--sheet); box-shadow: 0 1px 3px var(--shade); }
      .names { display: flex; flex-wrap: wrap; gap: 0.4rem; }
      .names button { display: inline-flex; align-items: center; gap: 0.3rem; min-height: 2.25rem;
        padding: 0 0.6rem 0 0.9rem; border: 0; border-radius: 2rem; background: var(--accent-soft); }
      hr { width: 100%; border: 0; border-top: 1px solid var(--line); }
      .adding { display: flex; gap: 0.5rem; align-items: end; }
    `,
  ];

  constructor() {
    super();
    this.me = this.code = this.problem = '';
    /** @type {Tab} */
    this.tab = 'name';
    /** Admins can create any number of invites. */
    this.hasNoLimit = false;
    /** @type {string[]} */
    this.names = [];
    /** The name of a person who has no device with end-to-end encryption. @type {string | null} */
    this.unencrypted = null;
    this.isBusy = false;
  }

  firstUpdated() {
    void this.#loadLimit();
  }

  async #loadLimit() {
    const { role } = await this.ask('getAccount').catch(() => ({ role: '' }));
    this.hasNoLimit = role === 'admin' || role === 'tester';
  }

  /**
   * Run an action; a problem is shown.
   * @template R @param {() => Promise<R>} run @param {string} [name] @returns {Promise<R | undefined>}
   */
  async #run(run, name) {
    this.problem = '';
    this.unencrypted = null;
    this.isBusy = true;
    try {
      return await run();
    } catch (error) {
      const hasNoDevice = /** @type {{ code?: string }} */ (error).code === 'has_no_device';
      this.unencrypted = hasNoDevice && name ? name : null;
      this.problem = errorText(error, { invalid: t.errors.no_such_user });
      return undefined;
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {SubmitEvent} event */
  #startByName(event) {
    const name = fieldOf(event, 'name');
    return this.#run(() => this.ask('startConversation', { names: [name] }), name);
  }

  /** @param {SubmitEvent} event */
  #startGroup(event) {
    const title = fieldOf(event, 'title');
    if (!this.names.length) this.problem = t.newConversation.noMembers;
    else void this.#run(() => this.ask('startConversation', { names: this.names, title }));
  }

  /** @param {SubmitEvent} event */
  #startByCode(event) {
    const code = Number(fieldOf(event, 'code'));
    return this.#run(() => this.ask('startByCode', { code }));
  }

  async #addName() {
    const field = /** @type {HTMLInputElement} */ (this.renderRoot.querySelector('#member'));
    const name = field.value.trim();
    if (!name) return;
    const found = await this.#run(() => this.ask('findUser', { name }));
    if (found?.id === this.me) this.problem = t.newConversation.youAreMember;
    else if (found && !this.names.includes(found.username)) this.names = [...this.names, found.username];
    if (found) field.value = '';
    field.focus();
  }

  /** @param {KeyboardEvent} event */
  #onMemberKey(event) {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    void this.#addName();
  }

  /** @param {KeyboardEvent} event */
  async #onTabKey({ key }) {
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    if (!(key in steps)) return;
    const step = steps[/** @type {keyof typeof steps} */ (key)];
    this.tab = TABS[(TABS.indexOf(this.tab) + step + TABS.length) % TABS.length];
    await this.updateComplete;
    /** @type {HTMLElement} */ (this.renderRoot.querySelector('[aria-selected=true]')).focus();
  }

  render() {
    const { byName, group, byCode, invite, ways } = t.newConversation;
    const labels = { name: byName, group, code: byCode, invite };
    return html`
      <sv-dialog .heading=${t.common.newConversation}>
        <div role="tablist" aria-label=${ways}>${TABS.map((tab) => this.#tab(tab, labels[tab]))}</div>
        <div id="panel" role="tabpanel" aria-labelledby="tab-${this.tab}" class="stack">
          ${this.problem && !this.unencrypted ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          ${this.#panel()}
        </div>
      </sv-dialog>`;
  }

  /** @param {Tab} tab @param {string} label */
  #tab(tab, label) {
    const isChosen = tab === this.tab;
    return html`
      <button role="tab" id="tab-${tab}" aria-selected=${isChosen} aria-controls="panel" tabindex=${isChosen ? 0 : -1}
        @keydown=${this.#onTabKey} @click=${() => Object.assign(this, { tab, problem: '' })}>${label}</button>`;
  }

  #panel() {
    switch (this.tab) {
      case 'name':
        return this.#byName();
      case 'group':
        return this.#group();
      case 'code':
        return this.#byCode();
      case 'invite':
        return this.#invite();
    }
  }

  #byName() {
    return html`
      <form class="stack" @submit=${this.#startByName}>
        <div class="field">
          <label for="name">${t.common.username}</label>
          <input id="name" name="name" data-first required maxlength="20" autocapitalize="none" autocomplete="off"
            spellcheck="false" aria-describedby="name-hint">
          <span class="hint" id="name-hint">${t.newConversation.usernameHint}</span>
        </div>
        <button class="button main" id="start" ?disabled=${this.isBusy}>${t.common.start}</button>
        ${this.unencrypted ? this.#offerUnencrypted(this.unencrypted) : nothing}
      </form>`;
  }

  /** @param {string} name */
  #offerUnencrypted(name) {
    const start = () => this.#run(() => this.ask('startDirect', { name }));
    return html`
      <p class="explained" role="alert">${t.newConversation.notEncrypted(name)}</p>
      <button type="button" class="button" id="start-unencrypted" ?disabled=${this.isBusy} @click=${start}>
        ${t.newConversation.writeUnencrypted}
      </button>`;
  }

  #group() {
    return html`
      <form class="stack" @submit=${this.#startGroup}>
        <div class="field">
          <label for="title">${t.newConversation.groupName}</label>
          <input id="title" name="title" maxlength="60" required autocomplete="off" aria-describedby="title-hint">
          <span class="hint" id="title-hint">${t.newConversation.groupNameHint}</span>
        </div>
        <div class="adding">
          <div class="field grow">
            <label for="member">${t.newConversation.addMember}</label>
            <input id="member" maxlength="20" placeholder=${t.common.username} autocapitalize="none" autocomplete="off"
              spellcheck="false" @keydown=${this.#onMemberKey}>
          </div>
          <button type="button" class="button" id="add" ?disabled=${this.isBusy} @click=${this.#addName}>
            ${t.common.add}
          </button>
        </div>
        <div class="names" role="group" aria-label=${t.newConversation.members}>
          ${this.names.map((name) => this.#member(name))}
        </div>
        <button class="button main" id="create-group" ?disabled=${this.isBusy || !this.names.length}>
          ${t.newConversation.createGroup}
        </button>
      </form>`;
  }

  /** @param {string} name */
  #member(name) {
    const remove = () => Object.assign(this, { problem: '', names: this.names.filter((one) => one !== name) });
    return html`
      <button type="button" aria-label=${t.newConversation.removeMember(name)} @click=${remove}>
        ${name} ${icon('close', 16)}</button>`;
  }

  #byCode() {
    return html`
      <form class="stack" @submit=${this.#startByCode}>
        <div class="field">
          <label for="code">${t.newConversation.code}</label>
          <input id="code" name="code" required inputmode="numeric" pattern="[0-9]{5}" maxlength="5" .value=${this.code}
            autocomplete="off" title=${t.newConversation.fiveDigits}>
        </div>
        <button class="button main" id="start" ?disabled=${this.isBusy}>${t.common.start}</button>
      </form>
      <hr>
      <sv-share-codes kind="codes" hasMore></sv-share-codes>`;
  }

  #invite() {
    const limit = this.hasNoLimit ? t.newConversation.inviteNoLimit : t.newConversation.inviteLimit;
    return html`
      <p>${t.newConversation.inviteIntro}</p>
      <p class="small soft">${limit}</p>
      <sv-share-codes kind="invites" ?hasMore=${this.hasNoLimit}></sv-share-codes>`;
  }
}

/** The value of a field of a form that was submitted. @param {SubmitEvent} event @param {string} name */
function fieldOf(event, name) {
  event.preventDefault();
  const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
  return field(form, name).trim();
}
customElements.define('sv-new-conversation', NewConversation);
