// @ts-check
/** What a typed name means, where the server gives names to whom it likes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../client/conversations/changes.js';
import { conversationFor, nameIn, personIn } from './names.js';

const [ME, BOB, MALLORY] = ['aaaaaaaa-1', 'bbbbbbbb-2', 'cccccccc-3'];

/**
 * @param {string} id @param {Record<string, string>} names of the people, by user
 * @param {Partial<import('./names.js').Conversation>} [more]
 */
function talking(id, names, more) {
  const people = Object.entries({ [ME]: 'alice', ...names }).map(([user, username]) => ({
    id: user,
    username,
    role: /** @type {const} */ ('member'),
  }));
  const members = people.map(({ id: user }) => ({ user, device: user, thumbprint: user }));
  return { ...emptyConversation(id), isActive: true, people, members, names, ...more };
}

/** @param {import('./names.js').Conversation[]} all @param {string} typed @param {Record<string, string>} [knownAs] */
const opened = (all, typed, knownAs = {}) => conversationFor(all, knownAs, ME, typed).id;

const withBob = talking('11111111', { [BOB]: 'bob' });
const withMallory = talking('22222222', { [MALLORY]: 'mallory' });
const group = talking('33333333', { [BOB]: 'bob', [MALLORY]: 'mallory' });

test('typed_name_opens_the_conversation_with_that_person_alone', () => {
  assert.equal(opened([group, withMallory, withBob], 'BOB'), withBob.id);
  assert.equal(opened([group, withMallory], 'bob'), group.id);
  assert.equal(opened([group, withBob], '1111'), withBob.id);
  assert.throws(() => opened([withMallory], 'bob'), /no conversation with bob; start one/);
  assert.throws(() => opened([withBob], 'alice'), /no conversation with alice/);
  assert.throws(() => opened([{ ...withBob, isActive: false }], 'bob'), /no conversation with bob/);
});

test('typed_name_of_a_verified_person_means_no_other_one', () => {
  const knownAs = { [BOB]: 'bob' };
  const renamed = talking('11111111', { [BOB]: 'robert' });
  assert.equal(opened([renamed, withMallory], 'bob', knownAs), renamed.id);
  const posing = talking('22222222', { [MALLORY]: 'Bob' });
  assert.throws(() => opened([renamed, posing], 'bob', knownAs), /you verified bob, but the server gives that name/);
  assert.throws(() => opened([posing], 'bob', knownAs), /you verified bob, but the server gives that name/);
  assert.equal(opened([renamed, posing], '1111', knownAs), renamed.id);
});

test('typed_name_that_two_people_have_opens_nothing', () => {
  const posing = talking('22222222', { [MALLORY]: 'bob' });
  assert.throws(() => opened([withBob, posing], 'bob'), /the name bob to more than one person/);
});

test('typed_name_opens_no_conversation_in_which_the_person_has_no_device', () => {
  const named = talking('22222222', { [BOB]: 'bob' }, { members: withMallory.members });
  assert.equal(opened([named, withBob], 'bob'), withBob.id);
  assert.throws(() => opened([named], 'bob'), /no conversation with bob/);
});

test('typed_name_opens_no_conversation_whose_id_begins_with_it', () => {
  const abba = talking('11111111', { [BOB]: 'abba' });
  const posing = talking('abba2222', { [MALLORY]: 'mallory' });
  assert.throws(() => opened([posing, abba], 'abba'), /abba is a name, and a conversation begins with it/);
  assert.throws(() => opened([posing], 'abba', { [BOB]: 'abba' }), /abba is a name/);
  assert.equal(opened([posing, abba], 'abba2'), posing.id);
  assert.throws(() => opened([posing, talking('abba3333', {})], 'abba'), /more than one conversation begins with abba/);
});

test('direct_conversation_is_not_opened', () => {
  const direct = talking('44444444', { [BOB]: 'bob' }, { kind: 'direct', members: [] });
  assert.equal(opened([direct, withBob], 'bob'), withBob.id);
  for (const typed of ['bob', '4444']) assert.throws(() => opened([direct], typed), /not end-to-end encrypted/);
});

test('name_in_a_conversation_means_a_person_in_it', () => {
  assert.equal(personIn(group, ME, 'Bob'), BOB);
  assert.throws(() => personIn(withMallory, ME, 'bob'), /bob is not in this conversation/);
  const posing = talking('22222222', { [MALLORY]: 'bob' }, { knownAs: { [BOB]: 'bob' } });
  assert.throws(() => personIn(posing, ME, 'bob'), /you verified bob/);
  assert.equal(personIn(posing, ME, 'cccccccc'), MALLORY);
  assert.equal(nameIn(posing, MALLORY, ME), 'bob (not the bob you verified: cccccccc)');
  const renamed = talking('22222222', { [BOB]: '\x1b[2J' }, { knownAs: { [BOB]: 'bob' } });
  assert.equal(nameIn(renamed, BOB, ME), 'bob (now "?[2J")');
  assert.deepEqual([nameIn(renamed, ME, ME), nameIn(renamed, 'dddddddd-4', ME)], ['you', 'dddddddd']);
});
