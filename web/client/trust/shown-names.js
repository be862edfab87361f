// @ts-check
/**
 * The name under which a person is shown. The server gives names to people: only a name that the user has verified
 * belongs to a person. Pure, for the page and the command line.
 */
import { isSameName } from '../util/username.js';

/**
 * @typedef {import('../conversations/reducer.js').Conversation} Conversation
 *
 * @typedef {object} Words
 * @property {(user: string) => string} unknown the server does not name the user
 * @property {(before: string, now: string) => string} renamed a verified person, whom the server names otherwise now
 * @property {(name: string, known: string, user: string) => string} another the user has verified another person, `known`,
 *   under this name
 */

/**
 * @param {Conversation} conversation @param {string} user @param {Words} words
 */
export function shownName({ people, names, knownAs = {} }, user, words) {
  const name = people.find(({ id }) => id === user)?.username ?? names[user];
  const before = knownAs[user];
  if (before !== undefined) return name === undefined || name === before ? before : words.renamed(before, name);
  if (name === undefined) return words.unknown(user);
  const known = Object.values(knownAs).find((one) => isSameName(one, name)); // of another user: this one has none
  return known === undefined ? name : words.another(name, known, user);
}

/**
 * The users whom a name that the user has typed can mean: those who were verified under it, and those to whom the server
 * gives it.
 * @param {Conversation[]} conversations @param {Record<string, string>} knownAs @param {string} name
 */
export function usersNamed(conversations, knownAs, name) {
  const having = (/** @type {Record<string, string>} */ names) =>
    Object.keys(names).filter((user) => isSameName(names[user], name));
  const verified = having(knownAs);
  const named = new Set(conversations.flatMap((one) => having(one.names).filter((user) => isThere(one, user))));
  return { verified, others: [...named].filter((user) => !verified.includes(user)) };
}

/** @param {Conversation} conversation with the names of former members too @param {string} user */
function isThere({ people, members }, user) {
  return people.some(({ id }) => id === user) || members.some((member) => member.user === user);
}

/** Whether a person was verified under this name. @param {Conversation} conversation @param {string} name */
export function isKnownName({ knownAs = {} }, name) {
  return Object.values(knownAs).some((one) => isSameName(one, name));
}
