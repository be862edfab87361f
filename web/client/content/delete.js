// @ts-check
/** Deletes an earlier message for everyone, by its author. */
import { deletedAhead, deletedItem, withoutUnread } from '../conversations/changes.js';
import { isId } from './kind.js';

/** @typedef {{ kind: 'delete', id: string, of: string }} Delete */

/** @type {import('./kind.js').Kind<Delete>} */
export const deletion = {
  fields: { of: isId },
  references: ({ of }) => [of],
  fold(conversation, { sender, content }, target) {
    if (!target) return { conversation: deletedAhead(conversation, sender.user, content.of) };
    if (target.user !== sender.user || target.isDeleted) return { conversation };
    return { conversation: withoutUnread(conversation, target.seq), item: deletedItem(target) };
  },
  isBound: false, // it reveals nothing, and its author wants it to arrive
};
