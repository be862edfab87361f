// @ts-check
/** The two helpers that a catalogue needs: the plural forms and the lists of its language. */

/**
 * @param {string} language
 * @returns {(count: number, forms: { one: string, other: string }) => string} `#` in a form stands for the count
 */
export function pluralIn(language) {
  const rules = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(language);
  return (count, { one, other }) => (rules.select(count) === 'one' ? one : other).replaceAll('#', number.format(count));
}

/** @param {string} language @returns {(names: string[]) => string} */
export function listIn(language) {
  const format = new Intl.ListFormat(language, { type: 'conjunction' });
  return (names) => format.format(names);
}
