// @ts-check
/**
 * The path of a direct conversation in the v2 API, which names it by the other user.
 * @param {import('../conversations/reducer.js').Conversation} conversation @param {string} me user id
 */
export function pathOf({ id, people }, me) {
  const other = people.find((person) => person.id !== me);
  if (!other) throw new Error(`${id} has no other member`);
  return `direct/${other.id}`;
}
