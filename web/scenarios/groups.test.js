// @ts-check
/** A group: members come and go, and removed devices cannot read on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sync } from '../client/conversations/sync.js';
import { Undecryptable } from '../client/mls/errors.js';
import { fromBase64 } from '../client/util/bytes.js';
import { another, conversation, people, refused, until } from './users.js';

test('ten_members_receive_every_message', async () => {
  const [maker, ...others] = await people(...'abcdefghij');
  const id = await conversation(maker, ...others);
  const all = [maker, ...others];
  await Promise.all(all.map((one, number) => one.says(id, `I am number ${number}`)));
  const texts = all.map((_, number) => `I am number ${number}`);
  await Promise.all(all.map((one) => one.hears(...texts)));
  for (const one of all) {
    assert.deepEqual(await one.kept(id), await maker.kept(id), 'all have the same, in the same order');
    one.isFine();
  }
});

test('removed_member_cannot_read_later_messages', async () => {
  const [alice, bob, mallory] = await people('alice', 'bob', 'mallory');
  const id = await conversation(alice, bob, mallory);
  await alice.says(id, 'before');
  await mallory.hears('before');

  // Mallory's device keeps its keys: it must not learn from the server that it was removed.
  const { mls } = mallory.client;
  mallory.leaves();
  const epoch = await mls.epoch(id);
  const talking = (async () => {
    for (let number = 0; number < 20; number++) await bob.says(id, `bob ${number}`);
  })();
  await alice.client.membership.remove(id, mallory.user);
  await talking;
  await alice.says(id, 'now we are alone');
  await bob.hears('now we are alone');

  const raw = await bob.client.api.call('GET', `conversations/${id}/log?after=0`);
  const after = raw.filter((entry) => entry.kind === 'application' && entry.epoch > Number(epoch));
  assert.ok(after.length > 0, 'there is something to attack');
  for (const entry of after) {
    if (entry.data === undefined) continue; // bob's own
    await assert.rejects(
      mls.decrypt(id, fromBase64(entry.data), async () => {}),
      Undecryptable,
    );
  }
  const ends = raw.filter((entry) => entry.kind === 'commit' && entry.epoch >= Number(epoch));
  for (const { data } of ends) {
    if (data !== undefined) await mls.decrypt(id, fromBase64(data), async () => {}).catch(() => {});
  }
  for (const entry of after) {
    if (entry.data === undefined) continue;
    await assert.rejects(
      mls.decrypt(id, fromBase64(entry.data), async () => {}),
      Undecryptable,
    );
  }
  await refused(mallory.client.api.call('GET', `conversations/${id}/group-info`), 'no_such_conversation');
  const seen = await mallory.client.api.call('GET', `conversations/${id}/log?after=0`);
  const removal = ends.at(-1)?.seq ?? 0;
  assert.ok(
    seen.every((entry) => entry.seq <= removal),
    'the server gives it nothing more',
  );
});

test('member_added_before_a_crash_is_no_stranger', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob);
  const { store } = bob.client;
  const write = store.write.bind(store);
  store.write = async (changed, item, more) =>
    changed.members.length === 3 ? assert.fail('the client stops here') : write(changed, item, more);
  await alice.client.membership.add(id, [carol.username]);
  await until(() => bob.told('problem').some(({ error }) => /stops here/.test(error.message)), 'it stops');
  store.write = write;
  bob.leaves();
  await bob.returns();
  await until(async () => (await store.get(id))?.members.length === 3, 'bob knows of carol');
  assert.deepEqual((await store.get(id))?.strangers, []);
  const notices = (await store.items(id, {})).flatMap(({ notice }) => (notice?.what === 'members' ? notice.added : []));
  assert.deepEqual(notices, [carol.user]);
  await bob.says(id, 'welcome');
  await carol.hears('welcome');
});

for (const when of ['before it stores that', 'before it deletes the keys'])
  test(`removed_device_that_ends_${when.replaceAll(' ', '_')}_is_out`, async () => {
    const [alice, bob] = await people('alice', 'bob');
    const id = await conversation(alice, bob);
    const { mls, store } = bob.client;
    const [forget, write] = [mls.forget.bind(mls), store.write.bind(store)];
    const ends = async () => assert.fail('the device ends here');
    if (when === 'before it stores that')
      store.write = (changed, item) => (changed.isActive ? write(changed, item) : ends());
    else mls.forget = ends;
    await alice.client.membership.remove(id, bob.user);
    await until(() => bob.told('problem').some(({ error }) => /ends here/.test(error.message)), 'it ends');
    Object.assign(store, { write });
    Object.assign(mls, { forget });
    bob.leaves();
    await bob.returns();
    await bob.isOut(id);
    await until(async () => (await mls.epoch(id)) === null, 'the keys are deleted');
    assert.deepEqual(bob.told('rejoined'), []);
  });

test('leaving_member_is_removed_by_the_others', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob, carol);
  await carol.client.farewell.leave(id);
  await carol.isOut(id);
  await until(async () => (await alice.client.mls.members(id)).length === 2, 'the leaf is gone');
  await alice.says(id, 'carol has left');
  await bob.hears('carol has left');
  await carol.doesNotHear('carol has left');
  assert.deepEqual((await alice.client.joining.list())[0].members.length, 2);
});

test('only_owner_or_admin_adds_and_removes_members', async () => {
  const [alice, bob, carol, dave] = await people('alice', 'bob', 'carol', 'dave');
  const id = await conversation(alice, bob, carol);
  await refused(bob.client.membership.add(id, [dave.username]), 'not_allowed');
  await refused(bob.client.membership.remove(id, carol.user), 'not_allowed');
  await refused(bob.client.api.call('PUT', `conversations/${id}/members/${bob.user}`, { role: 'owner' }), 'invalid');
  await alice.client.api.call('PUT', `conversations/${id}/members/${bob.user}`, { role: 'admin' });
  await bob.client.membership.add(id, [dave.username]);
  await dave.isIn(id);
  await refused(bob.client.membership.remove(id, alice.user), 'not_allowed');
  await bob.client.membership.remove(id, carol.user);
  await carol.isOut(id);
  await dave.says(id, 'thank you');
  await Promise.all([alice, bob].map((one) => one.hears('thank you')));
  [alice, bob, dave].forEach((one) => one.isFine());
});

test('revoked_device_is_removed_before_the_next_message', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const stolen = await another(bob);
  const id = await conversation(alice, bob, stolen);
  await stolen.says(id, 'from the train');
  await alice.hears('from the train');
  stolen.leaves();
  await bob.client.api.call('DELETE', `devices/${stolen.client.me.device}`);
  await alice.says(id, 'who has your phone?');
  await bob.hears('who has your phone?');
  const devices = (await alice.client.mls.members(id)).map((member) => member.device);
  assert.ok(!devices.includes(stolen.client.me.device));
  await refused(stolen.client.api.call('GET', 'account'), 'unauthenticated');
  [alice, bob].forEach((one) => one.isFine());
});

test('removed_member_added_again_reads_on', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  for (let round = 0; round < 3; round++) {
    await alice.client.membership.remove(id, bob.user);
    await bob.isOut(id);
    await alice.says(id, `without you ${round}`);
    await alice.client.membership.add(id, [bob.username]);
    await bob.isIn(id);
    await alice.says(id, `welcome back ${round}`);
    await bob.hears(`welcome back ${round}`);
    await bob.says(id, `thanks ${round}`);
    await alice.hears(`thanks ${round}`);
  }
  assert.deepEqual(
    bob.heard.filter((text) => text.startsWith('without')),
    [],
  );
  [alice, bob].forEach((one) => one.isFine());
});

test('group_started_twice_at_once_is_one_group', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = crypto.randomUUID();
  const starts = [1, 2].map(() => alice.client.membership.start([bob.username], id));
  assert.deepEqual(await Promise.all(starts), [id, id]);
  await bob.isIn(id);
  await alice.says(id, 'once');
  await bob.hears('once');
  alice.isFine();
});

test('own_commit_behind_a_message_is_shown_after_a_start', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob);
  await alice.client.outbox.send(id, { kind: 'group', name: 'The family' });
  await until(async () => (await bob.client.store.get(id))?.name === 'The family', 'bob has the name');
  const { membership, api } = alice.client;
  alice.client.sync = new Sync(alice.client, alice.client); // as after a start
  membership.sync = alice.client.sync;
  const call = api.callUntilAnswered.bind(api);
  api.callUntilAnswered = async (method, path, body) => {
    if (path.endsWith('/commits')) {
      await bob.says(id, 'meanwhile');
      await bob.client.outbox.allSent();
    }
    return call(method, path, body);
  };
  await membership.add(id, [carol.username]);
  await alice.hears('meanwhile');
  const notices = (await alice.client.store.items(id)).flatMap(({ notice }) =>
    notice?.what === 'members' ? notice.added : [],
  );
  assert.deepEqual(notices, [carol.user]);
  await until(async () => (await carol.client.store.get(id))?.name === 'The family', 'carol has the name');
});
