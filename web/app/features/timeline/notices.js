// @ts-check
/** What happened in a conversation, in words: who joined, who left, whose keys are new. */
import { onDay } from '../../messages/format.js';
import { t } from '../../messages/index.js';
import { isGroup, nameOfOther, others } from '../../state/selectors.js';

/**
 * @typedef {import('../../../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../../../client/conversations/reducer.js').Change} Change
 * @typedef {import('../../../client/conversations/reducer.js').Notice} Notice
 * @typedef {import('../../../client/conversations/reducer.js').Item & { notice: Notice }} NoticeItem
 * @typedef {{ text: string, isLoud?: boolean }} Words loud: a safety number has changed
 */

/** @param {NoticeItem} item @param {Conversation} conversation @param {string} me @returns {Words} */
export function wordsOf({ notice, seq, at }, conversation, me) {
  const words = t.notices;
  switch (notice.what) {
    case 'joined':
      if (seq === 1) return { text: beginningOf(conversation, me) };
      return withChange(joinedText(at, conversation, me), notice.change, conversation, me);
    case 'rejoined':
      return withChange(words.rejoined, notice.change, conversation, me);
    case 'left':
      if (notice.user === me) return { text: words.youLeft };
      return { text: (notice.isClaimed ? words.claimedLeft : words.left)(nameOfOther(conversation, notice.user)) };
    case 'named':
      if (notice.user === me) return { text: words.youNamed(notice.name) };
      return { text: words.named(nameOfOther(conversation, notice.user), notice.name) };
    case 'unreadable':
      return { text: words.unreadable };
    case 'missing':
      return { text: words.missing };
    case 'members':
      return withChange('', notice, conversation, me);
  }
}

/** @param {Conversation} conversation @param {string} me */
function beginningOf(conversation, me) {
  const [other] = others(conversation, me);
  if (isGroup(conversation)) return t.notices.beginningOfGroup;
  return other ? t.notices.beginning(other.name) : t.notices.beginningAlone;
}

/**
 * A person is never added to a conversation of two later: there, this device is new. In a group both are possible.
 * @param {string} at @param {Conversation} conversation @param {string} me
 */
function joinedText(at, conversation, me) {
  const day = onDay(at);
  if (isGroup(conversation)) return t.notices.deviceJoined(day);
  const hasOthers = conversation.members.filter(({ user }) => user === me).length > 1;
  return hasOthers ? t.notices.youAddedDevice(day) : t.notices.youCameBack(day);
}

/**
 * @param {string} text @param {Change | undefined} change @param {Conversation} conversation @param {string} me
 * @returns {Words}
 */
function withChange(text, change, conversation, me) {
  if (!change) return { text };
  const sentences = [text, ...changesOf(change, conversation, me)];
  return {
    text: sentences.filter(Boolean).join(' '),
    isLoud: change.devices.some(({ user }) => !isVouched(user, conversation)),
  };
}

/** An account key says which devices are this user's, and it is the same as before. @param {string} user @param {Conversation} conversation */
function isVouched(user, { listed, changedKeys }) {
  return listed?.[user] !== undefined && !changedKeys?.includes(user);
}

/** @param {Change} change @param {Conversation} conversation @param {string} me @returns {string[]} */
function changesOf({ by, added, removed, devices, neverListed = [] }, conversation, me) {
  const words = t.notices;
  const name = (/** @type {string} */ user) => (user === me ? t.common.youAsObject : nameOfOther(conversation, user));
  const changed = new Set(devices.map(({ user }) => user)); // users with a new key
  const isBack = added.includes(by) && by !== me && changed.has(by);
  const newcomers = added.filter((user) => user !== by).map(name);
  const withNewDevice = [...changed].filter((user) => user !== me && !(isBack && user === by));
  const vouched = withNewDevice.filter((user) => isVouched(user, conversation)).map(name);
  const theirs = neverListed.filter((user) => user !== me).map(name);
  const unvouched = withNewDevice.filter((user) => !isVouched(user, conversation)).map(name);
  return [
    added.includes(by) ? joinedAgain(by, isBack, conversation, me) : '',
    newcomers.length
      ? by === me
        ? words.youAdded(newcomers)
        : words.added(nameOfOther(conversation, by), newcomers)
      : '',
    ...removedWords(by, removed, conversation, me),
    changed.has(me) ? words.ownDevice : '',
    vouched.length ? words.newListedDevice(vouched) : '',
    unvouched.length ? words.newDevice(unvouched) : '',
    neverListed.includes(me) ? words.ownDisowned : '',
    theirs.length ? words.disowned(theirs) : '',
  ];
}

/** @param {string} by @param {boolean} isBack with new keys @param {Conversation} conversation @param {string} me */
function joinedAgain(by, isBack, conversation, me) {
  if (by === me) return t.notices.youJoined;
  const name = nameOfOther(conversation, by);
  if (!isBack) return t.notices.joined(name);
  return isVouched(by, conversation) ? t.notices.cameBackListed(name) : t.notices.cameBack(name);
}

/**
 * The commit that removes devices says only who made it. A user who is still a member has logged out: any member's
 * device then commits the removal. A user who is no longer one was removed by an admin, or deleted the account.
 * @param {string} by @param {string[]} removed @param {Conversation} conversation @param {string} me
 * @returns {string[]}
 */
function removedWords(by, removed, conversation, me) {
  const words = t.notices;
  const roles = new Map(conversation.people.map(({ id, role }) => [id, role]));
  const loggedOut = removed.filter((user) => user !== me && roles.has(user));
  const gone = removed.filter((user) => !loggedOut.includes(user));
  const names = gone.map((user) => (user === me ? t.common.youAsObject : nameOfOther(conversation, user)));
  const isAdmin = isGroup(conversation) && ['owner', 'admin'].includes(roles.get(by) ?? '');
  const sentences = loggedOut.length ? [words.loggedOut(loggedOut.map((user) => nameOfOther(conversation, user)))] : [];
  if (!gone.length) return sentences;
  if (removed.includes(me)) return [...sentences, words.removed(nameOfOther(conversation, by), names)];
  if (!isAdmin) return [...sentences, words.gone(names)];
  return [...sentences, by === me ? words.youRemoved(names) : words.removed(nameOfOther(conversation, by), names)];
}
