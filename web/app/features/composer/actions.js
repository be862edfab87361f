// @ts-check
import { newId } from '../../../client/content/index.js';

const DRAFT_MS = 400; // what is typed within this time is stored at once

/** @param {import('../../actions.js').Context} context */
export function composerActions({ rpc, store }) {
  /** By conversation. @type {Map<string, ReturnType<typeof setTimeout>>} */
  const timers = new Map();

  /** @param {{ conversation: string, text: string }} detail an empty text deletes the draft */
  function saveDraft({ conversation, text }) {
    store.dispatch({ type: 'draft', conversation, text });
    clearTimeout(timers.get(conversation));
    const save = () => void rpc.conversations.saveDraft({ conversation, text });
    if (text) timers.set(conversation, setTimeout(save, DRAFT_MS));
    else save();
  }

  return {
    saveDraft,

    /** @param {{ conversation: string, text: string, replyTo?: string }} detail */
    async sendMessage({ conversation, text, replyTo }) {
      const reply = replyTo ? { reply_to: replyTo } : {};
      try {
        await rpc.messages.send({ conversation, content: { kind: 'text', id: newId(), text, ...reply } });
      } catch (error) {
        saveDraft({ conversation, text }); // it is not lost
        throw error;
      }
    },

    /** @param {{ conversation: string, of: string, text: string }} detail */
    editMessage: ({ conversation, of, text }) =>
      rpc.messages.send({ conversation, content: { kind: 'edit', id: newId(), of, text } }),

    /** @param {{ conversation: string }} detail */
    sendTyping: ({ conversation }) => rpc.conversations.typing({ conversation }),
  };
}
