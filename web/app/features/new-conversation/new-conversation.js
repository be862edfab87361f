// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { sentenceFor } from '../../words.js';
import '../../ui/dialog.js';
import { Element } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import './share-codes.js';

/** @typedef {'name' | 'group' | 'code' | 'invite'} Tab */

/** @type {[Tab, string][]} */
const TABS = [['name', 'By name'], ['group', 'Group'], ['code', 'By code'], ['invite', 'Invite']]; // prettier-ignore

/** How a conversation begins: by a name, by a code, or with somebody who is not here yet. */
export class New extends Element {
  static properties = { me: {}, code: {}, tab: {}, isFree: { state: true }, names: { state: true }, unreachable: { state: true }, problem: { state: true }, isBusy: { state: true } };
  static styles = [
    super.styles,
    css`
      [role=tablist] { display: flex; gap: 0.25rem; margin-bottom: 1.25rem; padding: 0.25rem; border-radius: 1rem; background: var(--desk); }
      [role=tab] { flex: 1; min-height: var(--touch); padding: 0 0.25rem; border: 0; border-radius: 0.8rem; background: none; font-weight: 600; }
      [aria-selected=true] { background: var(--sheet); box-shadow: 0 1px 3px var(--shade); }
      .names { display: flex; flex-wrap: wrap; gap: 0.4rem; }
      .names button { display: inline-flex; align-items: center; gap: 0.3rem; min-height: 2.25rem; padding: 0 0.6rem 0 0.9rem; border: 0; border-radius: 2rem; background: var(--accent-soft); }
      hr { width: 100%; border: 0; border-top: 1px solid var(--line); }
      .adding { display: flex; gap: 0.5rem; align-items: end; }
    `,
  ];

  constructor() {
    super();
    this.me = this.code = this.problem = '';
    /** @type {Tab} */
    this.tab = 'name';
    /** Makes as many invites as they like. */
    this.isFree = false;
    /** @type {string[]} */
    this.names = [];
    /** Somebody who has no device that could be added. @type {string | null} */
    this.unreachable = null;
    this.isBusy = false;
  }

  async firstUpdated() {
    const { role } = await this.ask('account').catch(() => ({ role: '' }));
    this.isFree = role === 'admin' || role === 'tester';
  }

  /** @param {string} intent @param {object} [detail] @returns {Promise<any>} */
  async #do(intent, detail) {
    this.problem = '';
    this.isBusy = true;
    try {
      return await this.ask(intent, detail);
    } catch (error) {
      this.problem = sentenceFor(error);
      this.unreachable = /** @type {any} */ (error).code === 'has_no_device' ? /** @type {any} */ (detail).names[0] : null;
      return undefined;
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {SubmitEvent} event */
  #given(event) {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    return (/** @type {string} */ name) => String(given.get(name) ?? '').trim();
  }

  /** @param {SubmitEvent} event */
  #startByName(event) {
    return this.#do('start', { names: [this.#given(event)('name')] });
  }

  /** @param {SubmitEvent} event */
  #startGroup(event) {
    const given = this.#given(event);
    if (!this.names.length) this.problem = 'Add at least one person.';
    else this.#do('start', { names: this.names, title: given('title') });
  }

  /** @param {SubmitEvent} event */
  #startByCode(event) {
    return this.#do('startByCode', { code: Number(this.#given(event)('code')) });
  }

  async #addName() {
    const field = /** @type {HTMLInputElement} */ (this.renderRoot.querySelector('#member'));
    const name = field.value.trim();
    if (!name) return;
    const found = await this.#do('find', { name });
    if (found?.id === this.me) this.problem = 'You are in the group anyway.';
    else if (found && !this.names.includes(found.username)) this.names = [...this.names, found.username];
    if (found) field.value = '';
    field.focus();
  }

  render() {
    const current = this.tab;
    return html`
      <sv-dialog heading="New conversation">
        <div role="tablist" aria-label="How to begin">
          ${TABS.map(([tab, label]) => html`<button role="tab" id="tab-${tab}" aria-selected=${tab === current} aria-controls="panel" tabindex=${tab === current ? 0 : -1}
            @keydown=${this.#onTabKey} @click=${() => Object.assign(this, { tab, problem: '' })}>${label}</button>`)}
        </div>
        <div id="panel" role="tabpanel" aria-labelledby="tab-${current}" class="stack">
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          ${{ name: () => this.#byName(), group: () => this.#group(), code: () => this.#byCode(), invite: () => this.#invite() }[current]()}
        </div>
      </sv-dialog>`;
  }

  /** @param {KeyboardEvent} event */
  async #onTabKey({ key }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step === undefined) return;
    const at = TABS.findIndex(([tab]) => tab === this.tab);
    this.tab = TABS[(at + step + TABS.length) % TABS.length][0];
    await this.updateComplete;
    /** @type {HTMLElement} */ (this.renderRoot.querySelector('[aria-selected=true]')).focus();
  }

  #byName() {
    return html`<form class="stack" @submit=${this.#startByName}>
      <div class="field"><label for="name">Their name here</label>
        <input id="name" name="name" data-first required maxlength="20" autocapitalize="none" autocomplete="off" spellcheck="false" aria-describedby="name-hint">
        <span class="hint" id="name-hint">Exactly as they chose it: there is no list of people to search in.</span></div>
      <button class="button main" ?disabled=${this.isBusy}>Start</button>
      ${this.unreachable
        ? html`<p class="explained">${this.unreachable} uses another program, which cannot encrypt from device to device. You can write to each other all the same; then the server could read it.</p>
            <button type="button" class="button" ?disabled=${this.isBusy} @click=${() => this.#do('startDirect', { name: this.unreachable })}>Write without end-to-end encryption</button>`
        : nothing}</form>`;
  }

  #group() {
    return html`<form class="stack" @submit=${this.#startGroup}>
      <div class="field"><label for="title">Name of the group</label><input id="title" name="title" maxlength="60" required autocomplete="off" aria-describedby="title-hint">
        <span class="hint" id="title-hint">Only its members can read it, not the server.</span></div>
      <div class="adding"><div class="field grow"><label for="member">Who is in it</label>
        <input id="member" maxlength="20" placeholder="A name" autocapitalize="none" autocomplete="off" spellcheck="false"
          @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && (event.preventDefault(), this.#addName())}></div>
        <button type="button" class="button" ?disabled=${this.isBusy} @click=${this.#addName}>Add</button></div>
      <div class="names" role="group" aria-label="Members">${this.names.map((name) => html`<button type="button" aria-label="Leave out ${name}" @click=${() => Object.assign(this, { problem: '', names: this.names.filter((one) => one !== name) })}>${name} ${icon('close', 16)}</button>`)}</div>
      <button class="button main" ?disabled=${this.isBusy || !this.names.length}>Make the group</button></form>`;
  }

  #byCode() {
    return html`
      <form class="stack" @submit=${this.#startByCode}>
        <div class="field"><label for="code">Their code</label>
          <input id="code" name="code" required inputmode="numeric" pattern="[0-9]{5}" maxlength="5" .value=${this.code} autocomplete="off" title="Five digits"></div>
        <button class="button main" ?disabled=${this.isBusy}>Start</button>
      </form>
      <hr>
      <sv-own what="codes" canHaveMore></sv-own>`;
  }

  #invite() {
    return html`<p>For somebody who has no account here yet.</p>
      <p class="small soft">${this.isFree ? 'As an admin you make as many as you like.' : 'One in 24 hours, and at first only as many as people you have met here; admins of this server make as many as they like.'}</p>
      <sv-own what="invites" ?canHaveMore=${this.isFree}></sv-own>`;
  }
}
customElements.define('sv-new', New);
