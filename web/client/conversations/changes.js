// @ts-check
/** The pure changes of a conversation that kinds of content share. */

/**
 * @typedef {import('./reducer.js').Conversation} Conversation
 * @typedef {import('./reducer.js').Item} Item
 */

const DELETED_AHEAD_MAX = 100; // of one user
const DELETED_AHEAD_OF_ALL_MAX = 1000;
const UNREAD_MAX = 1000; // more are counted as this many

/** @param {string} id @returns {Conversation} */
export function emptyConversation(id) {
  return {
    id,
    since: 0,
    cursor: 0,
    isActive: false,
    members: [],
    people: [],
    names: {},
    state: 'requested',
    last: null,
    unread: [],
    marks: {},
    told: { delivered: 0, read: 0 },
    verified: {},
  };
}

/**
 * With the state and the people of the server's list. A conversation that the user has joined never becomes a message
 * request again, unless this device was out of it since and nobody in it is verified.
 * @param {Conversation} known @param {Conversation['state']} state @param {Conversation['people']} people
 * @returns {Conversation}
 */
export function withListed(known, state, people) {
  const isKept = known.state === 'joined' && !(known.hasLeft && Object.keys(known.verified).length === 0);
  return { ...known, state: state === 'requested' && isKept ? 'joined' : state, people, hasLeft: undefined };
}

/**
 * A member has removed this user. The user counts as a stranger if they came, or come, back by an external commit.
 * @param {Conversation} conversation @param {string} user @returns {Conversation}
 */
export function withoutWayBack({ absent = [], returned = [], strangers = [], ...conversation }, user) {
  return {
    ...conversation,
    absent: absent.filter((one) => one !== user),
    returned,
    strangers: returned.includes(user) ? [...new Set([...strangers, user])] : strangers,
  };
}

/** This device is not in the group any more. @param {Conversation} conversation @returns {Conversation} */
export function ended(conversation) {
  return { ...conversation, isActive: false, hasLeft: true };
}

/** This device can send to the group. @param {Conversation | undefined} conversation @returns {conversation is Conversation} */
export function canSend(conversation) {
  return (
    conversation !== undefined && conversation.kind !== 'direct' && conversation.isActive && !conversation.isForged
  );
}

/**
 * With one more unread message, unless it is ours, known or read.
 * @param {Conversation} conversation @param {Item} item @param {string} me
 */
export function withUnread(conversation, item, me) {
  if (item.user === me || conversation.unread.includes(item.seq)) return conversation;
  if (item.seq <= (conversation.marks[me]?.read ?? 0)) return conversation;
  return { ...conversation, unread: [...conversation.unread, item.seq].slice(-UNREAD_MAX) };
}

/** @param {Conversation} conversation @param {number} seq @returns {Conversation} */
export function withoutUnread(conversation, seq) {
  return { ...conversation, unread: conversation.unread.filter((one) => one !== seq) };
}

/**
 * The author has deleted a message that is not here: the server may show it later.
 * @param {Conversation} conversation @param {string} user @param {string} id @returns {Conversation}
 */
export function deletedAhead(conversation, user, id) {
  const ahead = [...(conversation.deletedAhead ?? []), `${user} ${id}`];
  const theirs = ahead.filter((one) => one.startsWith(`${user} `)).slice(-DELETED_AHEAD_MAX);
  const others = ahead.filter((one) => !one.startsWith(`${user} `));
  return { ...conversation, deletedAhead: [...others, ...theirs].slice(-DELETED_AHEAD_OF_ALL_MAX) };
}

/** @param {Conversation} conversation @param {string} user @param {string} id */
export function isDeletedAhead({ deletedAhead: ahead = [] }, user, id) {
  return ahead.includes(`${user} ${id}`);
}

/** What remains of a message that its author has deleted. @param {Item} item @returns {Item} */
export function deletedItem({ seq, at, user, id }) {
  return { seq, at, user, id, isDeleted: true };
}

/**
 * This user has received, or read, everything up to `seq`; a mark never moves back.
 * @param {Conversation} conversation @param {string} user @param {'delivered' | 'read'} state @param {number} seq
 * @param {string} me
 */
export function marked(conversation, user, state, seq, me) {
  const before = conversation.marks[user] ?? { delivered: 0, read: 0 };
  const after = {
    delivered: Math.max(before.delivered, seq),
    read: state === 'read' ? Math.max(before.read, seq) : before.read,
  };
  if (after.delivered === before.delivered && after.read === before.read) return conversation;
  const changed = { ...conversation, marks: { ...conversation.marks, [user]: after } };
  return user === me ? { ...changed, unread: changed.unread.filter((one) => one > after.read) } : changed;
}
