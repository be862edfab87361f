// @ts-check
/** What the components compute from the state. */
import { isKnownName, shownName } from '../../client/trust/shown-names.js';
import { trustIn, unlistedIn } from '../../client/trust/trust-in.js';
import { t } from '../messages/index.js';

/**
 * @typedef {import('../../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../../client/conversations/reducer.js').Person & { name: string, isUnknown?: boolean }} Person
 *   name: as it is shown
 * @typedef {import('./reducer.js').State} State
 */

const NAMES_MAX = 3; // in a title

/** The conversations of the list, the latest first. @param {State} state @returns {Conversation[]} */
export function listed(state) {
  return Object.values(state.conversations)
    .filter(({ state: ours, people }) => (ours === 'joined' || ours === 'requested') && people.length > 0)
    .sort((one, other) => ((other.last?.at ?? '') < (one.last?.at ?? '') ? -1 : 1));
}

/** @param {State} state */
export function unreadCount(state) {
  const joined = listed(state).filter((one) => one.state === 'joined');
  return joined.reduce((sum, { unread }) => sum + unread.length, 0);
}

/**
 * The members that the server names, and every other user with a device in the group: the group decides who can read.
 * @param {Conversation} conversation @returns {Person[]}
 */
export function participants(conversation) {
  const { people, members, names } = conversation;
  const isNamed = new Set(people.map(({ id }) => id));
  const unnamed = new Set(members.map(({ user }) => user).filter((user) => !isNamed.has(user)));
  const strangers = [...unnamed].map((id) => ({
    id,
    username: names[id] ?? t.common.unknownPerson,
    role: /** @type {const} */ ('member'),
    isUnknown: names[id] === undefined,
  }));
  return [...people, ...strangers].map((one) => ({ ...one, name: nameOfOther(conversation, one.id) }));
}

/** @param {Conversation} conversation @param {string} me @returns {Person[]} */
export function others(conversation, me) {
  return participants(conversation).filter(({ id }) => id !== me);
}

/**
 * Who asks in a message request. A person without a device in the group is there only by the server's word.
 * @param {Conversation} conversation @param {string} me
 */
export function hostOf(conversation, me) {
  const present = others(conversation, me).filter(({ id }) => trustIn(conversation, id) !== 'absent');
  return present.find(({ role }) => role === 'owner') ?? present[0];
}

/**
 * What the lock of a conversation shows; 'unsafe': there is a leaf that may be the server's.
 * @param {Conversation} conversation @param {string} me
 */
export function lockOf(conversation, me) {
  if (conversation.kind === 'direct') return 'direct';
  const people = others(conversation, me);
  if (conversation.isForged || conversation.strangers?.length || people.some(({ isUnknown }) => isUnknown))
    return 'unsafe';
  const trust = people.map(({ id }) => trustIn(conversation, id));
  if (trust.includes('changed')) return 'changed';
  if (conversation.asked?.length || conversation.missing?.length || unlistedIn(conversation).length) return 'unsafe';
  return trust.length && trust.every((one) => one === 'verified') ? 'verified' : 'unknown';
}

/**
 * Verified people of whom only the server says that they left.
 * @param {Conversation} conversation @returns {{ id: string, name: string }[]}
 */
export function saidToHaveLeft({ asked = [], missing = [], ...conversation }) {
  return [...new Set([...asked, ...missing])].map((id) => ({ id, name: nameOfOther(conversation, id) }));
}

/** Messages wait until a member does what the banner asks for. @param {Conversation} conversation */
export function holdsMessages({ strangers, changedKeys, asked, missing, ...conversation }) {
  return [strangers, changedKeys, asked, missing, unlistedIn(conversation)].some((users) => users?.length);
}

/** @param {Conversation} conversation @param {string} me */
export function titleOf(conversation, me) {
  const { name: title } = conversation;
  // A member could give a group the name of a person.
  if (title) return isKnownName(conversation, title) ? t.conversations.groupNamed(title) : title;
  const names = others(conversation, me).map(({ name }) => name);
  if (names.length > NAMES_MAX) return t.conversations.titleOfMany(names.slice(0, 2), names.length - 2);
  return names.join(', ') || (conversation.isActive ? t.conversations.onlyYou : t.conversations.unnamed);
}

/** @param {Conversation} conversation */
export function isGroup(conversation) {
  return conversation.name !== undefined || conversation.people.length > 2;
}

/** Whether the role of this user allows it. @param {Conversation} conversation @param {string} me @param {string} user */
export function mayRemove(conversation, me, user) {
  const [mine, theirs] = [me, user].map((one) => conversation.people.find(({ id }) => id === one)?.role);
  const outranks = (mine === 'owner' && theirs !== 'owner') || (mine === 'admin' && theirs === 'member');
  return outranks && isGroup(conversation) && conversation.isActive;
}

/** For the beginning of a line or on its own: "You" for ourselves. */
/** @param {Conversation} conversation @param {string} user @param {string} me */
export function nameOf(conversation, user, me) {
  return user === me ? t.common.you : nameOfOther(conversation, user);
}

/** @param {Conversation} conversation @param {string} user */
export function nameOfOther(conversation, user) {
  return shownName(conversation, user, {
    unknown: () => t.common.unknownPerson,
    renamed: t.trust.renamed,
    another: t.trust.anotherOfName,
  });
}

/**
 * Where the picture of a person is; empty: there is none.
 * @param {{ username: string, picture?: string | null } | undefined} person
 */
export function pictureOf(person) {
  if (!person?.picture) return '';
  return `/v2/users/${encodeURIComponent(person.username)}/picture?v=${person.picture}`;
}
