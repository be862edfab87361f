// @ts-check
import { newId } from '../../../client/content/index.js';

/** @typedef {import('../../state/selectors.js').Person['role']} Role */

/** @param {import('../../actions.js').Context} context */
export function detailsActions({ rpc }) {
  return {
    /** @param {{ conversation: string, name: string }} detail */
    addMember: ({ conversation, name }) => rpc.conversations.addMember({ conversation, username: name }),

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
