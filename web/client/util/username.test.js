// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanUsername, isSameName } from './username.js';

test('name_by_the_rule_of_the_server_stays_as_it_is', () => {
  const scripts = ['bob', 'Zoë', 'Ω', 'Łódź', 'Ⴀბგ', '田中', 'かな・カナ', 'יובל׳', 'محمد٣', 'नेहा', 'l·l'];
  const joiners = ['می\u200cخواهم', 'क्\u200dष'];
  for (const name of ["it's_me!~", 'x'.repeat(20), ...scripts, ...joiners]) assert.equal(cleanUsername(name), name);
});

test('what_nobody_sees_is_left_out_of_a_name', () => {
  const invisible = [
    '\u200b',
    '\u200d',
    '\u00ad',
    '\u2060',
    '\ufeff',
    '\u202e',
    '\ufe0f',
    '\u3164',
    '\u115f',
    '\u{e0041}',
  ];
  for (const char of [...invisible, '\0', '\n', '\x1b', '\x85'])
    assert.equal(cleanUsername(`bo${char}b${char}`), 'bob', JSON.stringify(char));
  assert.equal(cleanUsername('\u200b'), '\ufffd', 'a name is never empty');
});

test('variants_of_characters_become_those_and_the_rest_is_replaced', () => {
  assert.equal(cleanUsername('ｂｏｂ'), 'bob');
  assert.equal(cleanUsername('𝐛ob'), 'bob');
  assert.equal(cleanUsername('Zoe\u0308'), 'Zoë');
  assert.equal(cleanUsername('bob (verified)'), 'bob\ufffd(verified)');
  for (const char of [' ', '\u00a0', '\u2003', '\u2028', '☺', '\u2800', '\ue000', '\u0378', '“'])
    assert.equal([...cleanUsername(`bob${char}`)].at(-1), '\ufffd', JSON.stringify(char));
  assert.equal([...cleanUsername('𐐨'.repeat(100))].length, 20);
});

test('names_that_look_the_same_are_the_same', () => {
  for (const other of ['BOB', 'ｂob', 'b\u200bob', 'bob\u00ad']) assert.ok(isSameName('bob', other), other);
  assert.ok(isSameName('Straße', 'STRASSE') && isSameName('ΟΔΟΣ', 'οδος'), 'as the server folds the case');
  assert.ok(!isSameName('bob', 'bobb') && !isSameName('Zoë', 'Zoe'));
  assert.ok(!isSameName('bob', 'b\u043eb'), 'letters of other scripts are other letters: see docs/THREATS.md');
});
