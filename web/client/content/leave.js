// @ts-check
/**
 * The sender leaves the group, or its device does, because its user logs out. So the removal that follows does not rest
 * on the server's word.
 */
import { oneOf } from './kind.js';

/** @typedef {{ kind: 'leave', id: string, who: 'user' | 'device' }} Leave */

/** @type {import('./kind.js').Kind<Leave>} */
export const leave = {
  fields: { who: oneOf('user', 'device') },
  references: () => [],
  fold(conversation, { seq, at, sender: { user, device }, content: { who }, isLate }, _, me) {
    if (isLate) return { conversation }; // they may have come back since
    if (who === 'user' && user === me) return { conversation }; // the entry `left` ends it
    const released = [...new Set([...(conversation.released ?? []), who === 'user' ? user : device])];
    if (who === 'device' || conversation.released?.includes(user))
      return { conversation: { ...conversation, released } };
    const leaving = [...new Set([...(conversation.leaving ?? []), user])];
    return {
      conversation: { ...conversation, released, leaving },
      item: { seq, at, user, notice: { what: 'left', user } },
    };
  },
  isBound: false, // it reveals nothing, and its author wants it to arrive
};
