// @ts-check
/** Two users and their devices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receivedBy } from '../client/conversations/reducer.js';
import { another, conversation, people, until } from './users.js';

test('two_users_store_messages_in_order', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  for (const text of ['hello', 'are you there?', '🙂 é']) await alice.says(id, text);
  await bob.hears('hello', 'are you there?', '🙂 é');
  await bob.says(id, 'here I am');
  // Alice stores her own message when the server has confirmed it.
  await Promise.all([alice, bob].map((one) => one.hears('here I am')));
  for (const one of [alice, bob]) {
    assert.deepEqual(await one.kept(id), ['hello', 'are you there?', '🙂 é', 'here I am']);
  }
  [alice, bob].forEach((one) => one.isFine());
});

/** The parts of a safety number that both users see. @param {{ digits: string, qr: string }} number */
const shown = ({ digits, qr }) => ({ digits, qr });

test('safety_number_is_equal_on_both_sides', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const [id, other] = [await conversation(alice, bob), await conversation(alice, carol)];
  const [atAlice, atBob] = await Promise.all([
    alice.client.trust.safetyNumber(id, bob.user),
    bob.client.trust.safetyNumber(id, alice.user),
  ]);
  assert.deepEqual(shown(atAlice), shown(atBob));
  assert.match(atAlice.digits, /^(\d{5} ){11}\d{5}$/);
  assert.notEqual(atAlice.digits, (await alice.client.trust.safetyNumber(other, carol.user)).digits);
  const phone = await another(bob);
  await until(async () => (await alice.client.mls.members(id)).length === 3, 'the phone is in the group');
  await until(async () => (await bob.client.mls.members(id)).length === 3, 'bob sees the phone too');
  await until(async () => (await phone.client.identities.of(alice.user)) !== undefined, "the phone knows alice's key");
  for (const shownNow of [
    await alice.client.trust.safetyNumber(id, bob.user),
    await phone.client.trust.safetyNumber(id, alice.user),
  ])
    assert.deepEqual(shown(shownNow), shown(atAlice), 'a device that bob has listed does not change it');
  const members = await alice.client.mls.members(id);
  for (let again = 0; again < 20; again++) {
    for (const one of [alice, bob, phone]) assert.deepEqual(await one.client.mls.members(id), members);
  }
  for (const one of [alice, bob]) {
    const added = one
      .told('members')
      .flatMap(({ conversation, notice }) => (conversation === id ? notice.devices : []));
    assert.deepEqual(
      added.map(({ device }) => device),
      [phone.client.me.device],
      'nobody else is new',
    );
  }
  phone.isFine();
});

test('new_device_joins_by_itself', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const laptop = await another(alice);
  const id = await conversation(alice, laptop, bob);
  await bob.says(id, 'to all of you');
  await Promise.all([alice, laptop].map((one) => one.hears('to all of you')));
  const phone = await another(bob);
  await phone.isIn(id);
  await laptop.says(id, 'to four devices');
  await Promise.all([alice, bob, phone].map((one) => one.hears('to four devices')));
  await phone.says(id, 'from the phone');
  await Promise.all([alice, laptop, bob].map((one) => one.hears('from the phone')));
  await phone.doesNotHear('to all of you', 0);
  [alice, bob, laptop, phone].forEach((one) => one.isFine());
});

test('device_away_for_twenty_epochs_catches_up', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  bob.leaves();
  const texts = Array.from({ length: 500 }, (_, number) => `number ${number}`);
  for (const [number, text] of texts.entries()) {
    if (number % 25 === 0) await alice.updates(id);
    await alice.says(id, text);
  }
  await alice.hears('number 499');
  await bob.returns();
  await bob.hears('number 499');
  assert.deepEqual(bob.heard, texts);
  assert.equal(await bob.client.mls.epoch(id), await alice.client.mls.epoch(id));
  bob.isFine();
});

test('concurrent_commits_are_applied_one_after_the_other', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  for (let round = 0; round < 5; round++) {
    const epoch = Number(await alice.client.mls.epoch(id));
    await Promise.all([alice.updates(id), bob.updates(id)]);
    await until(async () => {
      const epochs = await Promise.all([alice, bob].map((one) => one.client.mls.epoch(id)));
      return epochs.every((now) => now === epoch + 2);
    }, 'both commits have landed');
  }
  await Promise.all([alice.says(id, 'still here'), bob.says(id, 'me too')]);
  await Promise.all([alice, bob].map((one) => one.hears('still here', 'me too')));
  [alice, bob].forEach((one) => one.isFine());
});

/** @param {import('./users.js').Device} by @param {string} id */
async function said(by, id) {
  return /** @type {import('../client/conversations/reducer.js').Item} */ (
    (await by.client.store.items(id)).find((item) => item.id !== undefined)
  );
}

test('author_deletes_a_message_for_everyone', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await alice.says(id, 'a secret too many');
  await Promise.all([alice, bob].map((one) => one.hears('a secret too many')));
  const message = await said(alice, id);
  await assert.rejects(bob.client.deleteForEveryone(id, message.seq), { code: 'no_such_message' });
  await alice.client.deleteForEveryone(id, message.seq);
  await until(async () => (await said(bob, id)).isDeleted, 'it is gone at the other');
  const phone = await another(bob);
  await alice.says(id, 'go on');
  await Promise.all([bob, phone].map((one) => one.hears('go on')));
});

test('receipts_are_sent_if_the_reader_allows_them', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await until(async () => (await alice.client.store.get(id))?.people.length === 2, 'alice sees both members');
  const state = async () =>
    receivedBy(/** @type {any} */ (await alice.client.store.get(id)), (await said(alice, id)).seq, alice.user);
  await alice.says(id, 'kept private');
  await bob.hears('kept private');
  bob.client.receipts.isEnabled = true;
  await bob.client.membership.answer(id, 'joined'); // no receipts before the request is accepted
  await alice.says(id, 'do you hear me?');
  await bob.hears('do you hear me?');
  await until(async () => (await state()) === 'delivered', 'alice sees that bob has it');
  const unread = (await bob.client.store.get(id))?.unread;
  assert.equal(unread?.length, 2);
  await bob.client.receipts.read(id, Infinity);
  await until(async () => (await state()) === 'read', 'alice sees that bob has read it');
  assert.deepEqual((await bob.client.store.get(id))?.unread, []);
  [alice, bob].forEach((one) => one.isFine());
});

test('typing_is_shown_and_not_stored', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  alice.client.type(id);
  await until(() => bob.told('typing').length === 1, 'bob sees it');
  assert.deepEqual(bob.told('typing')[0], { type: 'typing', conversation: id, user: alice.user });
});
