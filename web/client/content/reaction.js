// @ts-check
/** One emoji for each user and message; an empty one removes it. */
import { isId, isOrder, isOvertaken, optional } from './kind.js';

/** @typedef {{ kind: 'reaction', id: string, of: string, emoji: string, order?: number }} Reaction */

/** @param {unknown} value @returns {value is string} */
function isEmoji(value) {
  return value === '' || (typeof value === 'string' && /^\p{RGI_Emoji}$/v.test(value));
}

/** @type {import('./kind.js').Kind<Reaction>} */
export const reaction = {
  fields: { of: isId, emoji: isEmoji, order: optional(isOrder) },
  references: ({ of }) => [of],
  fold(conversation, { seq, sender, content }, target) {
    const before = target?.reactions?.[sender.user];
    if (!target || target.isDeleted || (before?.seq ?? 0) >= seq) return { conversation };
    if (isOvertaken(before?.placed, sender, content.order)) return { conversation };
    const { emoji, order = 0 } = content;
    const reactions = { ...target.reactions, [sender.user]: { emoji, seq, placed: { device: sender.device, order } } };
    return { conversation, item: { ...target, reactions } };
  },
  isBound: true,
};
