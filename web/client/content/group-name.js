// @ts-check
/** The group's name. */

import { isOrder, isOvertaken, optional } from './kind.js';

/** @typedef {{ kind: 'group', id: string, name: string, order?: number }} GroupName */

const NAME_MAX = 60;
/** Controls, surrogates and bidirectional controls. Joiners are allowed: emoji and Persian need them. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** @param {unknown} value @returns {value is string} */
function isName(value) {
  if (typeof value !== 'string' || value === '' || value.trim() !== value) return false;
  return [...value].length <= NAME_MAX && !FORBIDDEN.test(value);
}

/** @type {import('./kind.js').Kind<GroupName>} */
export const groupName = {
  fields: { name: isName, order: optional(isOrder) },
  references: () => [],
  fold(conversation, { seq, at, sender, content: { name, order } }) {
    if (conversation.strangers?.includes(sender.user)) return { conversation };
    if ((conversation.namedAt ?? 0) > seq) return { conversation }; // our own name can be stored before earlier entries
    if (isOvertaken(conversation.named, sender, order)) return { conversation };
    const after = { ...conversation, name, namedAt: seq, named: { device: sender.device, order: order ?? 0 } };
    if (conversation.name === name) return { conversation: after }; // repeated for new devices
    return {
      conversation: after,
      item: { seq, at, user: sender.user, notice: { what: 'named', user: sender.user, name } },
    };
  },
  isBound: true,
};
