// @ts-check
/** A direct conversation is named by the other user. */

/** @typedef {import('../conversations/reducer.js').Conversation} Conversation */

/** @param {Conversation} conversation @param {string} me user id */
export function otherIn({ id, people }, me) {
  const other = people.find((person) => person.id !== me);
  if (!other) throw new Error(`${id} has no other member`);
  return other;
}

/** Its path in the v2 API. @param {Conversation} conversation @param {string} me user id */
export function pathOf(conversation, me) {
  return `direct/${otherIn(conversation, me).id}`;
}
