// @ts-check
/** An error as a sentence that says what to do. */
import { t } from './index.js';

/**
 * Only the machine-readable code decides: the text of an error may come from a library, and in English.
 * @param {unknown} error @param {{ [code: string]: string }} [special] sentences that fit better where it happened
 */
export function errorText(error, special = {}) {
  const { code = '', status = 0, message = '', retryAfterS = 0 } = detailsOf(error);
  if (status === 429 && retryAfterS > 90) return t.tooManyFor(Math.ceil(retryAfterS / 60));
  if (Object.hasOwn(special, code)) return special[code];
  if (isKnown(code)) return t.errors[code];
  if (status === 429) return t.errors.too_many;
  if (status >= 500) return t.errors.busy;
  if (message.startsWith('cannot reach ')) return t.errors.unreachable;
  return t.unknownError;
}

/** @param {unknown} error @returns {{ code?: string, status?: number, message?: string, retryAfterS?: number }} */
function detailsOf(error) {
  return typeof error === 'object' && error !== null ? error : {};
}

/** @param {string} code @returns {code is keyof import('./index.js').Messages['errors']} */
function isKnown(code) {
  return Object.hasOwn(t.errors, code);
}

/** An error of the page itself, with a code. @param {keyof import('./index.js').Messages['errors']} code */
export function failure(code) {
  return Object.assign(new Error(code), { code });
}
