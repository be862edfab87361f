// @ts-check
import { t } from '../../messages/index.js';

/** @param {import('../../actions.js').Context} context */
export function trustActions({ rpc, page }) {
  return {
    /** @param {{ conversation: string, user: string }} detail */
    getSafetyNumber: ({ conversation, user }) => rpc.trust.safetyNumber({ conversation, user }),

    /**
     * The safety number made of these thumbprints matches, and the contact has this name.
     * @param {{ user: string, thumbprints: string[], name: string }} detail
     */
    verify: ({ user, thumbprints, name }) => rpc.trust.verify({ user, thumbprints, name }),

    /** @param {{ user: string }} detail */
    acceptKey: ({ user }) => rpc.trust.acceptKey({ user }),

    /** @param {{ conversation: string }} detail */
    acceptStrangers: ({ conversation }) => rpc.trust.acceptStrangers({ conversation }),

    /** @param {{ conversation: string }} detail */
    agreeToRemovals: ({ conversation }) => rpc.trust.agreeToRemovals({ conversation }),

    /** A new key for a direct conversation; its messages are deleted. @param {{ conversation: string }} detail */
    async createKey({ conversation }) {
      await rpc.conversations.renewKey({ conversation });
      page.toast(t.newKey.done);
    },
  };
}
