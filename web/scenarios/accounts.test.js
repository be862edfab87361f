// @ts-check
/** Account keys between real clients and a real server, which lies where a test says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountKey } from '../client/trust/account-key.js';
import { encodeDeviceList, openDeviceList } from '../client/trust/device-list.js';
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import { PASSWORD } from './password.js';
import { Ghost } from './tampering.js';
import { another, conversation, deceived, listOf, people, refused, unlinked, until } from './users.js';

/** @typedef {import('./users.js').Device} Device */

/** A list for this user that another key has signed. @param {string} user @param {Record<string, Uint8Array>} devices */
function forgedList(user, devices, key = AccountKey.generate()) {
  const bytes = encodeDeviceList({ user, counter: 99, notAfter: Math.floor(Date.now() / 1000) + 1000, devices });
  return { account_key: key.publicKey, device_list: toBase64(bytes), signature: toBase64(key.sign(bytes)) };
}

/** The outbox's reasons. @param {Device} device */
async function failures(device) {
  return (await device.client.outbox.waiting()).map(({ failure }) => failure?.code);
}

test('list_by_another_account_key_is_never_taken', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const before = await alice.client.trust.safetyNumber(id, bob.user);
  await alice.client.identities.verify(bob.user, before, 'bob');
  const ghost = await Ghost.open(bob.user);
  const right = await alice.client.identities.of(bob.user);
  const lie = forgedList(bob.user, { [ghost.device]: new Uint8Array(32) });
  alice.lies.changeAnswer.push(({ path }) => (path === `users/${bob.user}/device-list` ? lie : undefined));
  await alice.client.identities.refresh(bob.user);
  await alice.client.settled();
  assert.deepEqual(
    { ...(await alice.client.identities.of(bob.user)), changed: undefined },
    { ...right, changed: undefined },
  );
  assert.deepEqual((await alice.client.store.get(id))?.changedKeys, [bob.user], 'alice is shown it');
  assert.notEqual((await alice.client.trust.safetyNumber(id, bob.user)).digits, before.digits);
  alice.lies.changeAnswer.length = 0;
  await alice.client.identities.refresh(bob.user);
  await alice.client.settled();
  assert.deepEqual((await alice.client.store.get(id))?.changedKeys, [], 'the server is honest again');
  assert.equal((await alice.client.trust.safetyNumber(id, bob.user)).digits, before.digits);
});

test('older_list_brings_no_removed_device_back', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const phone = await another(bob);
  const id = await conversation(alice, bob, phone);
  const old = await listOf(bob);
  await bob.client.ownList.remove(phone.client.me.device);
  await bob.client.api.call('DELETE', `devices/${phone.client.me.device}`);
  await until(async () => (await alice.client.identities.of(bob.user))?.counter === 3, 'alice has the new list');
  alice.lies.changeAnswer.push(({ path }) => (path === `users/${bob.user}/device-list` ? old : undefined));
  await alice.client.identities.refresh(bob.user);
  const known = await alice.client.identities.of(bob.user);
  assert.deepEqual(Object.keys(known?.devices ?? {}), [bob.client.me.device]);
  await until(async () => (await alice.client.mls.members(id)).length === 2, 'the phone is out');
});

/**
 * The server says that this user has no account key.
 * @param {import("./users.js").Device & { lies: import("./tampering.js").Tampering }} device @param {string} user
 */
function withholdList(device, user) {
  device.lies.answerRequest.push(({ path }) =>
    path === `users/${user}/device-list`
      ? Response.json({ error: 'no list', code: 'no_device_list' }, { status: 404 })
      : undefined,
  );
}

test('list_stated_in_the_group_is_taken_where_the_server_withholds_it', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  withholdList(alice, bob.user);
  const id = await conversation(alice, bob);
  assert.equal(await alice.client.identities.of(bob.user), undefined);
  await bob.says(id, 'I am bob');
  await alice.hears('I am bob');
  assert.equal((await alice.client.identities.of(bob.user))?.counter, 1);
  const phone = await another(bob);
  await phone.isIn(id);
  await phone.says(id, 'and this is my phone');
  await alice.hears('and this is my phone');
  assert.equal((await alice.client.identities.of(bob.user))?.counter, 2);
  await alice.says(id, 'for both');
  await phone.hears('for both');
  assert.deepEqual(
    (await alice.client.store.items(id, {})).filter(({ isForeign }) => isForeign),
    [],
  );
});

test('list_that_the_server_withheld_is_taken_at_the_next_connection', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  withholdList(alice, bob.user);
  const id = await conversation(bob, alice);
  await alice.client.settled();
  assert.equal(await alice.client.identities.of(bob.user), undefined);
  alice.lies.answerRequest.length = 0;
  alice.leaves();
  await alice.returns();
  await until(() => alice.client.identities.of(bob.user), 'alice has the list');
  await until(async () => (await alice.client.store.get(id))?.listed?.[bob.user], 'it is shown');
});

test('list_is_stated_once_for_the_devices_of_a_group', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob);
  let stated = 0;
  bob.client.listen('message', ({ message }) => (stated += Number(message.content.kind === 'device_list')));
  for (const text of ['one', 'two', 'three']) await alice.says(id, text);
  await bob.hears('three');
  assert.equal(stated, 1);
  await alice.client.membership.add(id, [carol.username]);
  await carol.isIn(id);
  for (const text of ['four', 'five']) await alice.says(id, text);
  await bob.hears('five');
  assert.equal(stated, 2, 'again, for carol');
  await alice.client.inTurn(() => alice.client.joining.join(id));
  for (const text of ['six', 'seven']) await alice.says(id, text);
  await bob.hears('seven');
  assert.equal(stated, 3, 'again: what was sent before this device joined again may be lost');
});

test('list_is_stated_to_a_device_that_came_while_the_client_stopped', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(bob, alice);
  await alice.says(id, 'one');
  await bob.hears('one');
  alice.client.on('members changed', async () => assert.fail('the client stops here'));
  await bob.client.membership.add(id, [carol.username]);
  await carol.isIn(id);
  let stated = 0;
  carol.client.listen('message', ({ message }) => (stated += Number(message.content.kind === 'device_list')));
  await until(async () => (await alice.client.store.get(id))?.members.length === 3, 'alice has stored the commit');
  await alice.says(id, 'two');
  await carol.hears('two');
  assert.equal(stated, 1);
});

for (const isVerified of [true, false])
  test(`key_stated_by_a_device_that_was_${isVerified ? '' : 'not_'}verified_is_${isVerified ? '' : 'not_'}taken`, async () => {
    const [alice] = await deceived('alice');
    const [bob] = await people('bob');
    withholdList(alice, bob.user);
    const id = await conversation(alice, bob);
    const compared = await alice.client.trust.safetyNumber(id, bob.user); // version 1: there is no account key
    await alice.client.identities.verify(bob.user, isVerified ? compared : { thumbprints: ['another'] }, bob.username);
    await bob.says(id, 'I have an account key now');
    await alice.hears('I have an account key now');
    const key = (await listOf(bob)).account_key;
    assert.equal(await alice.client.trust.key(bob.user), isVerified ? key : undefined);
    assert.equal((await alice.client.identities.of(bob.user))?.key, isVerified ? key : undefined);
  });

test('list_stated_by_another_user_is_not_taken', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  withholdList(alice, bob.user);
  const id = await conversation(alice, bob, mallory);
  const lie = forgedList(bob.user, { [bob.client.me.device]: new Uint8Array(32) });
  await mallory.client.outbox.send(id, { kind: 'device_list', ...lie });
  await mallory.says(id, 'bob has a new phone');
  await alice.hears('bob has a new phone');
  assert.equal(await alice.client.identities.of(bob.user), undefined);
  assert.match(String(alice.told('problem')[0]?.error), /another user/);
});

test('edit_of_a_device_that_was_removed_later_counts', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await another(bob);
  const id = await conversation(alice, bob, phone);
  alice.leaves();
  await until(() => !alice.client.connection.isReady, 'alice is offline');
  await phone.says(id, 'see you at egiht');
  await bob.hears('see you at egiht');
  await phone.client.outbox.allSent();
  const [item] = (await phone.client.store.items(id, {})).filter(({ text }) => text !== undefined);
  await phone.client.outbox.send(id, { kind: 'edit', of: item.id ?? '', text: 'see you at eight' });
  await phone.client.outbox.allSent();
  await bob.client.ownList.remove(phone.client.me.device);
  await bob.client.api.call('DELETE', `devices/${phone.client.me.device}`);
  await until(async () => (await bob.client.mls.members(id)).length === 2, 'the phone is out');
  await alice.client.identities.refresh(bob.user); // she has the newest list before she reads the log
  await alice.returns();
  await until(async () => (await alice.client.mls.members(id)).length === 2, 'alice has read it all');
  const [read] = (await alice.client.store.items(id, {})).filter(({ text }) => text !== undefined);
  assert.deepEqual([read.text, read.isForeign], ['see you at eight', undefined]);
});

test('expired_list_vouches_for_nobody', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const known = await alice.client.identities.of(bob.user);
  assert.ok(known);
  const over = { ...known, notAfter: Math.floor(Date.now() / 1000) - 2 * 3600 };
  await alice.client.storage.write([['state', `identity/${bob.user}`, over]]);
  await alice.says(id, 'are you still bob?');
  await until(async () => (await failures(alice)).includes('unlisted_device'), 'it waits');
  await alice.client.storage.write([['state', `identity/${bob.user}`, known]]);
  await alice.client.inTurn(() => alice.client.emitAndWait('agreed', {}));
  await bob.hears('are you still bob?');
});

test('message_whose_reason_has_ended_is_sent_after_a_start', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  alice.leaves();
  await alice.says(id, 'held');
  for (const waiting of await alice.client.outbox.waiting()) {
    const failure = { code: 'unlisted_device', message: '' }; // the client stopped before it cleared this
    await alice.client.storage.write([['outbox', waiting.id, { ...waiting, failure }]]);
  }
  await alice.returns();
  await alice.says(id, 'next');
  await bob.hears('next');
  assert.deepEqual(bob.heard, ['held', 'next']);
});

test('contact_who_started_again_is_added_when_the_key_is_accepted', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await alice.client.farewell.leave(id);
  await alice.isOut(id);
  await alice.client.settled();
  await alice.client.store.forget(id);
  const phone = await unlinked(bob);
  await phone.client.enrolment.startAgain(PASSWORD);
  await refused(alice.client.membership.start([bob.username]), 'changed_key');
  await alice.client.identities.acceptChanged(bob.user);
  const again = await conversation(alice, phone);
  await alice.says(again, 'to your new phone');
  await phone.hears('to your new phone');
});

test('new_account_key_holds_messages_until_it_is_accepted', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const phone = await unlinked(bob);
  await refused(phone.client.enrolment.startAgain('Wrong1pass'), 'invalid_credentials');
  await phone.client.enrolment.startAgain(PASSWORD);
  await phone.isIn(id);
  await until(async () => (await alice.client.store.get(id))?.changedKeys?.length === 1, 'alice is shown it');
  await until(async () => (await alice.client.mls.members(id)).length === 2, 'the first device is out');
  await alice.says(id, 'for whom?');
  await until(async () => (await failures(alice)).includes('changed_key'), 'it waits');
  await phone.doesNotHear('for whom?');
  await alice.client.identities.acceptChanged(bob.user);
  await alice.client.membership.acceptStrangers(id, [bob.user]); // she is asked that too where the first device was out before
  await phone.hears('for whom?');
});

test('removed_device_is_unlisted_and_ends', async () => {
  const [bob] = await people('bob');
  const phone = await another(bob);
  const key = await bob.client.recoveryKey.make();
  await bob.client.ownList.remove(phone.client.me.device);
  await until(() => phone.client.enrolment.standing === 'removed', 'it knows');
  await refused(phone.client.recoveryKey.use(key), 'device_removed'); // contacts would not count it again
  await refused(bob.client.linking.link(await phone.client.linking.ask()), 'device_removed');
  assert.deepEqual(Object.keys(openDeviceList(await listOf(bob), bob.user).devices), [bob.client.me.device]);
  await bob.client.ownList.remove(bob.client.me.device); // the last one stays, a list is never empty
  assert.equal(fromBase64((await listOf(bob)).device_list).length, 55 + 40);
});

test('device_that_is_omitted_before_it_knows_that_it_was_listed_is_removed', async () => {
  const [bob] = await people('bob');
  const phone = await another(bob);
  phone.client.enrolment.standing = 'waiting'; // as if its list had not come yet
  await bob.client.ownList.remove(phone.client.me.device);
  await until(() => phone.client.enrolment.standing === 'removed', 'it knows');
});

test('messages_that_wait_for_a_removal_are_sent_once_and_in_order', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await another(bob);
  const id = await conversation(alice, bob, phone);
  alice.client.connection.isReady = false;
  const texts = ['one', 'two', 'three', 'four'];
  for (const text of texts) await alice.says(id, text);
  for (const one of [alice, bob]) one.client.removals.removeAllDue = async () => {};
  await bob.client.ownList.remove(phone.client.me.device);
  await until(async () => (await alice.client.identities.of(bob.user))?.counter === (await bob.client.identities.of(bob.user))?.counter, 'alice has the list'); // prettier-ignore
  alice.client.connection.isReady = true;
  await alice.client.inTurn(() => alice.client.groupSender.flush());
  await bob.hears('four');
  await alice.client.outbox.allSent();
  const heard = (await bob.client.store.items(id, {})).flatMap(({ text }) => text ?? []);
  assert.deepEqual(heard, texts);
  await alice.updates(id); // a commit, behind which nothing may be left in flight
  await alice.says(id, 'five');
  await bob.hears('five');
});

test('device_that_a_newer_list_omits_is_removed_by_any_member', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const phone = await another(bob);
  const id = await conversation(alice, bob, carol, phone);
  for (const one of [alice, bob]) one.client.removals.removeDue = async () => 'none'; // carol, who has no role, does it
  await bob.client.ownList.remove(phone.client.me.device); // and does not revoke it
  await until(async () => (await carol.client.mls.members(id)).length === 3, 'it is removed');
  await carol.says(id, 'without the phone');
  await bob.hears('without the phone');
  await phone.doesNotHear('without the phone');
  const words = (await carol.client.store.items(id, {})).flatMap(({ notice }) => notice ?? []);
  assert.ok(!words.some((notice) => 'neverListed' in notice), 'it was bob’s once');
});

test('key_that_came_after_the_comparison_is_not_verified', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const compared = await alice.client.trust.safetyNumber(id, bob.user);
  const phone = await unlinked(bob);
  await phone.client.enrolment.startAgain(PASSWORD);
  await until(async () => (await alice.client.store.get(id))?.changedKeys?.length === 1, 'alice is shown it');
  await refused(alice.client.identities.verify(bob.user, compared, 'bob'), 'number_changed');
  assert.equal(await alice.client.trust.isVerified(bob.user), false);
  await phone.isIn(id);
  await alice.client.identities.verify(bob.user, await alice.client.trust.safetyNumber(id, bob.user), 'bob');
  assert.equal(await alice.client.trust.isVerified(bob.user), true);
});
