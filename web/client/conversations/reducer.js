// @ts-check
/**
 * What a conversation shows: a pure fold over what was said in it. Reading the same thing twice changes nothing.
 *
 * What refers to an earlier message finds it in `target`; everybody reads a conversation in the same order, so what it
 * refers to has been read before, or will never be.
 */
import { kindOf, previewOf } from '../content/index.js';
import { deletedItem, withoutUnread } from './changes.js';

/**
 * @typedef {import('../content/index.js').Content} Content
 * @typedef {import('../mls/core-crypto.js').Member} Member
 * @typedef {{ id: string, username: string, role: 'owner' | 'admin' | 'member', picture?: string }} Person
 * @typedef {import('../content/kind.js').Entry<Content>} Said a decrypted entry
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

const PREVIEW_CHARS = 200;

/**
 * @param {Conversation} conversation @param {Said} said @param {Item | undefined} target the newest known message that
 *   it refers to @param {string} me the user of this device
 * @returns {{ conversation: Conversation, item?: Item }} what has changed
 */
export function fold(conversation, said, target, me) {
  const { seq, at, content } = said;
  const kind = kindOf(content.kind);
  if (!kind)
    return {
      conversation,
      item: {
        seq,
        at,
        user: said.sender.user,
        isHidden: true,
        raw: content.kind === 'unknown' ? content.raw : content,
      },
    };
  const after = kind.fold(conversation, said, target, me);
  return after.item ? { ...after, conversation: withPreview(after.conversation, after.item) } : after;
}

/** The ids that a content refers to; the newest of those that are known is the `target` of `fold`. @param {Content} content */
export function references(content) {
  return kindOf(content.kind)?.references(content) ?? [];
}

/** Its author has deleted it for everyone. @param {Conversation} conversation @param {Item} target */
export function deleted(conversation, target) {
  const item = deletedItem(target);
  return { conversation: withPreview(withoutUnread(conversation, target.seq), item), item };
}

/** The list of conversations shows the newest message, as it is now. @param {Conversation} conversation @param {Item} item */
export function withPreview(conversation, item) {
  const newest = conversation.last?.seq ?? 0;
  const text = item.isDeleted ? '' : previewOf(item);
  if (text === undefined || item.seq < newest || (item.isDeleted && item.seq > newest)) return conversation;
  return { ...conversation, last: { seq: item.seq, at: item.at, user: item.user, text: text.slice(0, PREVIEW_CHARS) } };
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
