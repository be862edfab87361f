// @ts-check
/** One emoji for each user and message; an empty one removes it. */
import { isId } from './kind.js';

/** @typedef {{ kind: 'reaction', id: string, of: string, emoji: string }} Reaction */

/** @param {unknown} value @returns {value is string} */
function isEmoji(value) {
  return value === '' || (typeof value === 'string' && /^\p{RGI_Emoji}$/v.test(value));
}

/** @type {import('./kind.js').Kind<Reaction>} */
export const reaction = {
  fields: { of: isId, emoji: isEmoji },
  references: ({ of }) => [of],
  fold(conversation, { seq, sender, content }, target) {
    if (!target || target.isDeleted || (target.reactions?.[sender.user]?.seq ?? 0) >= seq) return { conversation };
    const reactions = { ...target.reactions, [sender.user]: { emoji: content.emoji, seq } };
    return { conversation, item: { ...target, reactions } };
  },
  isBound: true,
};
