// @ts-check
/** The sender's devices have received, or its user has read, everything up to the newest of these messages. */
import { marked } from '../conversations/changes.js';
import { isIds, oneOf } from './kind.js';

/** @typedef {{ kind: 'receipt', id: string, of: string[], state: 'delivered' | 'read' }} Receipt */

/** @type {import('./kind.js').Kind<Receipt>} */
export const receipt = {
  fields: { of: isIds, state: oneOf('delivered', 'read') },
  references: ({ of }) => of,
  fold(conversation, { sender, content }, target, me) {
    return { conversation: target ? marked(conversation, sender.user, content.state, target.seq, me) : conversation };
  },
  isReplaced: true,
  isBound: false,
};
