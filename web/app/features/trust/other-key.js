// @ts-check
/** The user adds a person whose account key has changed, and has no conversation with them in which to accept it. */
import { t } from '../../messages/index.js';

/**
 * Ask whether to go on, if that is the error; another one is thrown.
 * @param {import('../../page.js').Page} page @param {unknown} error @param {string[]} names of those who are to be added
 * @param {import('../../actions.js').Call} then goes on with their other keys
 */
export function askBeforeOtherKey(page, error, names, then) {
  if (/** @type {{ code?: string }} */ (error).code !== 'changed_key') throw error;
  const { numberChanged, numberChangedText, continueAnyway } = t.trust;
  page.show({
    name: 'confirm',
    question: {
      heading: names.length === 1 ? t.conversation.numbersChanged(names) : numberChanged,
      text: numberChangedText,
      label: continueAnyway,
      then,
    },
  });
}
