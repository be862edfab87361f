// @ts-check
/** A message. */
import { withUnread } from '../conversations/changes.js';
import { isId, isString, optional } from './kind.js';

/** @typedef {{ kind: 'text', id: string, text: string, reply_to?: string }} Text */

/** @type {import('./kind.js').Kind<Text>} */
export const text = {
  fields: { text: isString, reply_to: optional(isId) },
  references: ({ id }) => [id],
  fold(conversation, { seq, at, sender, content, how, isForeign }, target, me) {
    const isRepeated = target !== undefined && target.seq !== seq;
    if (isRepeated && target.user === sender.user) return { conversation };
    const id = isRepeated ? undefined : content.id; // an id belongs to the user who used it first
    /** @type {import('./kind.js').Item} */
    const item = { seq, at, user: sender.user, device: sender.device, id, text: content.text };
    if (content.reply_to) item.replyTo = content.reply_to;
    if (how) item.how = how;
    if (isForeign) item.isForeign = true;
    return { conversation: withUnread(conversation, item, me), item };
  },
  preview: ({ text }) => text,
  isBound: true,
};
