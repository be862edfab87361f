// @ts-check
/** Who leaves says so inside the group, once, and comes back without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversation, deceived, people, until } from './users.js';

/** @param {import('./users.js').Device} alice @param {import('./users.js').Device} bob @param {string} id */
async function addsAgain(alice, bob, id) {
  await until(async () => (await alice.client.mls.members(id)).length === 1, 'bob is removed');
  await alice.client.membership.add(id, [bob.username]);
  await bob.isIn(id);
  await bob.client.settled();
}

test('leave_that_was_not_sent_is_not_sent_after_coming_back', async () => {
  const [alice] = await people('alice');
  const [bob] = await deceived('bob');
  const id = await conversation(alice, bob);
  bob.lies.catchMessages();
  await bob.client.farewell.leave(id);
  await bob.isOut(id);
  bob.lies.changeSent.length = 0;
  await addsAgain(alice, bob, id);
  await bob.says(id, 'I am back');
  await alice.hears('I am back');
  const known = await alice.client.store.get(id);
  assert.deepEqual([known?.leaving, known?.released ?? []], [[], []]);
});

test('own_leave_is_shown_once_and_is_over_after_coming_back', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await bob.client.farewell.leave(id);
  await bob.isOut(id);
  await addsAgain(alice, bob, id);
  const left = (await bob.client.store.items(id)).filter(({ notice }) => notice?.what === 'left');
  assert.equal(left.length, 1);
  const known = await bob.client.store.get(id);
  assert.deepEqual([known?.leaving ?? [], known?.released ?? []], [[], []]);
});
