// @ts-check
import { css, html, nothing } from '../../../vendor/lit.js';
import { errorText } from '../../messages/errors.js';
import { t } from '../../messages/index.js';
import '../../ui/dialog.js';
import { Element } from '../../ui/element.js';

/** Make a recovery key and have the user keep it. It is shown once. */
export class RecoveryKey extends Element {
  static properties = {
    me: { attribute: false },
    isMade: { type: Boolean },
    key: { state: true },
    problem: { state: true },
  };
  static styles = [
    super.styles,
    css`
      .key { padding: 1.1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--sheet); }
    `,
  ];

  constructor() {
    super();
    this.me = { id: '', username: '', device: '' };
    this.isMade = false;
    this.key = this.problem = '';
  }

  async #make() {
    this.problem = '';
    try {
      this.key = await this.ask('makeRecoveryKey');
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  /** The text of the sheet of paper and of the file. */
  get #text() {
    return t.linking.recoverySheet(this.me.username, location.host, this.key);
  }

  #save() {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([this.#text], { type: 'text/plain' }));
    link.download = t.linking.recoveryFile(this.me.username);
    link.click();
    URL.revokeObjectURL(link.href);
  }

  #print() {
    const sheet = document.createElement('pre');
    sheet.id = 'sheet';
    sheet.textContent = this.#text;
    document.body.append(sheet);
    globalThis.print();
    sheet.remove();
  }

  render() {
    return html`
      <sv-dialog .heading=${t.linking.recoveryTitle} ?mustAnswer=${this.key !== ''}>
        <div class="stack">
          ${this.problem ? html`<p class="wrong" role="alert">${this.problem}</p>` : nothing}
          ${this.key ? this.#shown() : this.#offer()}
        </div>
      </sv-dialog>`;
  }

  #offer() {
    return html`
      <p>${t.linking.recoveryText}</p>
      ${this.isMade ? html`<p><b>${t.linking.recoveryReplaces}</b></p>` : nothing}
      <div class="row">
        <button class="button main" data-first @click=${this.#make}>${t.linking.makeRecoveryKey}</button>
        ${
          this.isMade
            ? nothing
            : html`<button class="button" @click=${() => this.act('postponeRecoveryKey')}>${t.linking.later}</button>`
        }
      </div>`;
  }

  #shown() {
    return html`
      <p>${t.linking.keepIt}</p>
      <p class="key letters" id="recovery-key">${this.key}</p>
      <div class="row">
        <button class="button" @click=${this.#print}>${t.linking.print}</button>
        <button class="button" @click=${() => this.act('copy', { text: this.key })}>${t.common.copy}</button>
        <button class="button" @click=${this.#save}>${t.linking.saveFile}</button>
      </div>
      <button class="button main" @click=${() => this.act('keepRecoveryKey')}>${t.linking.hasKept}</button>`;
  }
}
customElements.define('sv-recovery-key', RecoveryKey);
