// @ts-check
/**
 * Usernames as the server's own rule lets them through (RFC 8265, UsernameCasePreserved: `chat/accounts/validation.py`).
 * A server that lies keeps to no rule: it can name a person with characters that nobody sees, or that look like others.
 */

const CHARS_MAX = 20;
const REPLACEMENT = '\ufffd';

/** RFC 8264, section 9: letters and digits, with what section 9.6 adds to them and takes from them. */
const ALLOWED = /^(?:[!-~\p{L}\p{M}\p{Nd}]|[\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb])$/u;
const FORBIDDEN =
  /^(?:[\p{Lt}\p{Me}]|\u302e|\u302f|[\u0640\u07fa\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb])$/u;
/** Nobody sees these: default ignorables and the categories Cc and Cf. */
const INVISIBLE = /[\p{DI}\p{Cc}\p{Cf}]/gu;
/** The same, but for joiners where a script needs them (RFC 5892, appendix A): after a mark, or between Arabic letters. */
const INVISIBLE_BUT_JOINERS =
  /(?!(?<=\p{M})[\u200c\u200d])(?!(?<=\p{Script_Extensions=Arabic})\u200c\p{Script_Extensions=Arabic})[\p{DI}\p{Cc}\p{Cf}]/gu;

/**
 * The name as it is taken from the server. A name by the rule stays as it is. In another one, what nobody sees is left
 * out, what is a variant of another character becomes that one, and the rest is replaced visibly.
 * @param {string} name
 */
export function cleanUsername(name) {
  const visible = name.normalize('NFKC').replace(INVISIBLE_BUT_JOINERS, '').normalize('NFC');
  const chars = [...visible].slice(0, CHARS_MAX).map((char) => (isAllowed(char) ? char : REPLACEMENT));
  return chars.join('') || REPLACEMENT;
}

/** @param {string} char */
function isAllowed(char) {
  return /[\u200c\u200d]/.test(char) || (ALLOWED.test(char) && !FORBIDDEN.test(char));
}

/**
 * Names with one key are the same to a reader: NFKC, without what nobody sees, and without a difference of case. Upper
 * case first, as `ß` is `ss` to the server; it makes `ı` an `i`, which look alike.
 * @param {string} name
 */
export function usernameKey(name) {
  const folded = [...name.normalize('NFKC').replace(INVISIBLE, '')].map((char) => char.toUpperCase().toLowerCase());
  return folded.join('').normalize('NFKC');
}

/** @param {string} one @param {string} other */
export function isSameName(one, other) {
  return usernameKey(one) === usernameKey(other);
}
