// @ts-check
/** Conversations: their members, their state, and whom the user trusts in them. */
import { otherIn } from '../../client/direct/path.js';

/**
 * @typedef {import('../../client/conversations/reducer.js').Person} Person
 * @typedef {`${string}-${string}-${string}-${string}-${string}`} Uuid
 */

/** @param {{ client: import('../../client/client.js').Client, page: import('../page.js').Page }} parts */
export function conversationCalls({ client, page }) {
  return {
    conversations: {
      /** Returns its id. @param {{ usernames: string[], name?: string, id: Uuid }} args */
      async start({ usernames, name, id }) {
        await client.membership.start(usernames, id);
        if (name) await client.outbox.send(id, { kind: 'group', name });
        return id;
      },
      /** Returns its id. @param {{ username: string }} args */
      startDirect: ({ username }) => client.membership.find(username).then((user) => client.direct.open(user.id)),
      /** A new key of a direct conversation; deletes its messages. @param {{ conversation: string }} args */
      async renewKey({ conversation }) {
        const known = await client.store.get(conversation);
        if (!known) throw new Error(`there is no conversation ${conversation}`);
        return client.direct.renewKey(otherIn(known, client.me.user.id));
      },
      /** @param {{ conversation: string, username: string }} args */
      addMember: ({ conversation, username }) => client.membership.add(conversation, [username]),
      /** @param {{ conversation: string, user: string }} args */
      removeMember: ({ conversation, user }) => client.membership.remove(conversation, user),
      /** @param {{ conversation: string, user: string, role: Person['role'] }} args */
      setRole: ({ conversation, user, role }) => client.membership.setRole(conversation, user, role),
      /** @param {{ conversation: string }} args */
      leave: ({ conversation }) => client.farewell.leave(conversation),
      /** Accept or ignore a message request. @param {{ conversation: string, state: 'joined' | 'ignored' }} args */
      answer: ({ conversation, state }) => client.membership.answer(conversation, state),
      /** Delete it from this browser; only one that this device has left. @param {{ conversation: string }} args */
      forget: ({ conversation }) => client.store.forget(conversation),
      /** @param {{ conversation: string }} args */
      typing({ conversation }) {
        if (page.settings.typing) client.type(conversation);
      },
      /** An empty text deletes the draft. @param {{ conversation: string, text: string }} args */
      saveDraft: ({ conversation, text }) =>
        client.storage.write([['state', `draft/${conversation}`, text || undefined]]),
      /** Everything up to `seq` has been read. @param {{ conversation: string, seq: number }} args */
      markRead: ({ conversation, seq }) => client.receipts.read(conversation, seq),
    },

    trust: {
      /** @param {{ conversation: string, user: string }} args */
      safetyNumber: ({ conversation, user }) => client.trust.safetyNumber(conversation, user),
      /**
       * The safety number that was made of this was compared, and matches.
       * @param {{ user: string, compared: import('../../client/trust/verified.js').Compared, name: string }} args
       */
      verify: ({ user, compared, name }) => client.identities.verify(user, compared, name),
      /** Go on with a contact's other account key, without verifying it. @param {{ user: string }} args */
      acceptKey: ({ user }) => client.identities.acceptChanged(user),
      /** The same for each of these who has another one; a name means no one verified under another. @param {{ usernames: string[] }} args */
      async acceptKeys({ usernames }) {
        for (const username of usernames) {
          const { id } = await client.membership.find(username);
          await client.trust.checkKnownAs(username, id);
          await client.identities.acceptChanged(id);
        }
      },
      /** Let these read along, whom no member has added. @param {{ conversation: string, users: string[] }} args */
      acceptStrangers: ({ conversation, users }) => client.membership.acceptStrangers(conversation, users),
      /** Remove these, as the server asks. @param {{ conversation: string, users: string[] }} args */
      agreeToRemovals: ({ conversation, users }) => client.removals.agree(conversation, users),
    },
  };
}
