// @ts-check
/** A new text for an earlier message, by its author. */
import { isId, isString } from './kind.js';

/** @typedef {{ kind: 'edit', id: string, of: string, text: string }} Edit */

/** @type {import('./kind.js').Kind<Edit>} */
export const edit = {
  fields: { of: isId, text: isString },
  references: ({ of }) => [of],
  fold(conversation, { seq, sender, content }, target) {
    if (target?.user !== sender.user || target.text === undefined) return { conversation };
    if (target.edits?.some((one) => one >= seq)) return { conversation };
    return { conversation, item: { ...target, text: content.text, edits: [...(target.edits ?? []), seq] } };
  },
  isBound: true,
};
