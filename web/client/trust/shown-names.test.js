// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../conversations/changes.js';
import { isKnownName, shownName, usersNamed } from './shown-names.js';

const [BOB, MALLORY] = ['1', '2'];
const words = {
  unknown: () => '?',
  renamed: (/** @type {string} */ before, /** @type {string} */ now) => `${before}, now ${now}`,
  another: (/** @type {string} */ name, /** @type {string} */ known) => `${name}, not ${known}`,
};

/** @param {Record<string, string>} names that the server gives @param {Record<string, string>} knownAs */
function talking(names, knownAs = {}) {
  const people = Object.entries(names).map(([id, username]) => ({
    id,
    username,
    role: /** @type {const} */ ('member'),
  }));
  return { ...emptyConversation('c'), people, names, knownAs };
}

test('person_of_a_name_that_nobody_was_verified_under_is_shown_under_it', () => {
  assert.equal(shownName(talking({ [BOB]: 'bob' }), BOB, words), 'bob');
  assert.equal(shownName(talking({ [BOB]: 'bob' }), MALLORY, words), '?');
});

test('verified_person_is_shown_under_the_name_that_was_verified', () => {
  assert.equal(shownName(talking({ [BOB]: 'bob' }, { [BOB]: 'bob' }), BOB, words), 'bob');
  assert.equal(shownName(talking({ [BOB]: 'rob' }, { [BOB]: 'bob' }), BOB, words), 'bob, now rob');
  assert.equal(shownName(talking({}, { [BOB]: 'bob' }), BOB, words), 'bob', 'where the server names nobody');
});

test('person_under_the_name_of_another_verified_person_is_shown_as_not_that_one', () => {
  const knownAs = { [BOB]: 'Bob' }; // also where Bob is not in the conversation
  for (const name of ['Bob', 'BOB', 'ｂob', 'b\u200bob'])
    assert.equal(shownName(talking({ [MALLORY]: name }, knownAs), MALLORY, words), `${name}, not Bob`);
  const swapped = talking({ [BOB]: 'mallory', [MALLORY]: 'bob' }, { ...knownAs, [MALLORY]: 'mallory' });
  assert.equal(shownName(swapped, BOB, words), 'Bob, now mallory');
  assert.equal(shownName(swapped, MALLORY, words), 'mallory, now bob');
});

test('typed_name_means_those_verified_under_it_and_those_who_have_it', () => {
  const one = talking({ [BOB]: 'mallory', [MALLORY]: 'bob' });
  assert.deepEqual(usersNamed([one], { [BOB]: 'Bob' }, 'BOB'), { verified: [BOB], others: [MALLORY] });
  assert.deepEqual(usersNamed([one], {}, 'bob'), { verified: [], others: [MALLORY] });
  const former = { ...one, people: [] };
  assert.deepEqual(usersNamed([former], {}, 'bob'), { verified: [], others: [] });
});

test('title_of_a_group_can_be_the_name_of_a_person', () => {
  assert.ok(isKnownName(talking({}, { [BOB]: 'bob' }), 'Bob\u200b'));
  assert.ok(!isKnownName(talking({ [BOB]: 'bob' }), 'bob'));
});
