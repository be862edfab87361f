// @ts-check
/** Whom the user of the command line can trust in a conversation: the same states as in the page, in lines of text. */
import { trustIn, unlistedIn } from '../client/trust/verified.js';

/** @typedef {import('../client/conversations/reducer.js').Conversation} Conversation */

/** Failures after which a message waits, with what the user can do. @type {Record<string, string>} */
export const WAITS = {
  new_readers: 'someone joined, or has a new device, since you wrote it: /send sends it to them too',
  removal_asked: 'someone is said to have left: see above',
  stranger: 'no one here added one of the participants: see above',
  unlisted_device: 'a device is not confirmed: see above',
};

/**
 * One line for each thing that the user should know.
 * @param {Conversation} conversation @param {string} me @param {(user: string) => string} nameOf
 */
export function statusOf(conversation, me, nameOf) {
  const { people, members, strangers = [], asked = [] } = conversation;
  const names = (/** @type {Iterable<string>} */ users) => [...new Set(users)].map(nameOf).join(', ');
  if (conversation.isForged)
    return [
      '! This conversation is not safe: a device poses as another one. Nothing is sent. /leave it, and start again.',
    ];
  const others = [...new Set([...people.map(({ id }) => id), ...members.map(({ user }) => user)])].filter(
    (user) => user !== me,
  );
  const are = (/** @type {string} */ trust) => others.filter((user) => trustIn(conversation, user) === trust);
  const lines = [
    ...are('changed').map(
      (user) => `! The safety number of ${nameOf(user)} has changed. Compare it (/safety), then /verify; or /continue.`,
    ),
    ...(unlistedIn(conversation).length
      ? [
          `! ${names(unlistedIn(conversation).map(({ user }) => user))} did not confirm a device in this conversation. Messages wait until it is confirmed or removed.`,
        ]
      : []),
    ...(strangers.length
      ? [`! No one here added ${names(strangers)}. Messages wait: /remove them, or /accept lets them read.`]
      : []),
    ...(asked.length
      ? [`! The server says that ${names(asked)} left, but they did not say so. Messages wait: /agree removes them.`]
      : []),
    ...(are('unknown').length
      ? [`* Not verified: ${names(are('unknown'))}. Compare the number that /safety shows, then /verify.`]
      : []),
    ...(are('verified').length ? [`* Verified: ${names(are('verified'))}.`] : []),
  ];
  return lines;
}

/** The safety numbers that the user has looked at, and may mark as verified. */
export class SafetyNumbers {
  /** @type {Map<string, { user: string, thumbprints: string[], name: string }>} */
  #shown = new Map();

  /** @param {import('../client/client.js').Client} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {string} id @param {string} username */
  async show(id, username) {
    const { id: user } = await this.client.membership.find(username);
    const { digits, thumbprints } = await this.client.trust.safetyNumber(id, user);
    this.#shown.set(username.toLowerCase(), { user, thumbprints, name: username });
    console.log(`Safety number with ${username}; it must be the same on their device:\n  ${digits}`);
  }

  /** They match. @param {string} username */
  async verify(username) {
    const shown = this.#shown.get(username.toLowerCase());
    if (!shown) throw new Error(`compare it first: /safety ${username}`);
    await this.client.identities.acceptChanged(shown.user);
    await this.client.trust.verify(shown.user, shown.thumbprints, shown.name);
    console.log(`${username} is verified.`);
  }
}
