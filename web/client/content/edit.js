// @ts-check
/** A new text for an earlier message, by its author. */
import { isId, isOrder, isOvertaken, isString, optional } from './kind.js';

/** @typedef {{ kind: 'edit', id: string, of: string, text: string, order?: number }} Edit */

/** @type {import('./kind.js').Kind<Edit>} */
export const edit = {
  fields: { of: isId, text: isString, order: optional(isOrder) },
  references: ({ of }) => [of],
  fold(conversation, { seq, sender, content }, target) {
    if (target?.user !== sender.user || target.text === undefined) return { conversation };
    if (target.edits?.some((one) => one.seq >= seq)) return { conversation };
    const edits = [...(target.edits ?? []), { seq, id: content.id }];
    const { text, order = 0 } = content;
    if (isOvertaken(target.edited, sender, content.order)) return { conversation, item: { ...target, edits } };
    return { conversation, item: { ...target, text, edits, edited: { device: sender.device, order } } };
  },
  isBound: true,
};
