// @ts-check
/** A message. */
import { deletedItem, isDeletedAhead, withUnread } from '../conversations/changes.js';
import { isId, isString, optional } from './kind.js';

/** @typedef {{ kind: 'text', id: string, text: string, reply_to?: string }} Text */

/** @type {import('./kind.js').Kind<Text>} */
export const text = {
  fields: { text: isString, reply_to: optional(isId) },
  references: ({ id }) => [id],
  fold(conversation, { seq, at, sender, content, how, isForeign }, target, me) {
    const isRepeated = target !== undefined && target.seq !== seq;
    if (isRepeated && target.user === sender.user) return { conversation };
    // An id belongs to the user who used it first. The server knows the ids of messages that it withholds.
    const id = isRepeated || isForeign ? undefined : content.id;
    /** @type {import('./kind.js').Item} */
    const item = { seq, at, user: sender.user, device: sender.device, id, text: content.text };
    if (content.reply_to) item.replyTo = content.reply_to;
    if (how) item.how = how;
    if (isForeign) item.isForeign = true;
    if (id && isDeletedAhead(conversation, sender.user, id)) return { conversation, item: deletedItem(item) };
    return { conversation: withUnread(conversation, item, me), item };
  },
  preview: ({ text }) => text,
  isBound: true,
};
