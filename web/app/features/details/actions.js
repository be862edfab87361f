// @ts-check
import { newId } from '../../../client/content/index.js';
import { askBeforeOtherKey } from '../trust/other-key.js';

/** @typedef {import('../../state/selectors.js').Person['role']} Role */

/** @param {import('../../actions.js').Context} context */
export function detailsActions({ rpc, page }) {
  return {
    /** @param {{ conversation: string, name: string, acceptsKeys?: boolean }} detail `acceptsKeys`: also with another account key */
    async addMember({ conversation, name, acceptsKeys = false }) {
      try {
        if (acceptsKeys) await rpc.trust.acceptKeys({ usernames: [name] });
        await rpc.conversations.addMember({ conversation, username: name });
      } catch (error) {
        askBeforeOtherKey(page, error, [name], {
          action: 'addMember',
          detail: { conversation, name, acceptsKeys: true },
        });
      }
    },

    /** @param {{ conversation: string, user: string }} detail */
    removeMember: ({ conversation, user }) => rpc.conversations.removeMember({ conversation, user }),

    /**
     * @param {{ conversation: string, user: string, role: Role }} detail
     */
    setRole: ({ conversation, user, role }) => rpc.conversations.setRole({ conversation, user, role }),

    /** @param {{ conversation: string, name: string }} detail */
    renameGroup: ({ conversation, name }) =>
      rpc.messages.send({ conversation, content: { kind: 'group', name, id: newId() } }),

    /** @param {{ conversation: string }} detail */
    leaveConversation: ({ conversation }) => rpc.conversations.leave({ conversation }),
  };
}
