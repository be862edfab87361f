// @ts-check
/** Accounts, message requests, and key packages that run out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { another, conversation, invited, people, refused, server, until } from './users.js';

/** @param {import('./users.js').Device} device @param {string} id */
async function stateOf(device, id) {
  return (await device.client.joining.list()).find((one) => one.id === id)?.state;
}

test('conversation_of_a_stranger_is_a_request', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob);
  assert.equal(await stateOf(bob, id), 'requested');
  assert.equal(await stateOf(alice, id), 'joined');
  await bob.client.membership.answer(id, 'joined');
  assert.equal(await stateOf(bob, id), 'joined');
  const second = await conversation(alice, bob);
  assert.equal(await stateOf(bob, second), 'joined', 'they know each other now');

  const unwanted = await conversation(carol, bob);
  await bob.client.membership.answer(unwanted, 'ignored');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await carol.says(unwanted, 'buy something');
  await carol.hears('buy something');
  await bob.doesNotHear('buy something');
  await bob.client.membership.answer(unwanted, 'joined');
  await bob.hears('buy something');
});

test('blocked_user_reaches_nobody_and_is_not_told', async () => {
  const [alice, mallory] = await people('alice', 'mallory');
  const before = await conversation(mallory, alice);
  await alice.client.api.call('PUT', `blocks/${mallory.user}`);
  await until(async () => (await stateOf(alice, before)) === 'blocked', 'it is blocked');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await mallory.says(before, 'why do you not answer');
  await mallory.hears('why do you not answer');
  const again = await mallory.client.membership.start([alice.username]);
  await mallory.says(again, 'hello again');
  await mallory.hears('hello again');
  await alice.doesNotHear('why do you not answer');
  await alice.doesNotHear('hello again', 0);
  assert.deepEqual(
    (await alice.client.api.call('GET', 'blocks')).map((/** @type {any} */ one) => one.username),
    [mallory.username],
  );
  assert.equal((await mallory.client.joining.list())[0].members.length, 2, 'mallory sees nothing of it');
  await alice.client.api.call('DELETE', `blocks/${mallory.user}`);
  await alice.hears('why do you not answer');
  mallory.isFine();
});

test('chat_code_connects_two_users_once', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const { code } = await alice.client.api.call('POST', 'codes');
  assert.ok(code >= 10_000 && code <= 65_535);
  await refused(alice.client.api.call('POST', 'contacts', { code }), 'self_chat');
  assert.equal((await bob.client.api.call('POST', 'contacts', { code })).username, alice.username);
  await refused(carol.client.api.call('POST', 'contacts', { code }), 'no_such_code');
  const id = await conversation(bob, alice);
  assert.equal(await stateOf(alice, id), 'joined');
});

test('invited_user_and_inviter_are_contacts', async () => {
  const [alice] = await people('alice');
  const made = await fetch(`${server}/invites`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${alice.client.me.token}` },
  });
  const { invite_code } = await made.json();
  const bob = await invited('bob', invite_code);
  const account = await bob.client.api.call('GET', 'account');
  assert.deepEqual(account.invited_by, { id: alice.user, username: alice.username });
  const id = await conversation(bob, alice);
  assert.equal(await stateOf(alice, id), 'joined');
});

test('users_are_found_by_exact_name_only', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  assert.equal((await alice.client.membership.find(bob.username.toUpperCase())).id, bob.user);
  await refused(alice.client.membership.find(bob.username.slice(0, -1)), 'no_such_user');
  await refused(alice.client.api.call('GET', `users/${bob.username}/devices`), 'no_such_user');
  await conversation(alice, bob);
  const [device] = await alice.client.api.call('GET', `users/${bob.username}/devices`);
  assert.equal(device.id, bob.client.me.device);
  await refused(carol.client.api.call('GET', `users/${bob.username}/devices`), 'no_such_user');
});

test('last_resort_key_package_is_used_when_others_run_out', async () => {
  const [alice, bob] = await people('alice', 'bob');
  bob.leaves();
  const claimed = [];
  for (let n = 0; n < 52; n++) {
    claimed.push(...(await alice.client.api.call('POST', `users/${bob.user}/key-packages/claim`, {})));
  }
  assert.equal(new Set(claimed.map((one) => one.key_package)).size, 51, 'each once, but for the last resort');
  assert.deepEqual(
    claimed.slice(-3).map((one) => one.last_resort),
    [false, true, true],
  );
  const ids = [
    await alice.client.membership.start([bob.username]),
    await alice.client.membership.start([bob.username]),
  ];
  for (const id of ids) await alice.says(id, `early in ${id}`);
  await bob.returns();
  for (const id of ids) {
    await bob.isIn(id);
    await alice.says(id, `later in ${id}`);
    await bob.hears(`later in ${id}`);
  }
  await alice.client.membership.start([bob.username]);
  const count = async () => (await bob.client.api.call('GET', 'key-packages/count')).count;
  await until(async () => (await count()) >= 49, 'bob made new ones');
  assert.deepEqual([...bob.told('problem'), ...bob.told('failed')], []);
});

test('new_password_and_deletion_end_sessions', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob, carol);
  const laptop = await another(bob);
  const sessions = await bob.client.api.call('GET', 'sessions');
  assert.deepEqual(
    sessions.map((/** @type {any} */ one) => [one.device, one.current]),
    [
      [bob.client.me.device, true],
      [laptop.client.me.device, false],
    ],
  );
  const change = { password: 'wrong', new_password: 'Second2pass' };
  await refused(bob.client.api.call('PUT', 'account/password', change), 'invalid_credentials');
  await bob.client.api.call('PUT', 'account/password', { ...change, password: 'Secret1pass' });
  await refused(laptop.client.api.call('GET', 'account'), 'unauthenticated');

  await bob.says(id, 'what will become of this?');
  await alice.hears('what will become of this?');
  await refused(bob.client.api.call('DELETE', 'account', { password: 'Secret1pass' }), 'invalid_credentials');
  bob.leaves();
  await bob.client.api.call('DELETE', 'account', { password: 'Second2pass' });
  await refused(alice.client.membership.find(bob.username), 'no_such_user');
  await alice.says(id, 'bob is gone');
  await carol.hears('bob is gone');
  assert.equal((await alice.client.mls.members(id)).length, 2);
  const log = await carol.client.api.call('GET', `conversations/${id}/log?after=0`);
  const ofBob = log.filter((entry) => entry.sender === bob.client.me.device && entry.kind === 'application');
  assert.ok(ofBob.length > 0 && ofBob.every(({ data }) => data === undefined), 'what bob said is erased');
  [alice, carol].forEach((one) => one.isFine());
});
