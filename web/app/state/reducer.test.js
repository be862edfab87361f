// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../../client/conversations/changes.js';
import { EMPTY, reduce } from './reducer.js';
import { isGroup, listed, holdsMessages, lockOf, nameOf, participants, titleOf, unreadCount } from './selectors.js';

/**
 * @typedef {import('./reducer.js').Event} Event
 * @typedef {import('./reducer.js').Item} Item
 * @typedef {import('./reducer.js').State} State
 */

const ANNA = 'a0000000-0000-4000-8000-000000000000';
const BEN = 'b0000000-0000-4000-8000-000000000000';
const CARA = 'c0000000-0000-4000-8000-000000000000';

/**
 * @param {string} id @param {Partial<import('./reducer.js').Conversation>} [more]
 * @returns {import('./reducer.js').Conversation}
 */
function conversation(id, more = {}) {
  const people = [
    { id: ANNA, username: 'anna', role: /** @type {const} */ ('owner') },
    { id: BEN, username: 'ben', role: /** @type {const} */ ('member') },
  ];
  const names = { [ANNA]: 'anna', [BEN]: 'ben' };
  return { ...emptyConversation(id), state: 'joined', isActive: true, people, names, ...more };
}

/** @param {number} seq @param {Partial<Item>} [more] @returns {Item} */
function item(seq, more = {}) {
  return { seq, at: '2026-05-05T10:00:00Z', user: BEN, id: `m${seq}`, text: `text ${seq}`, ...more };
}

/** @param {Event[]} events @param {State} [state] */
function after(events, state = EMPTY) {
  return events.reduce(reduce, state);
}

const settings = /** @type {const} */ ({
  theme: 'system',
  language: 'system',
  receipts: true,
  typing: true,
  notices: false,
});
/** @type {Event} */
const SNAPSHOT = {
  type: 'snapshot',
  me: { id: ANNA, username: 'anna', device: '01' },
  settings,
  isOnline: true,
  conversations: [conversation('one'), conversation('two')],
  drafts: [['one', 'stored']],
};

test('a snapshot without an account shows the welcome screen', () => {
  assert.equal(after([{ type: 'snapshot', me: null, settings }]).phase, 'welcome');
  assert.equal(after([SNAPSHOT]).phase, 'home');
});

test('an event that nothing depends on leaves the same state', () => {
  const state = after([SNAPSHOT]);
  assert.equal(reduce(state, { type: 'typing expired', at: Date.now() }), state);
  assert.equal(reduce(state, { type: 'emptied', conversation: 'two' }), state);
});

test('a draft typed while the page started is kept over the stored one', () => {
  const state = after([{ type: 'draft', conversation: 'one', text: 'typed' }, SNAPSHOT]);
  assert.deepEqual(state.drafts, { one: 'typed' });
});

test('items that come while a window is loaded are in it, once and in order', () => {
  const events = /** @type {Event[]} */ ([
    SNAPSHOT,
    { type: 'opened', conversation: 'one' },
    { type: 'window requested' },
    { type: 'item', conversation: 'one', item: item(3) },
    { type: 'item', conversation: 'two', item: item(9) },
    {
      type: 'window',
      conversation: 'one',
      window: { items: [item(1), item(2)], hasOlder: false, hasNewer: false, unreadFrom: 0 },
    },
    { type: 'item', conversation: 'one', item: item(3, { text: 'edited' }) },
  ]);
  const state = after(events);
  assert.deepEqual(state.window?.items.map(({ seq, text }) => [seq, text]), [[1, 'text 1'], [2, 'text 2'], [3, 'edited']]); // prettier-ignore
});

test('a window stays bounded and forgets the far end', () => {
  const items = (/** @type {number} */ from) => Array.from({ length: 60 }, (_, at) => item(from + at));
  const window = { items: items(1001), hasOlder: true, hasNewer: false, unreadFrom: 0 };
  const start = after([
    SNAPSHOT,
    { type: 'opened', conversation: 'one' },
    { type: 'window', conversation: 'one', window },
  ]);
  const older = [941, 881, 821, 761].map(
    (from) => /** @type {Event} */ ({ type: 'older', conversation: 'one', items: items(from), isAll: false }),
  );
  const state = after(older, start);
  assert.equal(state.window?.items.length, 240);
  assert.equal(state.window?.items[0].seq, 761);
  assert.equal(state.window?.hasNewer, true);
});

test('an item ends typing and takes the place of what was waiting', () => {
  const waiting = { id: 'm5', order: 1, at: '', conversation: 'one', isDirect: false, content: { kind: /** @type {const} */ ('text'), id: 'm5', text: 'x' } }; // prettier-ignore
  const state = after([
    SNAPSHOT,
    { type: 'waiting', waiting },
    { type: 'typing', conversation: 'one', user: BEN, at: 1000 },
    { type: 'item', conversation: 'one', item: item(5) },
  ]);
  assert.deepEqual([state.waiting, state.typing], [[], { one: {} }]);
});

test('typing expires', () => {
  const typing = after([SNAPSHOT, { type: 'typing', conversation: 'one', user: BEN, at: 1000 }]);
  assert.deepEqual(reduce(typing, { type: 'typing expired', at: 5000 }).typing, { one: { [BEN]: 1000 } });
  assert.deepEqual(reduce(typing, { type: 'typing expired', at: 7000 }).typing, { one: {} });
});

test('a conversation that is gone is closed', () => {
  const state = after([SNAPSHOT, { type: 'opened', conversation: 'one' }, { type: 'gone', conversation: 'one' }]);
  assert.deepEqual([state.open, state.window, Object.keys(state.conversations)], [null, null, ['two']]);
});

test('toasts are few, and each text is there once', () => {
  const texts = ['a', 'b', 'a', 'c', 'd'];
  const state = after(texts.map((text, id) => ({ type: 'toast', toast: { id, text } })));
  assert.deepEqual(state.toasts.map(({ text }) => text), ['a', 'c', 'd']); // prettier-ignore
  assert.deepEqual(reduce(state, { type: 'toast expired', id: 3 }).toasts.map(({ id }) => id), [2, 4]); // prettier-ignore
});

test('verified_person_with_another_name_is_shown_under_both', () => {
  const [, ben] = conversation('one').people;
  const swapped = conversation('one', {
    people: conversation('one').people.map((one) => (one.id === ben.id ? { ...one, username: 'cara' } : one)),
    names: { [ben.id]: 'cara' },
    knownAs: { [ben.id]: 'ben' },
  });
  const both = 'ben (now “cara”)';
  assert.equal(titleOf(swapped, ANNA), both);
  assert.equal(nameOf(swapped, ben.id, ANNA), both);
  assert.equal(participants(swapped)[1].name, both);
  assert.equal(titleOf({ ...swapped, knownAs: { [ben.id]: 'cara' } }, ANNA), 'cara', 'verified again');
});

test('a device whose user the server does not name is an unknown participant', () => {
  const members = [{ user: CARA, device: '02', thumbprint: 'ff' }];
  const [, , stranger] = participants(conversation('one', { members }));
  assert.deepEqual([stranger.username, stranger.isUnknown], ['Unknown participant', true]);
  const known = conversation('one', { members, names: { [CARA]: 'cara' } });
  assert.equal(participants(known)[2].isUnknown, false);
});

test("the lock is closed only where no leaf may be the server's", () => {
  const [, ben] = conversation('one').people;
  const members = [{ user: ben.id, device: '01', thumbprint: 'aa' }];
  const verified = conversation('one', { members, verified: { [ben.id]: ['aa'] } });
  assert.equal(lockOf(conversation('one', { members }), ANNA), 'unknown');
  assert.equal(lockOf(verified, ANNA), 'verified');
  assert.equal(lockOf({ ...verified, kind: 'direct' }, ANNA), 'direct');
  assert.equal(lockOf({ ...verified, verified: { [ben.id]: ['bb'] } }, ANNA), 'changed');
  const cara = { id: CARA, username: 'cara', role: /** @type {const} */ ('member') };
  assert.equal(lockOf({ ...verified, people: [...verified.people, cara] }, ANNA), 'unknown', 'she has no device in it');
  const unnamed = { user: CARA, device: '02', thumbprint: 'cc' };
  for (const unsafe of [
    { isForged: true },
    { strangers: [CARA] },
    { listed: { [ben.id]: ['bb'] } },
    { members: [...verified.members, unnamed] },
  ])
    assert.equal(lockOf({ ...verified, ...unsafe }, ANNA), 'unsafe', JSON.stringify(unsafe));
});

test('messages wait while the banner asks for something', () => {
  const [, ben] = conversation('one').people;
  const members = [{ user: ben.id, device: '01', thumbprint: 'aa' }];
  assert.ok(!holdsMessages(conversation('one', { members, listed: { [ben.id]: ['aa'] }, strangers: [] })));
  for (const reason of [
    { strangers: [CARA] },
    { asked: [CARA] },
    { missing: [CARA] },
    { changedKeys: [CARA] },
    { members, listed: { [ben.id]: ['bb'] } },
  ])
    assert.ok(holdsMessages(conversation('one', reason)), JSON.stringify(reason));
});

test('a title names the others', () => {
  assert.equal(titleOf(conversation('one'), ANNA), 'ben');
  assert.equal(titleOf(conversation('one', { name: 'Choir' }), ANNA), 'Choir');
  const named = conversation('one', { name: 'Ben', knownAs: { [BEN]: 'ben' } });
  assert.equal(titleOf(named, ANNA), 'Group “Ben”', 'not as the verified person');
  const people = ['anna', 'ben', 'cara', 'dan', 'eve'].map((username) => ({
    id: username,
    username,
    role: /** @type {const} */ ('member'),
  }));
  assert.equal(titleOf(conversation('one', { people }), 'anna'), 'ben, cara and 2 others');
  assert.equal(isGroup(conversation('one', { people })), true);
  assert.equal(nameOf(conversation('one'), ANNA, ANNA), 'You');
});

test('the list has requests, but counts only the unread messages of the others', () => {
  const one = conversation('one', { unread: [4, 5], last: { seq: 5, at: '2026-05-05', user: BEN, text: '' } });
  const request = conversation('two', { state: 'requested', unread: [1], last: { seq: 1, at: '2026-05-06', user: BEN, text: '' } }); // prettier-ignore
  const ignored = conversation('three', { state: 'ignored', unread: [1] });
  const state = { ...EMPTY, conversations: { one, two: request, three: ignored } };
  assert.deepEqual(listed(state).map(({ id }) => id), ['two', 'one']); // prettier-ignore
  assert.equal(unreadCount(state), 2);
});
