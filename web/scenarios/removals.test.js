// @ts-check
/** Who may be removed at the server's word: nobody that the user has verified. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../client/util/time.js';
import { reconnects, settled, verifies } from './attacks.js';
import { PASSWORD } from './password.js';
import { another, conversation, deceived, people, refused, until } from './users.js';

/** @typedef {import('./users.js').Device} Device */

/** @param {Device} device @param {string} id */
async function membersOf(device, id) {
  return (await device.client.mls.members(id)).length;
}

/** What the timeline says of leaving. @param {Device} device @param {string} id */
async function leftNotices(device, id) {
  const items = await device.client.store.items(id, {});
  return items.flatMap(({ notice }) => (notice?.what === 'left' ? [notice] : []));
}

/**
 * The server says that a device of this user is to be removed.
 * @param {Device & { lies: import('./tampering.js').Tampering }} alice @param {string} id @param {Device} other
 */
function claimRemoval(alice, id, other) {
  alice.lies.answerRequest.push(({ path }) =>
    path === `conversations/${id}/removals` ? { devices: [other.client.me.device] } : undefined,
  );
}

test('removal_of_a_verified_user_beside_a_stranger_is_asked', async () => {
  const [alice, bob, carol, dave] = await people('alice', 'bob', 'carol', 'dave');
  const id = await conversation(carol, alice, bob, dave);
  await alice.client.settled();
  await verifies(alice, id, bob);
  const before = await alice.client.store.get(id);
  assert.ok(before);
  await alice.client.store.write({ ...before, strangers: [dave.user] });
  await carol.client.membership.remove(id, bob.user);
  await until(async () => (await alice.client.store.get(id))?.missing?.includes(bob.user), 'alice is asked');
  await alice.says(id, 'without bob');
  const codes = async () => {
    await alice.client.settled();
    const waiting = (await alice.client.outbox.waiting()).filter(({ content }) => content.kind === 'text');
    return waiting.map(({ failure }) => failure?.code);
  };
  assert.deepEqual(await codes(), ['removal_asked']);
  await alice.client.removals.agree(id, [bob.user]);
  assert.deepEqual(await codes(), ['stranger']);
  await alice.client.membership.acceptStrangers(id, [dave.user]);
  await carol.hears('without bob');
});

test('removal_of_a_verified_user_that_the_server_asks_for_waits_for_the_user', async () => {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(alice, bob, carol);
  await verifies(alice, id, bob);
  claimRemoval(alice, id, bob);
  assert.equal(await alice.client.inTurn(() => alice.client.removals.removeDue(id)), 'asked');
  assert.deepEqual((await alice.client.store.get(id))?.asked, [bob.user]);
  assert.equal(await membersOf(alice, id), 3);
  alice.lies.answerRequest.length = 0;
  assert.equal(await alice.client.inTurn(() => alice.client.removals.removeDue(id)), 'none');
  assert.deepEqual((await alice.client.store.get(id))?.asked, [], 'the server is honest again');
  claimRemoval(alice, id, bob);
  await alice.client.inTurn(() => alice.client.removals.removeDue(id));
  await alice.client.removals.agree(id, []); // to what was shown before the server asked for bob
  assert.deepEqual((await alice.client.store.get(id))?.asked, [bob.user]);
  await alice.client.removals.agree(id, [bob.user]);
  await bob.isOut(id);
  assert.deepEqual((await alice.client.store.get(id))?.asked, []);
});

test('member_who_leaves_is_removed_without_a_question', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob, carol);
  await verifies(alice, id, bob);
  await verifies(carol, id, bob);
  await bob.client.farewell.leave(id);
  await until(async () => (await membersOf(alice, id)) === 2, 'bob is removed');
  assert.deepEqual(await leftNotices(alice, id), [{ what: 'left', user: bob.user }], 'one notice');
  await alice.says(id, 'he has left');
  await carol.hears('he has left');
  await alice.client.membership.add(id, [bob.username]);
  await bob.isIn(id);
  assert.deepEqual((await alice.client.store.get(id))?.released, [], 'he would have to say it again');
  [alice, carol].forEach((one) => one.isFine());
});

test('leaving_that_only_the_server_tells_holds_messages_until_the_user_agrees', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob, carol);
  await verifies(alice, id, bob);
  await verifies(carol, id, bob);
  await bob.client.membership.leave(id); // an older client
  await until(async () => (await alice.client.store.get(id))?.asked?.length === 1, 'alice is asked');
  assert.deepEqual(await leftNotices(alice, id), [{ what: 'left', user: bob.user, isClaimed: true }]);
  await alice.says(id, 'has he left?');
  await until(async () => (await alice.client.outbox.waiting()).some(({ failure }) => failure?.code === 'removal_asked'), 'it waits'); // prettier-ignore
  await alice.client.removals.agree(id, [bob.user]);
  await carol.hears('has he left?');
  assert.equal(await membersOf(alice, id), 2);
  assert.deepEqual((await carol.client.store.get(id))?.asked, [], 'carol need not answer any more');
});

test('removal_that_the_server_asks_for_before_the_device_says_it_needs_no_answer', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  await verifies(alice, id, bob);
  claimRemoval(alice, id, bob);
  await alice.client.inTurn(() => alice.client.removals.removeDue(id));
  assert.deepEqual((await alice.client.store.get(id))?.asked, [bob.user]);
  await bob.client.outbox.sendNow([{ conversation: id, content: { kind: 'leave', who: 'device' } }], 60_000);
  await bob.isOut(id);
  assert.deepEqual((await alice.client.store.get(id))?.asked, []);
});

test('user_who_was_not_verified_is_removed_at_the_servers_word', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob, carol);
  await bob.client.membership.leave(id);
  await until(async () => (await membersOf(alice, id)) === 2, 'bob is removed');
  await alice.says(id, 'he has left');
  await carol.hears('he has left');
});

for (const end of ['logs_out', 'deletes_the_account', 'removes_a_device'])
  test(`verified_user_who_${end}_is_removed_without_a_question`, async () => {
    const [alice, bob, carol] = await people('alice', 'bob', 'carol');
    const phone = end === 'removes_a_device' ? await another(bob) : null;
    const id = await conversation(alice, bob, carol, ...(phone ? [phone] : []));
    await verifies(alice, id, bob);
    await verifies(carol, id, bob);
    const before = await membersOf(alice, id);
    if (end === 'logs_out') await bob.client.farewell.logOut();
    else if (end === 'deletes_the_account') await bob.client.farewell.deleteAccount(PASSWORD);
    else {
      bob.client.removals.removeDue = async () => 'none'; // the others have to do it
      await bob.client.ownList.remove(phone?.client.me.device ?? '');
      await bob.client.api.call('DELETE', `devices/${phone?.client.me.device}`);
    }
    await until(async () => (await membersOf(alice, id)) === before - 1, 'it is removed');
    if (end === 'deletes_the_account')
      await until(async () => (await alice.client.store.get(id))?.people.length === 2, 'bob is shown no more');
    await alice.says(id, 'we go on');
    await carol.hears('we go on');
    [alice, carol].forEach((one) => one.isFine());
  });

test('group_that_was_left_sends_nothing_at_the_second_start_after_it', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(bob, alice);
  await alice.client.farewell.leave(id);
  await until(async () => (await membersOf(bob, id)) === 1, 'alice is removed');
  await reconnects(alice);
  await settled(alice);
  /** @type {unknown[]} */
  const shown = [];
  alice.lies.changeFrame.push((frame) => {
    if (frame.type === 'entry') shown.push(frame);
    return undefined;
  });
  await reconnects(alice);
  await settled(alice);
  assert.deepEqual(shown, []);
});

test('wrong_password_deletes_no_account_and_says_nothing', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await refused(bob.client.farewell.deleteAccount('Wrong1pass'), 'invalid_credentials');
  await bob.says(id, 'still here');
  await alice.hears('still here');
  assert.deepEqual(await leftNotices(alice, id), []);
  assert.equal((await bob.client.api.call('GET', 'sessions')).length, 1);
});

test('device_unheard_of_for_90_days_is_removed', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  await bob.says(id, 'I am here');
  await alice.hears('I am here');
  alice.lies.answerRequest.push(({ path }) =>
    path === `conversations/${id}/removals` ? { devices: [], unused: [bob.client.me.device] } : undefined,
  );
  const remove = () => alice.client.inTurn(() => alice.client.removals.removeDue(id));
  assert.equal(await remove(), 'none', 'a server that lies: alice has heard of it');
  const known = await alice.client.store.get(id);
  assert.ok(known);
  const days = (/** @type {number} */ count) => ({ [bob.client.me.device]: Date.now() - count * DAY_MS });
  await alice.client.store.write({ ...known, heard: { ...known.heard, ...days(89) } });
  assert.equal(await remove(), 'none');
  await alice.client.store.write({ ...known, heard: { ...known.heard, ...days(91) } });
  await bob.says(id, 'I am here again');
  await alice.hears('I am here again');
  await alice.client.settled();
  assert.equal(await remove(), 'none', 'a message counts');
  const later = await alice.client.store.get(id);
  assert.ok(later);
  await alice.client.store.write({ ...later, heard: { ...later.heard, ...days(91) } });
  await verifies(alice, id, bob);
  assert.equal(await remove(), 'none', 'a verified user is not removed because the server says so');
  await alice.client.storage.write(alice.client.trust.forgotten(bob.user));
  assert.equal(await remove(), 'removed');
  await bob.isOut(id);
});
