// @ts-check
/**
 * What a conversation shows: a pure fold over what was said in it. Reading the same thing twice changes nothing.
 *
 * What refers to an earlier message finds it in `target`; everybody reads a conversation in the same order, so what it
 * refers to has been read before, or will never be.
 */

/**
 * @typedef {import('../content/index.js').Content} Content
 * @typedef {import('../mls/core-crypto.js').ClientName} ClientName
 * @typedef {import('../mls/core-crypto.js').Member} Member
 * @typedef {{ id: string, username: string, role: 'owner' | 'admin' | 'member', picture?: string }} Person
 * @typedef {{ seq: number, at: string, sender: ClientName, content: Content, how?: import('../direct/cipher.js').How }} Said
 * @typedef {{ emoji: string, seq: number }} Reaction an empty emoji was taken back
 *
 * @typedef {{ by: string, added: string[], removed: string[], devices: { user: string, device: string }[] }} Change
 *   `added` and `removed` are users; `devices` are new devices or keys of somebody who was there before
 * @typedef {{ what: 'joined' | 'rejoined', change?: Change } | { what: 'left', user: string } | { what: 'unreadable' }
 *   | { what: 'named', user: string, name: string } | { what: 'members' } & Change } Notice
 *
 * @typedef {object} Item what is shown at one seq
 * @property {number} seq
 * @property {string} at RFC 3339
 * @property {string} user
 * @property {string} [device] that said it
 * @property {string} [id] of the message
 * @property {string} [text]
 * @property {string} [replyTo] an id
 * @property {import('../direct/cipher.js').How} [how] a text of a direct conversation was kept
 * @property {number[]} [edits] their seqs
 * @property {boolean} [isDeleted] for everyone, by its author
 * @property {boolean} [isHidden] here, by the reader; or of a kind that we do not know
 * @property {Record<string, Reaction>} [reactions] by user
 * @property {Notice} [notice]
 * @property {unknown} [raw] of a kind that we do not know
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {'direct'} [kind] of two people by a key that the server handed out; all others are MLS groups
 * @property {'none' | 'here' | 'elsewhere'} [key] of a direct one: whether this device has that key; none: there is none yet
 * @property {string} [fingerprint] of the key under which it was read
 * @property {number} since we joined after this entry
 * @property {number} cursor we have read up to here
 * @property {boolean} isActive this device is in the group
 * @property {Member[]} members its devices
 * @property {Person[]} people
 * @property {Record<string, string>} names of everybody who is in it or has been, by user
 * @property {'joined' | 'requested' | 'ignored' | 'blocked'} state until the server has said which: a stranger's request
 * @property {string[]} [seen] users who are in the group or have been
 * @property {string[]} [leaving] users who have said that they leave, and are still to be removed
 * @property {string} [name]
 * @property {number} [namedAt] the seq that said it
 * @property {{ seq: number, at: string, user: string, text: string } | null} last what the list shows of it
 * @property {number[]} unread seqs of what others have said and we have not seen, the oldest first
 * @property {Record<string, { delivered: number, read: number }>} marks by user: up to where
 * @property {{ delivered: number, read: number }} told what we have told the others of that
 * @property {Record<string, string[]>} verified by user: the thumbprints that were compared
 */

const UNREAD_MAX = 1000; // more are counted as this
const PREVIEW_CHARS = 200;

/** @param {string} id @returns {Conversation} */
export function emptyConversation(id) {
  return {
    id, since: 0, cursor: 0, isActive: false, members: [], people: [], names: {}, state: 'requested', last: null, unread: [],
    marks: {}, told: { delivered: 0, read: 0 }, verified: {},
  }; // prettier-ignore
}

/**
 * @param {Conversation} conversation @param {Said} said @param {Item | undefined} target what it refers to, or, of a
 *   text, the message with its id @param {string} me our user
 * @returns {{ conversation: Conversation, item?: Item }} what has changed
 */
export function fold(conversation, said, target, me) {
  const { seq, at, content } = said;
  const user = said.sender.user;
  const isTheirs = target !== undefined && target.user === user && !target.isDeleted;
  switch (content.kind) {
    case 'text': {
      if (target && target.seq !== seq && target.user === user) return { conversation }; // said twice
      const id = target && target.seq !== seq ? undefined : content.id; // somebody else's id is not taken over
      /** @type {Item} */
      const item = { seq, at, user, device: said.sender.device, id, text: content.text };
      if (content.reply_to) item.replyTo = content.reply_to;
      if (said.how) item.how = said.how;
      return { conversation: spoken(conversation, item, me), item };
    }
    case 'edit': {
      if (!isTheirs || target.text === undefined || target.edits?.some((one) => one >= seq)) return { conversation };
      const item = { ...target, text: content.text, edits: [...(target.edits ?? []), seq] };
      return { conversation: previewed(conversation, item), item };
    }
    case 'delete':
      return isTheirs ? deleted(conversation, target) : { conversation };
    case 'reaction': {
      if (!target || target.isDeleted || (target.reactions?.[user]?.seq ?? 0) >= seq) return { conversation };
      return { conversation, item: { ...target, reactions: { ...target.reactions, [user]: { emoji: content.emoji, seq } } } };
    }
    case 'receipt':
      return { conversation: target ? marked(conversation, user, content.state, target.seq, me) : conversation };
    case 'group': {
      if ((conversation.namedAt ?? 0) > seq) return { conversation }; // what we said ourselves may be known first
      if (conversation.name === content.name) return { conversation: { ...conversation, namedAt: seq } }; // said again, for those who have come since
      const item = { seq, at, user, notice: { what: /** @type {const} */ ('named'), user, name: content.name } };
      return { conversation: { ...conversation, name: content.name, namedAt: seq }, item };
    }
    default:
      return { conversation, item: { seq, at, user, isHidden: true, raw: content.kind === 'unknown' ? content.raw : content } };
  }
}

/** The ids that a content refers to; the newest of those that are there is the `target` of `fold`. @param {Content} content */
export function references(content) {
  switch (content.kind) {
    case 'text':
      return [content.id];
    case 'edit':
    case 'delete':
    case 'reaction':
      return [content.of];
    case 'receipt':
      return content.of;
    default:
      return [];
  }
}

/** Its author has deleted it for everyone. @param {Conversation} conversation @param {Item} target */
export function deleted(conversation, target) {
  const { seq, at, user, id } = target;
  const item = { seq, at, user, id, isDeleted: true };
  return { conversation: previewed(unread(conversation, (one) => one !== seq), item), item };
}

/** Up to where somebody has it. @param {Conversation} conversation @param {string} user @param {'delivered' | 'read'} state @param {number} seq @param {string} me */
export function marked(conversation, user, state, seq, me) {
  const before = conversation.marks[user] ?? { delivered: 0, read: 0 };
  const after = {
    delivered: Math.max(before.delivered, seq),
    read: state === 'read' ? Math.max(before.read, seq) : before.read,
  };
  if (after.delivered === before.delivered && after.read === before.read) return conversation;
  const with_ = { ...conversation, marks: { ...conversation.marks, [user]: after } };
  return user === me ? unread(with_, (one) => one > after.read) : with_;
}

/** @param {Conversation} conversation @param {Item} item @param {string} me */
function spoken(conversation, item, me) {
  const isLast = item.seq >= (conversation.last?.seq ?? 0);
  const last = isLast ? preview(item) : conversation.last;
  if (item.user === me || conversation.unread.includes(item.seq)) return { ...conversation, last };
  if (item.seq <= (conversation.marks[me]?.read ?? 0)) return { ...conversation, last };
  return { ...conversation, last, unread: [...conversation.unread, item.seq].slice(-UNREAD_MAX) };
}

/** @param {Conversation} conversation @param {Item} item */
export function previewed(conversation, item) {
  return conversation.last?.seq === item.seq ? { ...conversation, last: preview(item) } : conversation;
}

/** @param {Item} item */
function preview({ seq, at, user, text = '' }) {
  return { seq, at, user, text: text.slice(0, PREVIEW_CHARS) };
}

/** @param {Conversation} conversation @param {(seq: number) => boolean} keep */
function unread(conversation, keep) {
  return { ...conversation, unread: conversation.unread.filter(keep) };
}

/**
 * What a change of the group means for those who read it: who came, who went, whose keys are new.
 * @param {Conversation} conversation @param {Member[]} members as they are now @param {string} by the user who did it
 * @returns {{ conversation: Conversation, notice: ({ what: 'members' } & Change) | null }}
 */
export function regrouped(conversation, members, by) {
  const before = conversation.members;
  const users = new Set(before.map(({ user }) => user));
  const seen = new Set([...(conversation.seen ?? []), ...users]); // who comes again with new keys has new keys
  const now = new Set(members.map(({ user }) => user));
  const known = new Set(before.map(keyOf));
  const fresh = members.filter((member) => !known.has(keyOf(member)));
  const devices = fresh.filter(({ user }) => seen.has(user)).map(({ user, device }) => ({ user, device }));
  const added = [...now].filter((user) => !users.has(user));
  const leaving = conversation.leaving ?? [];
  const removed = [...users].filter((user) => !now.has(user) && !leaving.includes(user)); // that they left has been said
  const staying = leaving.filter((user) => now.has(user) && !fresh.some((one) => one.user === user)); // and not taken in again
  return {
    conversation: { ...conversation, members, seen: [...new Set([...seen, ...now])], leaving: staying },
    notice: added.length || removed.length || devices.length ? { what: 'members', by, added, removed, devices } : null,
  };
}

/** @param {Member} member */
function keyOf({ device, thumbprint }) {
  return `${device} ${thumbprint}`;
}

/** Everybody else has it, or has read it. @param {Conversation} conversation @param {number} seq @param {string} me */
export function receivedBy(conversation, seq, me) {
  const others = conversation.people.filter(({ id }) => id !== me).map(({ id }) => conversation.marks[id]);
  if (others.length === 0 || others.some((mark) => (mark?.delivered ?? 0) < seq)) return 'sent';
  return others.every((mark) => (mark?.read ?? 0) >= seq) ? 'read' : 'delivered';
}

/** Somebody's keys were the compared ones and are not any more. @param {Conversation} before @param {Conversation} after */
export function hasLostTrust(before, after) {
  return Object.keys(after.verified).some((user) => trustIn(after, user) === 'changed' && trustIn(before, user) !== 'changed');
}

/** @param {Conversation} conversation @param {string} user @returns {'unknown' | 'verified' | 'changed'} */
export function trustIn(conversation, user) {
  const compared = conversation.verified[user];
  if (compared === undefined) return 'unknown';
  const keys = conversation.members.filter((member) => member.user === user);
  if (!keys.length) return 'changed'; // whoever is there in their place was not compared
  return keys.every(({ thumbprint }) => compared.includes(thumbprint)) ? 'verified' : 'changed';
}
