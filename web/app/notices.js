// @ts-check
/** What happened in a conversation, in words: who came, who went, whose keys are new. */
import { nameOf } from './fold.js';
import { listOf } from './format.js';

/**
 * @typedef {import('../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../client/conversations/reducer.js').Change} Change
 */

/**
 * @param {import('../client/conversations/reducer.js').Notice} notice @param {number} seq @param {Conversation} conversation @param {string} me
 * @returns {{ text: string, isLoud?: boolean }} loud: there are new keys
 */
export function wordsOf(notice, seq, conversation, me) {
  const name = (/** @type {string} */ user) => nameOf(conversation, user, me);
  const join = (/** @type {string} */ text, /** @type {Change} */ change) => ({
    text: `${text} ${changesOf(change, conversation, me)}`.trim(),
    isLoud: change.devices.length > 0,
  });
  switch (notice.what) {
    case 'joined': {
      if (seq === 1) return { text: 'This is where it begins.' };
      const text = 'This device joined here. What was said before stays on the devices that were there.';
      return notice.change ? join(text, notice.change) : { text };
    }
    case 'rejoined': {
      const text = 'This device had to join again; some messages may be missing here.';
      return notice.change ? join(text, notice.change) : { text };
    }
    case 'left':
      return { text: notice.user === me ? 'You left.' : `${name(notice.user)} left.` };
    case 'named':
      return { text: `${name(notice.user)} named this group “${notice.name}”.` };
    case 'unreadable':
      return { text: 'One message cannot be read on this device.' };
    case 'members':
      return join('', notice);
  }
}

/** @param {Change} change @param {Conversation} conversation @param {string} me */
function changesOf({ by, added, removed, devices }, conversation, me) {
  const names = (/** @type {string[]} */ users) => listOf(users.map((user) => (user === me ? 'you' : nameOf(conversation, user, me))));
  const who = nameOf(conversation, by, me);
  const fresh = [...new Set(devices.map(({ user }) => user))];
  const [mine, theirs] = [fresh.filter((user) => user === me), fresh.filter((user) => user !== me)];
  const others = added.filter((user) => user !== by);
  return [
    added.includes(by) ? `${who} came in by another device.` : '',
    others.length ? `${who} added ${names(others)}.` : '',
    removed.length ? (removed.includes(me) ? `${who} removed you.` : `${names(removed)} ${removed.length > 1 ? 'are' : 'is'} not in this conversation any more.`) : '',
    mine.length ? 'Another device of yours has joined. If that was not you, remove it in Settings.' : '',
    theirs.length ? `${names(theirs)} ${theirs.length > 1 ? 'have' : 'has'} a new device or new keys: the safety number has changed.` : '',
  ].filter(Boolean).join(' '); // prettier-ignore
}
