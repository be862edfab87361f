// @ts-check
/**
 * The sender has removed a user, who may come back only if a member adds them. The commit shows only that leaves are
 * gone: a user whose devices said before that they leave would pass for one who has logged out.
 *
 * Any member can say it: the server decides who may remove, and its word must not decide who may come back. It concerns
 * nobody but users whose devices have all been out of the group.
 */
import { withoutWayBack } from '../conversations/changes.js';
import { isString } from './kind.js';

/** @typedef {{ kind: 'removal', id: string, user: string }} Removal */

/** @type {import('./kind.js').Kind<Removal>} */
export const removal = {
  fields: { user: isString },
  references: () => [],
  fold(conversation, { sender, content: { user } }) {
    if (conversation.strangers?.includes(sender.user)) return { conversation };
    return { conversation: withoutWayBack(conversation, user) };
  },
  isBound: false, // it reveals nothing, and its author wants it to arrive
};
