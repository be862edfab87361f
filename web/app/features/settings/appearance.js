// @ts-check
import { html, nothing } from '../../../vendor/lit.js';
import { LANGUAGES, t } from '../../messages/index.js';
import { Section } from './section.js';

/** @typedef {import('./section.js').Values} Values */

/** How the client looks, and its language. */
export class Appearance extends Section {
  static properties = {
    settings: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('./section.js').Values | null} */
    this.settings = null;
  }

  render() {
    const { matchSystem, light, dark } = t.settings;
    const chosen = this.settings?.theme ?? 'system';
    const themes = /** @type {const} */ (['system', 'light', 'dark']);
    const labels = { system: matchSystem, light, dark };
    return html`
        <fieldset>
          <legend>${t.settings.appearance}</legend>
          <div class="themes">
            ${themes.map(
              (theme) => html`
                <label class="check"><input type="radio" name="theme" value=${theme} .checked=${theme === chosen}
                  @change=${() => this.act('changeSettings', { changes: { theme } })}>${labels[theme]}</label>`,
            )}
          </div>
        </fieldset>
        ${this.#language()}`;
  }

  #language() {
    const chosen = this.settings?.language ?? 'system';
    const options = { system: t.settings.languageOfSystem, ...LANGUAGES };
    const choose = (/** @type {Event} */ event) => {
      const { value } = /** @type {HTMLSelectElement} */ (event.target);
      this.act('changeSettings', { changes: { language: /** @type {Values['language']} */ (value) } });
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
}
customElements.define('sv-settings-appearance', Appearance);
