// @ts-check
/**
 * Who may read a message that waits: the devices that were in the group when it was written, and those that the account
 * keys of their users have listed since.
 */
import { HeldBack } from '../mls/errors.js';

/**
 * @typedef {import('../mls/core-crypto.js').Member} Member
 * @typedef {import('./reducer.js').Conversation} Conversation
 * @typedef {{ user: string, thumbprint: string }} Reader
 */

/** @param {Conversation | undefined} conversation @returns {Reader[]} */
export function readersOf(conversation) {
  return (conversation?.members ?? []).map(({ user, thumbprint }) => ({ user, thumbprint }));
}

/**
 * The check of the leaves that would read a message. It throws HeldBack.
 * @param {import('../trust/identities.js').Identities} identities
 * @param {Conversation} conversation as it is now
 * @param {Reader[]} readers when the message was written
 * @returns {Promise<(leaves: Member[]) => void>}
 */
export async function readerCheck(identities, conversation, readers) {
  const strangers = new Set(conversation.strangers);
  const seen = new Set(readers.map(({ thumbprint }) => thumbprint));
  const before = new Set(readers.map(({ user }) => user));
  const users = conversation.members.map(({ user }) => user);
  const lists = await identities.listsOf([...before, ...users]);
  return (leaves) => {
    if (conversation.missing?.length)
      throw new HeldBack('removal_asked', 'a verified user is not in the group any more');
    const unlisted = leaves.filter(({ user, thumbprint }) => lists.get(user)?.has(thumbprint) === false);
    if (unlisted.some(({ user }) => conversation.changedKeys?.includes(user)))
      throw new HeldBack('changed_key', 'a user of the group has shown another account key');
    if (unlisted.length)
      throw new HeldBack('unlisted_device', 'the group has devices that their account has not listed');
    if (leaves.some(({ user }) => strangers.has(user)))
      throw new HeldBack('stranger', 'the group has a user whom no member has added');
    const isFit = (/** @type {Reader} */ { user, thumbprint }) =>
      seen.has(thumbprint) || (before.has(user) && lists.has(user));
    if (!leaves.every(isFit)) throw new HeldBack('new_readers', 'the group has devices that the author did not see');
  };
}
