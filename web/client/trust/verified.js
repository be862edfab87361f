// @ts-check
/** Whether the keys of a contact are those that were verified. */

/** @typedef {import('../conversations/reducer.js').Conversation} Conversation */

/** @param {Conversation} conversation @param {string} user @returns {'unknown' | 'verified' | 'changed'} */
export function trustIn(conversation, user) {
  const compared = conversation.verified[user];
  if (compared === undefined) return 'unknown';
  const keys = conversation.members.filter((member) => member.user === user);
  if (!keys.length) return 'changed'; // another user in their place was not verified
  return keys.every(({ thumbprint }) => compared.includes(thumbprint)) ? 'verified' : 'changed';
}

/** A contact was verified before the change and is not any more. @param {Conversation} before @param {Conversation} after */
export function hasLostTrust(before, after) {
  return Object.keys(after.verified).some((user) => trustIn(after, user) === 'changed' && trustIn(before, user) !== 'changed');
}
