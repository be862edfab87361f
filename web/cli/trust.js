// @ts-check
/** Whom the user of the command line can trust in a conversation: the same states as in the page, in lines of text. */
import { trustIn, unlistedIn } from '../client/trust/trust-in.js';
import { nameIn, othersIn, shortId } from './names.js';

/** @typedef {import('../client/conversations/reducer.js').Conversation} Conversation */

/** Failures after which a message waits, with what the user can do. @type {Record<string, string>} */
export const WAITS = {
  changed_key: 'a safety number has changed: see above',
  new_readers: 'someone joined, or has a new device, since you wrote it: /send sends it to them too',
  removal_asked: 'the server says that someone left: see above',
  stranger: 'no one here added one of the participants: see above',
  unlisted_device: 'a device is not confirmed: see above',
};

/** One line for each thing that the user should know. @param {Conversation} conversation @param {string} me */
export function statusOf(conversation, me) {
  const { strangers = [] } = conversation;
  const asked = [...(conversation.asked ?? []), ...(conversation.missing ?? [])];
  const nameOf = (/** @type {string} */ user) => nameIn(conversation, user, me);
  const names = (/** @type {Iterable<string>} */ users) => [...new Set(users)].map(nameOf).join(', ');
  if (conversation.isForged)
    return [
      '! This conversation is not safe: a device poses as another one. Nothing is sent. /leave it, and start again.',
    ];
  const others = othersIn(conversation, me);
  const are = (/** @type {string} */ trust) => others.filter((user) => trustIn(conversation, user) === trust);
  const unlisted = unlistedIn(conversation).map(({ user }) => user);
  const [verified, unknown, absent] = [are('verified'), are('unknown'), are('absent')];
  const lines = are('changed').map(
    (user) => `! The safety number of ${nameOf(user)} has changed. Compare it (/safety), then /verify; or /continue.`,
  );
  if (unlisted.length)
    lines.push(
      `! ${names(unlisted)} did not confirm a device in this conversation. Messages wait until it is confirmed or removed.`,
    );
  if (strangers.length)
    lines.push(`! No one here added ${names(strangers)}. Messages wait: /remove them, or /accept lets them read.`);
  if (asked.length)
    lines.push(
      `! The server says that ${names(asked)} left, but they did not say so. Messages wait: /agree removes them.`,
    );
  if (unknown.length)
    lines.push(`* Not verified: ${names(unknown)}. Compare the number that /safety shows, then /verify.`);
  if (absent.length) lines.push(`* No device here, so they read nothing: ${names(absent)}.`);
  if (verified.length) lines.push(`* Verified: ${names(verified)}.`);
  return lines;
}

/**
 * Print a safety number. Returns what it was made of, and the name of the person.
 * @param {import('../client/client.js').Client} client @param {Conversation} conversation @param {string} user
 */
export async function showSafetyNumber(client, conversation, user) {
  const { digits, ...compared } = await client.trust.safetyNumber(conversation.id, user);
  const name = nameIn(conversation, user, client.me.user.id);
  console.log(`Safety number with ${name}; it must be the same on their device:\n  ${digits}`);
  return { compared, name: conversation.names[user] ?? shortId(user) };
}
