// @ts-check
/**
 * The pure reducer of a conversation: a decrypted entry changes the conversation and at most one item. The same entry
 * twice changes nothing more.
 *
 * A device that its user's account key has never listed may be the server's: it can add messages, which are marked, and
 * changes nothing else.
 *
 * An entry that is about an earlier message gets it as `target`. All devices read the log in the same order, so that
 * message was read before, or never will be.
 */
import { isMessage, kindOf, previewOf } from '../content/index.js';
import { deletedItem, withoutUnread } from './changes.js';

/**
 * @typedef {import('../content/index.js').Content} Content
 * @typedef {import('../mls/core-crypto.js').Member} Member
 * @typedef {{ id: string, username: string, role: 'owner' | 'admin' | 'member', picture?: string }} Person
 * @typedef {import('../content/kind.js').Entry<Content>} Said a decrypted entry
 * @typedef {{ emoji: string, seq: number, placed?: import('../content/kind.js').Placed }} Reaction an empty emoji: removed
 *
 * @typedef {{ by: string, added: string[], removed: string[], devices: { user: string, device: string }[],
 *   neverListed?: string[] }} Change `added` and `removed` are users; `devices` are new devices or keys of users who were
 *   members before; `neverListed` are users with a removed device that their account had never listed
 * @typedef {{ what: 'joined' | 'rejoined', change?: Change } | { what: 'left', user: string, isClaimed?: boolean } | { what: 'unreadable' | 'missing' }
 *   | { what: 'named', user: string, name: string } | { what: 'members' } & Change } Notice
 *
 * @typedef {object} Item what the timeline shows at one seq
 * @property {number} seq
 * @property {string} at RFC 3339
 * @property {string} user
 * @property {string} [device] that said it
 * @property {string} [id] of the message
 * @property {string} [text]
 * @property {string} [replyTo] an id
 * @property {import('../direct/cipher.js').How} [how] a text of a direct conversation was decrypted
 * @property {boolean} [isForeign] the account key of its user has never listed the device
 * @property {{ seq: number, id?: string }[]} [edits] their places and ids; those of direct conversations have no id
 * @property {import('../content/kind.js').Placed} [edited] the edit that counts
 * @property {boolean} [isDeleted] for everyone, by its author
 * @property {boolean} [isHidden] deleted on this device only, or of an unknown kind
 * @property {Record<string, Reaction>} [reactions] by user
 * @property {Notice} [notice]
 * @property {string} [raw] the JSON of content of an unknown kind
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {'direct'} [kind] a conversation of two users with a key of the server's; all others are MLS groups
 * @property {'none' | 'here' | 'elsewhere'} [key] of a direct one: does this device have the key
 * @property {string} [fingerprint] of the newest key that is known here
 * @property {number} since this device joined after this entry
 * @property {number} cursor everything up to here is stored
 * @property {number} [joined] the seq of the newest external commit: earlier messages may be lost to its device
 * @property {boolean} isActive this device is in the group
 * @property {number} [epoch] the highest that this device has seen of the group
 * @property {boolean} [isForged] the server has put a leaf into the group that hides behind another one
 * @property {Member[]} members its devices
 * @property {Person[]} people
 * @property {Record<string, string>} names of present and former members, by user
 * @property {'joined' | 'requested' | 'ignored' | 'blocked'} state 'requested': a message request, or not fetched yet
 * @property {boolean} [hasLeft] this device was out of the group since the state was fetched last
 * @property {string[]} [seen] users who are in the group or have been
 * @property {string[]} [leaving] users who leave and still have to be removed
 * @property {string[]} [released] users and devices that said inside the group that they leave
 * @property {string[]} [absent] members whose last device said that it leaves, and who may come back with another one
 * @property {string[]} [returned] users in the group who were absent and came back without being added
 * @property {string[]} [strangers] users whom no member has added, as far as this device knows
 * @property {string[]} [missing] verified users who are gone, which is only the server's word
 * @property {string[]} [asked] verified users whose removal the server asks for, and who did not say that they leave
 * @property {string[]} [intruders] thumbprints of leaves that were not listed when they came into the group
 * @property {Record<string, number>} [heard] when each device of the group sent something, to a day: Unix times in ms
 * @property {string} [name]
 * @property {number} [namedAt] the seq of the name
 * @property {import('../content/kind.js').Placed} [named]
 * @property {string[]} [deletedAhead] users and ids of deleted messages that are not here
 * @property {{ seq: number, at: string, user: string, text: string, isForeign?: boolean } | null} last the line in the list of conversations
 * @property {number[]} unread seqs of unread messages of other users, the oldest first
 * @property {Record<string, { delivered: number, read: number }>} marks up to where each user has received and read
 * @property {{ delivered: number, read: number }} told up to where this device has sent receipts
 * @property {Record<string, string[]>} verified thumbprints that the user has verified, by user
 * @property {Record<string, string[]>} [listed] thumbprints of the newest list of devices, of users with an account key
 * @property {string[]} [changedKeys] users with another account key than before, which was not accepted
 * @property {Record<string, string>} [knownAs] the names that these users had then: the server may give them others
 */

const PREVIEW_CHARS = 200;

/**
 * @param {Conversation} conversation @param {Said} said @param {Item | undefined} target the newest known message that
 *   it refers to @param {string} me the user of this device
 * @returns {{ conversation: Conversation, item?: Item }} what has changed
 */
export function fold(conversation, said, target, me) {
  const { seq, at, content } = said;
  if (content.kind === 'unknown')
    return { conversation, item: { seq, at, user: said.sender.user, isHidden: true, raw: content.raw } };
  if (said.isForeign && !isMessage(content)) return { conversation };
  const after = /** @type {import('../content/index.js').AnyKind} */ (kindOf(content.kind)).fold(
    conversation,
    said,
    target,
    me,
  );
  return after.item ? { ...after, conversation: withPreview(after.conversation, after.item) } : after;
}

/**
 * The ids that a content refers to; the newest of those that are known is the `target` of `fold`.
 * @param {Content} content
 */
export function references(content) {
  return kindOf(content.kind)?.references(content) ?? [];
}

/** Its author has deleted it for everyone. @param {Conversation} conversation @param {Item} target */
export function deleted(conversation, target) {
  const item = deletedItem(target);
  return { conversation: withPreview(withoutUnread(conversation, target.seq), item), item };
}

/**
 * The list of conversations shows the newest message, as it is now.
 * @param {Conversation} conversation @param {Item} item
 */
export function withPreview(conversation, item) {
  const newest = conversation.last?.seq ?? 0;
  const text = item.isDeleted ? '' : previewOf(item);
  if (text === undefined || item.seq < newest || (item.isDeleted && item.seq > newest)) return conversation;
  return {
    ...conversation,
    last: {
      seq: item.seq,
      at: item.at,
      user: item.user,
      text: text.slice(0, PREVIEW_CHARS),
      ...(item.isForeign && { isForeign: true }),
    },
  };
}

/**
 * Compare the group's members with those of before: added and removed users, and new devices or keys.
 * @param {Conversation} conversation @param {Member[]} members as they are now @param {string} by the user who did it
 * @param {{ isByMember?: boolean, neverListed?: string[] }} [about] `isByMember`: a member has added
 *   everyone who is new; `neverListed`: users with a removed device that their account had never listed
 * @returns {{ conversation: Conversation, notice: ({ what: 'members' } & Change) | null }}
 */
export function regrouped(conversation, members, by, { isByMember = true, neverListed = [] } = {}) {
  const before = conversation.members;
  const users = new Set(before.map(({ user }) => user));
  const seen = new Set([...(conversation.seen ?? []), ...users]); // a returning user's new keys count as new
  const now = new Set(members.map(({ user }) => user));
  const known = new Set(before.map(keyOf));
  const fresh = members.filter((member) => !known.has(keyOf(member)));
  const devices = fresh.filter(({ user }) => seen.has(user)).map(({ user, device }) => ({ user, device }));
  const added = [...now].filter((user) => !users.has(user));
  const leaving = conversation.leaving ?? [];
  // The timeline shows already that they left.
  const removed = [...users].filter((user) => !now.has(user) && !leaving.includes(user));
  // Unless they were added again.
  const staying = leaving.filter((user) => now.has(user) && !fresh.some((one) => one.user === user));
  const absent = absentUsers(conversation, now, before);
  const back = isByMember ? [] : added.filter((user) => conversation.absent?.includes(user));
  const unseen = isByMember ? [] : added.filter((user) => !back.includes(user));
  const returned = [...(conversation.returned ?? []).filter((user) => now.has(user)), ...back];
  const strangers = [...(conversation.strangers ?? []).filter((user) => now.has(user)), ...unseen];
  const remaining = members.filter((member) => !fresh.includes(member));
  const released = conversation.released?.filter((one) =>
    remaining.some(({ user, device }) => one === user || one === device),
  );
  const asked = conversation.asked?.filter((user) => now.has(user));
  return {
    conversation: {
      ...conversation,
      members,
      seen: [...new Set([...seen, ...now])],
      leaving: staying,
      released,
      strangers,
      absent,
      returned,
      asked,
    },
    notice: [added, removed, devices, neverListed].some(({ length }) => length)
      ? { what: 'members', by, added, removed, devices, ...(neverListed.length ? { neverListed } : {}) }
      : null,
  };
}

/**
 * @param {Conversation} conversation @param {Set<string>} there the users in the group @param {Member[]} before
 * @returns {string[]} members without a device, who were not removed and did not leave
 */
function absentUsers({ absent = [], released = [], strangers = [] }, there, before) {
  const removed = before.filter(({ user }) => !there.has(user) && !strangers.includes(user));
  const isGone = (/** @type {string} */ user) =>
    removed.filter((one) => one.user === user).every(({ device }) => released.includes(device));
  const loggedOut = removed.map(({ user }) => user).filter(isGone);
  return [...new Set([...absent, ...loggedOut])].filter((user) => !there.has(user) && !released.includes(user));
}

/** @param {Member} member */
function keyOf({ device, thumbprint }) {
  return `${device} ${thumbprint}`;
}

/**
 * What all other members have done with a message.
 * @param {Conversation} conversation @param {number} seq @param {string} me
 */
export function receivedBy(conversation, seq, me) {
  // The server names the people, but not the devices.
  const users = [...conversation.people.map(({ id }) => id), ...conversation.members.map(({ user }) => user)];
  const others = [...new Set(users)].filter((user) => user !== me).map((user) => conversation.marks[user]);
  if (others.length === 0 || others.some((mark) => (mark?.delivered ?? 0) < seq)) return 'sent';
  return others.every((mark) => (mark?.read ?? 0) >= seq) ? 'read' : 'delivered';
}
