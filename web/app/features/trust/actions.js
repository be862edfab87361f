// @ts-check
import { t } from '../../messages/index.js';

/** @param {import('../../actions.js').Context} context */
export function trustActions({ rpc, page }) {
  return {
    /** @param {{ conversation: string, user: string }} detail */
    getSafetyNumber: ({ conversation, user }) => rpc.trust.safetyNumber({ conversation, user }),

    /**
     * The safety number that was made of this matches, and the contact has this name.
     * @param {{ user: string, compared: import('../../../client/trust/verified.js').Compared, name: string }} detail
     */
    verify: ({ user, compared, name }) => rpc.trust.verify({ user, compared, name }),

    /** @param {{ user: string }} detail */
    acceptKey: ({ user }) => rpc.trust.acceptKey({ user }),

    /** @param {{ conversation: string, users: string[] }} detail those who were shown */
    acceptStrangers: ({ conversation, users }) => rpc.trust.acceptStrangers({ conversation, users }),

    /** @param {{ conversation: string, users: string[] }} detail those who were shown */
    agreeToRemovals: ({ conversation, users }) => rpc.trust.agreeToRemovals({ conversation, users }),

    /** A new key for a direct conversation; its messages are deleted. @param {{ conversation: string }} detail */
    async createKey({ conversation }) {
      await rpc.conversations.renewKey({ conversation });
      page.toast(t.newKey.done);
    },
  };
}
