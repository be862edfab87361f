// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../../../client/conversations/changes.js';
import { useLanguage } from '../../messages/index.js';
import { wordsOf } from './notices.js';

/**
 * @typedef {import('../../../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../../../client/conversations/reducer.js').Change} Change
 * @typedef {import('../../../client/conversations/reducer.js').Notice} Notice
 */

const NAMES = { a: 'Anna', b: 'Ben', c: 'Carla', d: 'Dan' };
/** @type {Conversation['people']} */
const PEOPLE = [
  { id: 'a', username: 'Anna', role: 'owner' },
  { id: 'b', username: 'Ben', role: 'admin' },
  { id: 'c', username: 'Carla', role: 'member' },
  { id: 'd', username: 'Dan', role: 'member' },
];
/** @type {Conversation} */
const GROUP = { ...emptyConversation('one'), name: 'Choir', isActive: true, people: PEOPLE, names: NAMES };
/** @type {Conversation} */
const WITHOUT_DAN = { ...GROUP, people: PEOPLE.slice(0, 3) };

/** As Anna reads it. @param {Notice} notice @param {Conversation} [conversation] @param {number} [seq] */
function words(notice, conversation = GROUP, seq = 5) {
  return wordsOf({ seq, at: new Date().toISOString(), user: 'a', notice }, conversation, 'a');
}

/** @param {string} by @param {Partial<Change>} change @param {Conversation} [conversation] */
function changed(by, change, conversation = GROUP) {
  return words({ what: 'members', by, added: [], removed: [], devices: [], ...change }, conversation).text;
}

test('a member who left, was removed or logged out: three sentences', () => {
  assert.equal(words({ what: 'left', user: 'd' }).text, 'Dan left.');
  assert.equal(words({ what: 'left', user: 'a' }).text, 'You left.');
  assert.equal(changed('b', { removed: ['d'] }, WITHOUT_DAN), 'Ben removed Dan.');
  assert.equal(changed('a', { removed: ['d'] }, WITHOUT_DAN), 'You removed Dan.');
  assert.equal(changed('b', { removed: ['a'] }), 'Ben removed you.');
  assert.equal(changed('b', { removed: ['d'] }), 'Dan logged out.'); // still a member
  assert.equal(changed('b', { removed: ['c', 'd'] }), 'Carla and Dan logged out.');
});

test('a member who cannot remove others did not', () => {
  assert.equal(changed('c', { removed: ['d'] }, WITHOUT_DAN), 'Dan is no longer in this conversation.');
});

test('people who are added', () => {
  assert.equal(changed('b', { added: ['c', 'd'] }), 'Ben added Carla and Dan.');
  assert.equal(changed('b', { added: ['a'] }), 'Ben added you.');
  assert.equal(changed('a', { added: ['d'] }), 'You added Dan.');
  assert.equal(changed('d', { added: ['d'] }), 'Dan joined from another device.');
});

test('new keys are announced with a warning, once', () => {
  const dan = { user: 'd', device: '04' };
  assert.equal(changed('d', { devices: [dan] }), 'Dan has a new device. Their safety number has changed.');
  const withKey = { ...GROUP, listed: { d: ['x'] } };
  const joined = { what: /** @type {const} */ ('members'), by: 'd', added: [], removed: [], devices: [dan] };
  assert.deepEqual(words(joined, withKey), { text: 'Dan has a new device.', isLoud: false });
  assert.deepEqual(words(joined, { ...withKey, changedKeys: ['d'] }).isLoud, true);
  assert.equal(changed('d', { added: ['d'], devices: [dan] }, withKey), 'Dan is back on a new device.');
  const back = changed('d', { added: ['d'], devices: [dan] });
  assert.equal(back, 'Dan is back on a new device. Their safety number has changed.');
  const notice = words({ what: 'members', by: 'd', added: [], removed: [], devices: [dan] });
  assert.equal(notice.isLoud, true);
  const own = changed('a', { devices: [{ user: 'a', device: '05' }] });
  assert.equal(own, 'You added a new device. If that wasn’t you, remove it in Settings.');
});

test('where a conversation begins on this device', () => {
  const pair = { ...GROUP, name: undefined, people: PEOPLE.slice(0, 2) };
  const member = (/** @type {string} */ device) => ({ user: 'a', device, thumbprint: device });
  const withOther = { ...pair, members: [member('01'), member('02')] };
  assert.equal(words({ what: 'joined' }, pair, 1).text, 'This is the beginning of your conversation with Ben.');
  assert.equal(words({ what: 'joined' }, GROUP, 1).text, 'This is the beginning of this group.');
  assert.match(words({ what: 'joined' }, withOther).text, /^You added this device today\..* your other devices\.$/);
  assert.match(words({ what: 'joined' }, pair).text, /^You added this device today\..* aren’t on this device\.$/);
  assert.match(words({ what: 'joined' }).text, /^This device joined the group today\./);
});

test('German has the cases right', () => {
  useLanguage('de', []);
  assert.equal(changed('b', { added: ['a', 'd'] }), 'Ben hat dich und Dan hinzugefügt.');
  assert.equal(changed('b', { removed: ['a'] }), 'Ben hat dich entfernt.');
  assert.equal(words({ what: 'named', user: 'a', name: 'Chor' }).text, 'Du hast diese Gruppe „Chor“ genannt.');
  assert.equal(words({ what: 'left', user: 'd' }).text, 'Dan hat die Unterhaltung verlassen.');
  useLanguage('en', []);
});
