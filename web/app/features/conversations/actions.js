// @ts-check

/** @param {import('../../actions.js').Context} context */
export function conversationsActions({ rpc, page }) {
  return {
    /** @param {{ conversation: string | null }} detail null: back to the list */
    openConversation: ({ conversation }) => page.open(conversation),

    /** Accept or ignore a message request. @param {{ conversation: string, state: 'joined' | 'ignored' }} detail */
    async answerRequest({ conversation, state }) {
      await rpc.conversations.answer({ conversation, state });
      if (state === 'ignored') page.open(null);
    },

    /** Delete one that we are no longer in from this device. @param {{ conversation: string }} detail */
    forgetConversation: ({ conversation }) => rpc.conversations.forget({ conversation }),

    /** @param {{ user: string }} detail */
    async block({ user }) {
      await rpc.contacts.block({ user });
      page.open(null);
    },

    /** @param {{ user: string }} detail */
    unblock: ({ user }) => rpc.contacts.unblock({ user }),
  };
}
