// @ts-check
/** A new key for a direct conversation, which deletes its messages. */
import { t } from '../../messages/index.js';

/**
 * @param {string} conversation @param {string} name the other person
 * @returns {import('../../ui/confirm.js').Question}
 */
export function questionBeforeNewKey(conversation, name) {
  const then = { action: /** @type {const} */ ('createKey'), detail: { conversation } };
  return { heading: t.newKey.title, text: t.newKey.text(name), label: t.newKey.action, then };
}
