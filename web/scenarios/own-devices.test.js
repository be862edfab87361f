// @ts-check
/** What a server can do between the devices of one account. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKeyPackage } from '../client/mls/frames.js';
import { AccountKey } from '../client/trust/account-key.js';
import { openDeviceList, signDeviceList } from '../client/trust/device-list.js';
import { fromBase64 } from '../client/util/bytes.js';
import { friends, honest, known, listOfGhost, no, random, reconnects, settled, texts } from './attacks.js';
import { PrivateLog } from './private-log.js';
import { Ghost, Tampering } from './tampering.js';
import { another, conversation, deceived, linked, listOf, people, unlinked, until } from './users.js';

test('device_that_the_server_hides_from_one_that_it_has_put_out_of_its_groups_stays_on_the_list', async () => {
  const [bob] = await deceived('bob');
  const [alice] = await people('alice');
  const phone = await another(bob);
  const id = await conversation(alice, bob, phone);
  await settled(bob);
  // The server says that another device of bob has ended bob's membership.
  const log = new PrivateLog(bob, id);
  await log.show({ kind: 'left', epoch: (await known(bob, id)).epoch, sender: phone.client.me.device });
  await settled(bob);
  bob.lies.changeAnswer.push(({ method, path }, answer) =>
    method === 'GET' && path === 'devices'
      ? answer.filter((/** @type {{ id: string }} */ { id: one }) => one !== phone.client.me.device)
      : undefined,
  );
  const tablet = await unlinked(bob);
  await bob.client.linking.link(await tablet.client.linking.ask()).then(
    () => 'linked',
    (e) => e.code,
  );
  honest(bob);
  await reconnects(bob);
  await settled(phone);
  await settled(alice);
  await reconnects(phone).catch(() => {});
  assert.equal(phone.client.enrolment.standing, 'listed');
});

test('device_without_groups_that_the_server_hides_stays_on_the_list', async () => {
  const [bob] = await deceived('bob');
  const phone = await another(bob);
  bob.lies.changeAnswer.push(({ method, path }, answer) =>
    method === 'GET' && path === 'devices'
      ? answer.filter((/** @type {{ id: string }} */ { id: one }) => one !== phone.client.me.device)
      : undefined,
  );
  const tablet = await unlinked(bob);
  await bob.client.linking.link(await tablet.client.linking.ask()).catch(() => {});
  honest(bob);
  await reconnects(phone).catch(() => {});
  assert.equal(phone.client.enrolment.standing, 'listed');
});

test('list_is_stated_again_to_a_device_that_has_joined_again', async () => {
  const [bob] = await deceived('bob');
  const [alice] = await people('alice');
  const id = await conversation(alice, bob);
  const phone = await another(alice);
  await settled(bob);
  await until(async () => (await known(bob, id)).members.length === 3, 'phone is in');
  // The phone is stolen: alice removes it. The server withholds the list, and has bob join again before he reads on.
  bob.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${alice.user}/device-list` ? no('no_device_list', 404) : undefined,
  );
  bob.lies.changeFrame.push((frame) => (frame.type === 'devices_changed' || frame.type === 'entry' ? null : undefined));
  await alice.client.ownList.remove(phone.client.me.device);
  await alice.client.api.call('DELETE', `devices/${phone.client.me.device}`);
  await alice.says(id, 'my phone is gone');
  await alice.client.outbox.allSent();
  bob.lies.answerRequest.push(({ path }) => (path.startsWith(`conversations/${id}/log`) ? [] : undefined));
  await bob.client.inTurn(() =>
    bob.client.emitAndWait('state lost', { conversation: id, reason: 'a commit that does not fit' }),
  );
  honest(bob);
  bob.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${alice.user}/device-list` ? no('no_device_list', 404) : undefined,
  );
  await settled(alice);
  await alice.says(id, 'do you know?');
  await bob.hears('do you know?');
  await settled(bob);
  const identity = await bob.client.identities.of(alice.user);
  assert.equal(Object.keys(identity?.devices ?? {}).length, 1, 'bob knows that the phone is removed');
});

test('false_key_of_a_user_who_was_not_met_yet_does_not_keep_them_apart_for_good', async () => {
  const [alice] = await deceived('alice');
  const [carol] = await people('carol');
  const fake = listOfGhost(carol.user);
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${carol.user}/device-list` ? fake : undefined,
  );
  alice.lies.inject({ type: 'devices_changed', user: carol.user });
  await settled(alice);
  honest(alice);
  await reconnects(alice);
  const started = await alice.client.membership.start([carol.username]).then(
    () => 'started',
    (e) => e.code,
  );
  assert.equal(started, 'started');
});

test('list_that_the_server_did_not_store_is_published_when_it_is_honest', async () => {
  const [alice] = await deceived('alice');
  const phone = await another(alice);
  alice.lies.answerRequest.push(({ method, path }) =>
    `${method} ${path}` === 'PUT account/device-list' || (method === 'DELETE' && path.startsWith('devices/'))
      ? {}
      : undefined,
  );
  await alice.client.ownList.remove(phone.client.me.device); // it was stolen
  honest(alice);
  await reconnects(alice);
  const at = Object.keys(openDeviceList(await listOf(alice), alice.user).devices);
  assert.equal(at.length, 1, 'who meets alice now gets a list without the stolen phone');
});

/** Alice has verified bob, and links a laptop. The server shows it a list of bob by a key of its own, with a ghost. */
async function deceivedLaptop() {
  const { alice, bob, id } = await friends();
  const ghost = await Ghost.open(bob.user);
  const { signatureKey } = parseKeyPackage(fromBase64(await ghost.keyPackage()));
  const fake = signDeviceList(AccountKey.generate(), {
    user: bob.user,
    counter: 1,
    devices: { [ghost.device]: signatureKey },
  });
  const lies = new Tampering();
  lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${bob.user}/device-list` ? fake : undefined,
  );
  const laptop = Object.assign(await unlinked(alice, { fetch: lies.fetch, WebSocket: lies.WebSocket }), { lies });
  await linked(laptop, alice);
  await laptop.isIn(id);
  await settled(laptop);
  return { alice, laptop, ghost, id };
}

test('further_device_of_a_person_who_has_verified_a_contact_sends_nothing_to_a_ghost', async () => {
  const { alice, laptop, ghost, id } = await deceivedLaptop();
  const log = new PrivateLog(laptop, id);
  const { epoch = 0 } = await known(laptop, id);
  const commit = await ghost.join(await alice.client.api.groupInfo(id));
  await log.show({ epoch, kind: 'commit', sender: ghost.device, data: commit });
  await settled(laptop);
  await laptop.says(id, 'only for bob');
  await settled(laptop);
  await settled(laptop);
  await ghost.read(log.entries.filter(({ kind }) => kind === 'commit').slice(1)); // it follows her own commits
  const read = await log.readBy(ghost);
  assert.deepEqual(read, []);
});

test('list_with_the_highest_counter_does_not_end_an_account_key', async () => {
  const { bob } = await friends();
  const phone = await another(bob);
  const stolen = await phone.client.ownKey.need();
  await bob.client.ownList.remove(phone.client.me.device);
  const list = signDeviceList(stolen, {
    user: bob.user,
    counter: Number.MAX_SAFE_INTEGER,
    devices: { [bob.client.me.device]: await bob.client.mls.signatureKey() },
  });
  await bob.client.api.call('PUT', 'account/device-list', list).catch(() => {});
  await bob.client.identities.refresh(bob.user);
  const tablet = await unlinked(bob);
  const how = await bob.client.linking.link(await tablet.client.linking.ask()).then(
    () => 'linked',
    (e) => `${e.code} ${e.message}`,
  );
  assert.equal(how, 'linked');
});

test('ghost_says_nothing_as_the_contact_on_a_further_device', async () => {
  const { alice, laptop, ghost, id } = await deceivedLaptop();
  const log = new PrivateLog(laptop, id);
  const { epoch = 0 } = await known(laptop, id);
  await log.show({
    epoch,
    kind: 'commit',
    sender: ghost.device,
    data: await ghost.join(await alice.client.api.groupInfo(id)),
  });
  await settled(laptop);
  await log.show({
    kind: 'application',
    epoch: epoch + 1,
    sender: ghost.device,
    data: await ghost.say(id, { kind: 'text', id: random(), text: 'I am bob' }),
  });
  await settled(laptop);
  assert.ok(!(await texts(laptop, id)).some(([, , isForeign]) => !isForeign));
});

test('group_is_named_on_a_new_device_to_which_the_name_comes_early', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await alice.client.outbox.send(id, { kind: 'group', name: 'The garden' });
  await until(async () => (await bob.client.store.get(id))?.name, 'bob has the name');
  const lies = new Tampering();
  lies.changeAnswer.push(async ({ method, path }) => {
    // The others answer the commit before this device knows that the server has it.
    if (method === 'POST' && path.endsWith('/commits')) await new Promise((resolve) => setTimeout(resolve, 1500));
  });
  const phone = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  await linked(phone, bob);
  await until(async () => (await phone.client.store.get(id))?.name === 'The garden', 'the phone has the name', 10_000);
  assert.deepEqual((await known(phone, id)).strangers ?? [], []);
});
