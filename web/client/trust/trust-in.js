// @ts-check
/** What a conversation shows of the trust in its members. Pure, for the page and the command line too. */

/** @typedef {import('../conversations/reducer.js').Conversation} Conversation */

/**
 * 'changed': the account key is another one than before, or devices of a verified user were not verified. 'absent': no
 * device in the group, so the server alone says that the user is a member.
 * @param {Conversation} conversation @param {string} user @returns {'unknown' | 'verified' | 'changed' | 'absent'}
 */
export function trustIn(conversation, user) {
  if (conversation.changedKeys?.includes(user)) return 'changed';
  const verified = conversation.verified[user];
  const keys = conversation.members.filter((member) => member.user === user);
  const mayBeAbsent = verified === undefined || conversation.absent?.includes(user);
  if (!keys.length && mayBeAbsent && conversation.kind !== 'direct') return 'absent';
  if (verified === undefined) return 'unknown';
  if (!keys.length) return 'changed'; // another user in their place was not verified
  return keys.every(({ thumbprint }) => verified.includes(thumbprint)) ? 'verified' : 'changed';
}

/**
 * The devices that their users have not listed, although they have an account key.
 * @param {Conversation} conversation
 */
export function unlistedIn({ members, listed = {} }) {
  return members.filter(({ user, thumbprint }) => listed[user]?.includes(thumbprint) === false);
}
