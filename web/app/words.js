// @ts-check
/** What went wrong, in a plain sentence, with what to do about it. */

/** @type {Record<string, string>} */
const SENTENCES = {
  taken: 'Somebody has this name already. Choose another one.',
  invalid_credentials: 'This name and password do not belong together. Look at both and try again.',
  bad_invite: 'This invite cannot be used: it is unknown, used up or too old. Ask for a new one.',
  registration_closed: 'This server takes nobody new right now.',
  no_such_user: 'Nobody here has exactly this name. Look at how they write it: names are not searched.',
  no_such_code: 'This code is not known. Codes work once, for 24 hours.',
  not_allowed: 'Only an owner or an admin of this group can do that.',
  self_chat: 'That is you. Write to somebody else.',
  too_many: 'That was too often. Wait a little, then try again.',
  busy: 'The server is busy. Try again in a moment.',
  unavailable: 'The server cannot store anything right now. Try again in a moment.',
  wrong_password: 'This is not your password. Nothing was changed.',
  no_key: 'The key of this conversation is not on this device.',
  keys_changed: 'The keys of somebody here are not the ones you compared. Compare them again, or try again to send it all the same.',
  device_removed: 'This device was removed from your account. Log out, which empties it, and log in anew.',
  unauthenticated: 'Your session has ended. Log in again.',
};

/** What is asked before a direct conversation begins anew. @param {string} conversation @param {string} name of the other one */
export function aboutNewKey(conversation, name) {
  const text = `Everything that was said in this conversation is deleted, for you and for ${name}.`;
  return { heading: 'Make a new key?', text, action: 'Delete it and make a key', then: { intent: 'renewKey', conversation } };
}

/** @param {unknown} error */
export function sentenceFor(error) {
  const { code = '', status = 0, message = '', retryAfterS = 0 } = /** @type {any} */ (error ?? {});
  if (status === 429 && retryAfterS > 90) return `That was too often. Try again in ${Math.ceil(retryAfterS / 60)} minutes.`;
  if (SENTENCES[code]) return SENTENCES[code];
  if (status === 429) return SENTENCES.too_many;
  if (status >= 500) return SENTENCES.busy;
  if (/cannot reach/.test(message)) return 'The server cannot be reached. Check your connection.';
  return message ? message.replace(/([^.!?])$/, '$1.') : 'That did not work.';
}
