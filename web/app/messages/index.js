// @ts-check
/**
 * The language of the page. `t` is the catalogue in use: an imported `t` always refers to the current one, so a
 * component only has to render again when the language changes (`ui/element.js`).
 */
import { de } from './de.js';
import { en } from './en.js';

/**
 * @typedef {typeof en} Messages
 * @typedef {keyof typeof CATALOGUES} Language
 * @typedef {'system' | Language} Choice as in the settings
 */

/**
 * What two catalogues must have in common: keys, and the number of parameters of each message.
 * @template T
 * @typedef {T extends (...given: infer P) => string ? P['length'] : T extends string ? 'text'
 *   : { [K in keyof T]: Shape<T[K]> }} Shape
 */

/** A new language is one file, one line here, and one in `LANGUAGES`. @satisfies {Record<string, Messages>} */
const CATALOGUES = { en, de };
/** What each language calls itself. @type {Record<Language, string>} */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };

// A message of one catalogue with fewer parameters than in the other is an error here.
/** @type {Shape<typeof en>} */
const shape = /** @type {Shape<typeof de>} */ (/** @type {unknown} */ (null));
void shape;

/** @type {Messages} */
export let t = en;
/** @type {Language} */
export let language = 'en';
/** For dates and times, e.g. "de-AT" where the browser says so. */
export let locale = 'en';

const changes = new EventTarget();

/** @param {() => void} listener */
export function onLanguage(listener) {
  changes.addEventListener('change', listener);
  return () => changes.removeEventListener('change', listener);
}

/** @param {string} tag as in "de-AT" @returns {Language | undefined} */
function known(tag) {
  const [name] = tag.toLowerCase().split('-');
  return Object.hasOwn(CATALOGUES, name) ? /** @type {Language} */ (name) : undefined;
}

/**
 * Returns the language in use.
 * @param {Choice} choice @param {readonly string[]} preferred the browser's languages
 */
export function useLanguage(choice, preferred) {
  language = choice === 'system' ? (preferred.map(known).find((name) => name !== undefined) ?? 'en') : choice;
  locale = preferred.find((tag) => known(tag) === language) ?? language;
  t = CATALOGUES[language];
  changes.dispatchEvent(new Event('change'));
  return language;
}
