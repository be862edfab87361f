// @ts-check
/** What the command line says of a conversation: the states that the page shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../client/conversations/changes.js';
import { printable, printableLines } from './printable.js';
import { statusOf } from './trust.js';

const [ME, BOB] = ['me', 'bob'];
const leaf = (/** @type {string} */ user) => ({ user, device: user, thumbprint: `${user}'s key` });
const talking = {
  ...emptyConversation('c'),
  isActive: true,
  members: [ME, BOB].map(leaf),
  people: [ME, BOB].map((id) => ({ id, username: id, role: /** @type {const} */ ('member') })),
};

/** @param {Partial<import('../client/conversations/reducer.js').Conversation>} changes */
const lines = (changes) => statusOf({ ...talking, ...changes }, ME).join('\n');

test('command_line_says_who_is_verified', () => {
  assert.match(lines({}), /^\* Not verified: bob\./);
  assert.equal(lines({ verified: { [BOB]: ["bob's key"] } }), '* Verified: bob.');
  assert.match(lines({ verified: { [BOB]: ['another key'] } }), /safety number of bob has changed/);
  assert.match(lines({ changedKeys: [BOB] }), /safety number of bob has changed/);
  assert.equal(lines({ members: [leaf(ME)] }), '* No device here, so they read nothing: bob.');
});

test('command_line_says_for_what_messages_wait', () => {
  assert.match(lines({ listed: { [BOB]: [] } }), /bob did not confirm a device/);
  assert.match(lines({ strangers: [BOB] }), /No one here added bob.*\/accept/);
  assert.match(lines({ asked: [BOB] }), /says that bob left.*\/agree/);
  assert.match(lines({ isForged: true, verified: { [BOB]: ["bob's key"] } }), /^! This conversation is not safe/);
  const mallory = [...talking.members, leaf('mallory')];
  assert.match(lines({ members: mallory }), /Not verified: bob, mallory/, 'also whom the server does not name');
});

test('name_from_the_server_begins_no_line_and_moves_no_cursor', () => {
  assert.equal(printable('x\n* Verified: bob.\x1b[2J\u202e'), 'x?* Verified: bob.?[2J?');
  assert.equal(printableLines('one\ntwo\r'), 'one\n    two?');
});
