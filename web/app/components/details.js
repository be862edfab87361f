// @ts-check
import { css, html, nothing } from '../../vendor/lit.js';
import { trustIn } from '../../client/trust/verified.js';
import { UNKNOWN, everybody, isGroup, titleOf } from '../fold.js';
import { sentenceFor } from '../words.js';
import './avatar.js';
import { Element } from './element.js';
import { icon } from './icon.js';
import './menu.js';
import { pictureOf } from './sidebar.js';

/** @typedef {import('../../client/conversations/reducer.js').Person} Person */

/** Who is in a conversation, and what can be done about it. */
export class Details extends Element {
  static properties = { conversation: { attribute: false }, me: {}, problem: { state: true }, isBusy: { state: true }, chosen: { state: true } };
  static styles = [
    super.styles,
    css`
      :host { display: block; overflow-y: auto; padding: 0.75rem 1.25rem 2rem; border-inline-start: 1px solid var(--line); background: var(--desk); }
      .head { display: flex; align-items: center; justify-content: space-between; min-height: 2.75rem; margin-bottom: 0.75rem; }
      section { margin-top: 1.5rem; }
      h3 { margin-bottom: 0.4rem; font: 600 var(--small) var(--face); letter-spacing: 0.02em; color: var(--soft); }
      form { display: flex; gap: 0.5rem; align-items: end; margin-top: 0.75rem; }
      .verified { color: var(--accent); }
      .changed { color: var(--bad); font-weight: 600; }
      .bottom { display: grid; gap: 0.6rem; }
      @media (max-width: 75rem) { :host { position: fixed; inset: 0 0 0 auto; width: min(24rem, 100vw); z-index: 3; box-shadow: 0 0 3rem var(--shade); } }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../fold.js').Conversation} */
    this.conversation = /** @type {any} */ (undefined);
    this.me = this.problem = '';
    this.isBusy = false;
    /** @type {Person | null} */
    this.chosen = null;
    this.addEventListener('keydown', (event) => event.key === 'Escape' && this.want('close'));
  }

  firstUpdated() {
    this.renderRoot.querySelector('button')?.focus();
  }

  get #myRole() {
    return this.conversation.people.find(({ id }) => id === this.me)?.role ?? 'member';
  }

  /** @param {string} intent @param {object} detail */
  async #do(intent, detail) {
    this.problem = '';
    this.isBusy = true;
    await this.ask(intent, { conversation: this.conversation.id, ...detail }).catch((error) => (this.problem = sentenceFor(error)));
    this.isBusy = false;
  }

  /** @param {SubmitEvent} event */
  async #add(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    await this.#do('add', { name: String(new FormData(form).get('name')).trim() });
    if (!this.problem) form.reset();
  }

  /** @param {SubmitEvent} event */
  async #rename(event) {
    event.preventDefault();
    const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('title')).trim();
    if (name && name !== this.conversation.name) await this.#do('rename', { name });
  }

  /** @param {Person} person @param {HTMLElement} opener */
  async #openMenu(person, opener) {
    this.chosen = person;
    await this.updateComplete;
    /** @type {import('./menu.js').Menu} */ (this.renderRoot.querySelector('sv-menu')).openAt(opener);
  }

  /** @param {Person} person */
  #choices(person) {
    const { id, username, role } = person;
    const { conversation } = this;
    const group = isGroup(conversation);
    const mine = this.#myRole;
    const outranks = (mine === 'owner' && role !== 'owner') || (mine === 'admin' && role === 'member');
    return [
      ...(username === UNKNOWN ? [] : [{ intent: 'show', label: `About ${username}`, icon: 'people', detail: { dialog: { name: 'about', person } } }]),
      ...(conversation.kind === 'direct' ? [] : [{ intent: 'show', label: 'Safety number', icon: 'shield', detail: { dialog: { name: 'safety', conversation: conversation.id, user: id } } }]),
      ...(group && mine === 'owner' && role === 'member' ? [{ intent: 'setRole', label: 'Make admin', icon: 'people', detail: { conversation: conversation.id, user: id, role: 'admin' } }] : []),
      ...(group && mine === 'owner' && role === 'admin' ? [{ intent: 'setRole', label: 'Make member', icon: 'people', detail: { conversation: conversation.id, user: id, role: 'member' } }] : []),
      ...(group && outranks && conversation.isActive
        ? [{ intent: 'confirm', detail: { heading: `Remove ${username}?`, text: `${username} reads nothing that is said from then on. What they have stays with them.`, action: 'Remove', then: { intent: 'remove', conversation: conversation.id, user: id } }, label: 'Remove', icon: 'bin', isBad: true }]
        : []),
      { intent: 'confirm', detail: { heading: `Block ${username}?`, text: `You see nothing of ${username} until you lift it, and they are not told. In groups you go on meeting.`, action: 'Block', then: { intent: 'block', user: id } }, label: 'Block', icon: 'close', isBad: true },
    ];
  }

  render() {
    const { conversation, me } = this;
    const group = isGroup(conversation);
    const people = everybody(conversation);
    const isDirect = conversation.kind === 'direct';
    const canAdd = !isDirect && conversation.isActive && this.#myRole !== 'member';
    return html`
      <div class="head"><h2>${group ? 'This group' : titleOf(conversation, me)}</h2>
        <button class="icon" aria-label="Close" @click=${() => this.want('close')}>${icon('close')}</button></div>
      ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
      ${group
        ? html`<form @submit=${this.#rename}><div class="field grow"><label for="title">Name of the group</label>
            <input id="title" name="title" maxlength="60" .value=${conversation.name ?? ''} ?disabled=${!conversation.isActive}></div>
            <button class="button" ?disabled=${!conversation.isActive}>Save</button></form>`
        : nothing}
      <section><h3 id="people">${group ? `${people.length} ${people.length === 1 ? 'person' : 'people'}` : 'Between'}</h3>
        <ul class="list" aria-labelledby="people">${people.map((person) => this.#person(person))}</ul>
        ${canAdd
          ? html`<form @submit=${this.#add}><div class="field grow"><label for="name">Add somebody</label>
              <input id="name" name="name" required maxlength="20" placeholder="Their name here" autocapitalize="none" autocomplete="off" spellcheck="false"></div>
              <button class="button" ?disabled=${this.isBusy}>Add</button></form>
              ${group ? html`<p class="small soft">They read what is said from now on, and nothing from before.</p>` : html`<p class="small soft">With a third person this becomes a group.</p>`}`
          : nothing}
      </section>
      <sv-menu label="Person" .choices=${this.chosen ? this.#choices(this.chosen) : []}></sv-menu>
      <section class="bottom">
        ${isDirect && conversation.isActive ? nothing : conversation.isActive
          ? html`<button class="button bad" @click=${this.#leave}>Leave this conversation</button>`
          : html`<button class="button" @click=${() => this.want('forget', { conversation: conversation.id })}>Remove it from this device</button>`}
      </section>`;
  }

  #leave() {
    const then = { intent: 'leave', conversation: this.conversation.id };
    this.want('confirm', { heading: 'Leave this conversation?', text: 'You read nothing that is said from then on. What you have stays on this device.', action: 'Leave', then });
  }

  /** @param {Person} person */
  #person(person) {
    const { id, username, role } = person;
    const isMe = id === this.me;
    const trust = isMe ? 'unknown' : trustIn(this.conversation, id);
    const devices = this.conversation.members.filter(({ user }) => user === id).length;
    return html`<li>
      <sv-avatar size="38" of=${id} .name=${username} .picture=${pictureOf(person)}></sv-avatar>
      <div class="grow"><div class="cut">${isMe ? 'You' : username}${role === 'member' || !isGroup(this.conversation) ? nothing : html` <span class="small soft">· ${role}</span>`}</div>
        <div class="small ${trust}">${{ verified: 'Keys compared', changed: 'Keys have changed', unknown: this.conversation.kind === 'direct' ? nothing : html`<span class="soft">${devices} ${devices === 1 ? 'device' : 'devices'}</span>` }[trust]}</div></div>
      ${isMe ? nothing : html`<button class="icon" aria-label="More about ${username}" aria-haspopup="menu" @click=${(/** @type {any} */ event) => this.#openMenu(person, event.currentTarget)}>${icon('more')}</button>`}
    </li>`;
  }
}
customElements.define('sv-details', Details);
