// @ts-check
/**
 * What a name means that the user of the command line has typed. It means the person whom the user has verified under it;
 * where the server gives it to someone else too, the user has to say more. Pure.
 */
import { shownName, usersNamed } from '../client/trust/shown-names.js';
import { printable } from './printable.js';

/** @typedef {import('../client/conversations/reducer.js').Conversation} Conversation */

const ID_MIN_CHARS = 4; // of the id of a conversation or a user
const SHOWN_ID_CHARS = 8;

/** The beginning of the id of a conversation or a user. @param {string} id */
export function shortId(id) {
  return id.slice(0, SHOWN_ID_CHARS);
}

/** @param {Conversation} conversation @param {string} user @param {string} me */
export function nameIn(conversation, user, me) {
  if (user === me) return 'you';
  const name = shownName(conversation, user, {
    unknown: shortId,
    renamed: (before, now) => `${before} (now "${now}")`,
    another: (one, known) => `${one} (not the ${known} you verified: ${shortId(user)})`,
  });
  return printable(name);
}

/** The other users in a conversation, as the server or the group names them. @param {Conversation} conversation @param {string} me */
export function othersIn({ people, members }, me) {
  const users = new Set([...people.map(({ id }) => id), ...members.map(({ user }) => user)]);
  users.delete(me);
  return [...users];
}

/**
 * The encrypted conversation that the user has typed. Throws an error that says what to type instead.
 * @param {Conversation[]} all @param {Record<string, string>} knownAs @param {string} me
 * @param {string} typed a name, or the first characters of a conversation's id
 */
export function conversationFor(all, knownAs, me, typed) {
  const active = all.filter(({ isActive }) => isActive);
  const groups = active.filter(({ kind }) => kind !== 'direct');
  const named = groups.filter(({ id }) => typed.length >= ID_MIN_CHARS && id.startsWith(typed));
  if (named.length > 1) throw new Error(`more than one conversation begins with ${typed}: type more of its id`);
  const user = userNamed(active, knownAs, me, typed);
  if (named.length && user)
    throw new Error(`${typed} is a name, and a conversation begins with it: type more of the conversation's id`);
  const found = named[0] ?? (user && conversationWith(groups, me, user));
  if (found) return found;
  if (active.some(({ kind, id, people }) => kind === 'direct' && isOf(id, people, typed, user)))
    throw new Error(
      `the conversation with ${typed} is not end-to-end encrypted, and the command line opens no such conversation;` +
        ` start an encrypted one with \`start ${typed}\``,
    );
  throw new Error(`no conversation with ${typed}; start one with \`start ${typed}\``);
}

/** @param {string} id @param {Conversation['people']} people @param {string} typed @param {string | undefined} user */
function isOf(id, people, typed, user) {
  return (typed.length >= ID_MIN_CHARS && id.startsWith(typed)) || people.some((one) => one.id === user);
}

/**
 * Only those count in which the user has a device: whom the server names as a member reads nothing.
 * @param {Conversation[]} groups @param {string} me @param {string} user
 */
function conversationWith(groups, me, user) {
  const newestFirst = [...groups].sort((one, other) => ((other.last?.at ?? '') < (one.last?.at ?? '') ? -1 : 1));
  const having = newestFirst.filter(({ members }) => members.some((member) => member.user === user));
  return having.find((one) => othersIn(one, me).length === 1) ?? having[0];
}

/**
 * The user of this name, among the others in these conversations. Throws an error where it can mean two people.
 * @param {Conversation[]} conversations @param {Record<string, string>} knownAs @param {string} me @param {string} name
 */
export function userNamed(conversations, knownAs, me, name) {
  const { verified, others } = usersNamed(conversations, knownAs, name);
  const users = [...verified, ...others].filter((user) => user !== me);
  if (users.length < 2) return users[0];
  throw new Error(
    verified.length
      ? `you verified ${name}, but the server gives that name to another person now: use an id in place of the name`
      : `the server gives the name ${name} to more than one person: use an id in place of the name`,
  );
}

/**
 * The person in this conversation whose name, or the beginning of whose id, the user has typed.
 * @param {Conversation} conversation @param {string} me @param {string} typed
 */
export function personIn(conversation, me, typed) {
  const there = othersIn(conversation, me);
  const byId = there.filter((user) => typed.length >= SHOWN_ID_CHARS && user.startsWith(typed));
  if (byId.length === 1) return byId[0];
  const user = userNamed([conversation], conversation.knownAs ?? {}, me, typed);
  if (user && there.includes(user)) return user;
  throw new Error(`${typed} is not in this conversation`);
}
