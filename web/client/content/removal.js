// @ts-check
/**
 * The sender has removed a user, who may come back only if a member adds them. The commit shows only which leaves it
 * removes. If the user's devices had sent `leave` before, members would treat the user as logged out.
 *
 * Clients accept it from any member: only the server knows who may remove, and a server that lies must not decide who
 * may come back. It changes nothing but for users whose devices have all been out of the group.
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
