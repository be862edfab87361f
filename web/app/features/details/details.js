// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { trustIn } from '../../../client/trust/trust-in.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import { isGroup, mayRemove, participants, pictureOf, titleOf } from '../../state/selectors.js';
import '../../ui/avatar.js';
import { Element, UNSET, field } from '../../ui/element.js';
import { icon } from '../../ui/icon.js';
import '../../ui/menu.js';
import { questionBeforeLeaving, questionBeforeRemoval } from '../conversations/questions.js';

/**
 * @typedef {import('../../state/selectors.js').Person} Person
 * @typedef {import('../../ui/menu.js').Choice} Choice
 * @typedef {import('../../ui/confirm.js').Question} Question
 */

/** Who is in a conversation, and what can be changed about it. */
export class Details extends Element {
  static properties = {
    conversation: { attribute: false },
    me: {},
    problem: { state: true },
    isBusy: { state: true },
    chosen: { state: true },
  };
  static styles = [
    super.styles,
    css`
      :host { display: block; overflow-y: auto; padding: 0.75rem 1.25rem 2rem;
        border-inline-start: 1px solid var(--line); background: var(--desk); }
      .head { display: flex; align-items: center; justify-content: space-between; min-height: 2.75rem;
        margin-bottom: 0.75rem; }
      section { margin-top: 1.5rem; }
      h2 { overflow-wrap: anywhere; }
      h3 { margin-bottom: 0.4rem; font: 600 var(--small) var(--face); letter-spacing: 0.02em; color: var(--soft); }
      form { display: flex; gap: 0.5rem; align-items: end; margin-top: 0.75rem; }
      form + p { margin-top: 0.4rem; }
      .verified { color: var(--accent); }
      .changed { color: var(--bad); font-weight: 600; }
      .bottom { display: grid; gap: 0.6rem; }
      @media (max-width: 75rem) {
        :host { position: fixed; inset: 0 0 0 auto; width: min(24rem, 100vw); z-index: 3;
          box-shadow: 0 0 3rem var(--shade); }
      }
    `,
  ];

  constructor() {
    super();
    /** @type {import('../../state/selectors.js').Conversation} */
    this.conversation = UNSET;
    this.me = this.problem = '';
    this.isBusy = false;
    /** The person whose menu is open. @type {Person | null} */
    this.chosen = null;
    this.addEventListener('keydown', (event) => this.#onKey(event));
  }

  firstUpdated() {
    this.renderRoot.querySelector('button')?.focus();
  }

  get #myRole() {
    return this.conversation.people.find(({ id }) => id === this.me)?.role ?? 'member';
  }

  /** Run an action; a problem is shown. @param {() => Promise<unknown>} run */
  async #run(run) {
    this.problem = '';
    this.isBusy = true;
    await run().catch((error) => (this.problem = errorText(error, { invalid: t.errors.no_such_user })));
    this.isBusy = false;
  }

  /** @param {SubmitEvent} event */
  async #add(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const name = field(new FormData(form), 'name').trim();
    await this.#run(() => this.ask('addMember', { conversation: this.conversation.id, name }));
    if (!this.problem) form.reset();
  }

  /** @param {SubmitEvent} event */
  async #rename(event) {
    event.preventDefault();
    const { id, name: before } = this.conversation;
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const name = field(form, 'title').trim();
    if (name && name !== before) await this.#run(() => this.ask('renameGroup', { conversation: id, name }));
  }

  get #menu() {
    return /** @type {import('../../ui/menu.js').Menu} */ (this.renderRoot.querySelector('sv-menu'));
  }

  /** Escape closes an open menu first. @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === 'Escape' && !this.#menu.isOpen) this.act('close');
  }

  /** @param {Person} person @param {HTMLElement} opener */
  async #openMenu(person, opener) {
    this.chosen = person;
    await this.updateComplete;
    await this.#menu.openAt(opener);
  }

  /** @param {Person} person @returns {Choice[]} */
  #choices(person) {
    const { id: user, name, role, isUnknown } = person;
    const { conversation } = this;
    const words = t.details;
    const group = isGroup(conversation);
    const mine = this.#myRole;
    const isOwner = group && mine === 'owner';
    /** @param {Person['role']} to @param {string} label @returns {Choice} */
    const change = (to, label) => ({
      action: 'setRole',
      detail: { conversation: conversation.id, user, role: to },
      label,
      icon: 'people',
    });
    const safety = { name: /** @type {const} */ ('safety-number'), conversation: conversation.id, user };
    /** @type {(Choice | false)[]} */
    const choices = [
      !isUnknown && {
        action: 'show',
        detail: { dialog: { name: 'profile', person } },
        label: words.about(name),
        icon: 'people',
      },
      conversation.kind !== 'direct' && {
        action: 'show',
        detail: { dialog: safety },
        label: words.safetyNumber,
        icon: 'shield',
      },
      isOwner && role === 'member' && change('admin', words.makeAdmin),
      isOwner && role === 'admin' && change('member', words.removeAdmin),
      mayRemove(conversation, this.me, user) && {
        action: 'confirm',
        detail: questionBeforeRemoval(conversation.id, user, name),
        label: t.common.remove,
        icon: 'bin',
        isBad: true,
      },
      { action: 'confirm', detail: blocking(user, name), label: t.common.block, icon: 'close', isBad: true },
    ];
    return choices.filter((choice) => choice !== false);
  }

  render() {
    const { conversation, me } = this;
    const group = isGroup(conversation);
    const people = participants(conversation);
    const isDirect = conversation.kind === 'direct';
    const canAdd = !isDirect && conversation.isActive && this.#myRole !== 'member';
    return html`
      <div class="head">
        <h2>${group ? t.details.group : titleOf(conversation, me)}</h2>
        <button class="icon" id="close" aria-label=${t.common.close} @click=${() => this.act('close')}>
          ${icon('close')}</button>
      </div>
      ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
      ${group ? this.#nameForm() : nothing}
      <section>
        <h3 id="people">${group ? t.details.members(people.length) : t.details.participants}</h3>
        <ul class="list" aria-labelledby="people">${people.map((person) => this.#person(person))}</ul>
        ${canAdd ? this.#addForm(group) : nothing}
      </section>
      <sv-menu .label=${t.details.person} .choices=${this.chosen ? this.#choices(this.chosen) : []}></sv-menu>
      <section class="bottom">${isDirect && conversation.isActive ? nothing : this.#leaveButton()}</section>`;
  }

  #nameForm() {
    const { name = '', isActive } = this.conversation;
    return html`
      <form @submit=${this.#rename}>
        <div class="field grow">
          <label for="title">${t.details.groupName}</label>
          <input id="title" name="title" maxlength="60" .value=${name} ?disabled=${!isActive}>
        </div>
        <button class="button" ?disabled=${!isActive}>${t.common.save}</button>
      </form>`;
  }

  /** @param {boolean} group */
  #addForm(group) {
    return html`
      <form @submit=${this.#add}>
        <div class="field grow">
          <label for="name">${t.details.addMember}</label>
          <input id="name" name="name" required maxlength="20" placeholder=${t.common.username} autocapitalize="none"
            autocomplete="off" spellcheck="false">
        </div>
        <button class="button" ?disabled=${this.isBusy}>${t.common.add}</button>
      </form>
      <p class="small soft">${group ? t.details.addToGroupHint : t.details.addToPairHint}</p>`;
  }

  #leaveButton() {
    const { id, isActive } = this.conversation;
    if (isActive) {
      return html`
        <button class="button bad" id="leave" @click=${() => this.act('confirm', questionBeforeLeaving(id))}>
          ${t.details.leave}
        </button>`;
    }
    const forget = () => this.act('forgetConversation', { conversation: id });
    return html`<button class="button" @click=${forget}>${t.conversation.deleteHere}</button>`;
  }

  /** @param {Person} person */
  #person(person) {
    const { id, name, role } = person;
    const isMe = id === this.me;
    const hasRole = role !== 'member' && isGroup(this.conversation);
    return html`
      <li>
        <sv-avatar size="38" of=${id} .name=${name} .picture=${pictureOf(person)}></sv-avatar>
        <div class="grow">
          <div class="cut">${isMe ? t.common.you : name}${
            hasRole ? html` <span class="small soft">· ${t.details[role]}</span>` : nothing
          }</div>
          ${this.#trust(id)}
        </div>
        ${isMe ? nothing : this.#menuButton(person)}
      </li>`;
  }

  /** @param {string} user */
  #trust(user) {
    const trust = user === this.me ? 'unknown' : trustIn(this.conversation, user);
    if (trust === 'verified') return html`<div class="small verified">${t.details.verified}</div>`;
    if (trust === 'changed') return html`<div class="small changed">${t.details.safetyNumberChanged}</div>`;
    if (this.conversation.kind === 'direct') return nothing;
    if (trust === 'absent') return html`<div class="small soft">${t.trust.noDevice}</div>`;
    const devices = this.conversation.members.filter((member) => member.user === user).length;
    return html`<div class="small soft">${t.details.devices(devices)}</div>`;
  }

  /** @param {Person} person */
  #menuButton(person) {
    const open = (/** @type {Event} */ event) =>
      this.#openMenu(person, /** @type {HTMLElement} */ (event.currentTarget));
    return html`
      <button class="icon" aria-label=${t.details.moreAbout(person.name)} aria-haspopup="menu" @click=${open}>
        ${icon('more')}</button>`;
  }
}

/** @param {string} user @param {string} name @returns {Question} */
function blocking(user, name) {
  return {
    heading: t.details.blockTitle(name),
    text: t.details.blockText(name),
    label: t.common.block,
    then: { action: 'block', detail: { user } },
  };
}

customElements.define('sv-details', Details);
