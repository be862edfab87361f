// @ts-check
/** The conversations, which of them is open, and who is typing in them. */

/** @typedef {import('../../state/reducer.js').State} State */

const TYPING_MS = 5000;

/** @type {import('../../state/reducer.js').Slice} */
export function conversationsSlice({ conversations, open, typing }, event) {
  switch (event.type) {
    case 'snapshot':
      return { conversations: Object.fromEntries((event.conversations ?? []).map((one) => [one.id, one])) };
    case 'conversation':
      return { conversations: { ...conversations, [event.conversation.id]: event.conversation } };
    case 'gone': {
      const { [event.conversation]: _, ...rest } = conversations;
      return { conversations: rest, open: open === event.conversation ? null : open };
    }
    case 'opened':
      return { open: event.conversation };
    case 'offline':
      return { typing: {} };
    case 'typing': {
      const { conversation, user, at } = event;
      return { typing: { ...typing, [conversation]: { ...typing[conversation], [user]: at } } };
    }
    case 'typing expired':
      return { typing: withoutExpired(typing, event.at) };
    case 'item':
      return { typing: without(typing, event.conversation, event.item.user) };
  }
}

/** @param {State['typing']} typing @param {string} id @param {string} user @returns {State['typing']} */
function without(typing, id, user) {
  if (typing[id]?.[user] === undefined) return typing;
  const { [user]: _, ...others } = typing[id];
  return { ...typing, [id]: others };
}

/** @param {State['typing']} typing @param {number} at now */
function withoutExpired(typing, at) {
  const expired = Object.entries(typing).flatMap(([id, users]) =>
    Object.entries(users)
      .filter(([, since]) => at - since > TYPING_MS)
      .map(([user]) => ({ id, user })),
  );
  return expired.reduce((rest, { id, user }) => without(rest, id, user), typing);
}
