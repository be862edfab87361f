// @ts-check
/** A server that lies to a device that has just been confirmed, by another device or by the recovery key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKeyPackage } from '../client/mls/frames.js';
import { AccountKey } from '../client/trust/account-key.js';
import { signDeviceList } from '../client/trust/device-list.js';
import { trustIn } from '../client/trust/trust-in.js';
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import { friends, known, leadsInto, leadsToGhost, no, secrets, settled, verifies } from './attacks.js';
import { Ghost, Tampering } from './tampering.js';
import { another, conversation, linked, listOf, people, unlinked, until } from './users.js';

/** A further device of a user, which waits to be confirmed. @param {import('./users.js').Device} user */
async function waiting(user) {
  const lies = new Tampering();
  return Object.assign(await unlinked(user, { fetch: lies.fetch, WebSocket: lies.WebSocket }), { lies });
}

/** @param {import('./users.js').Device} device @param {string} id */
async function writes(device, id) {
  await device.says(id, 'only for bob');
  await settled(device);
  await settled(device);
}

/** @param {Awaited<ReturnType<waiting>>} device @param {import('./users.js').Device} contact */
function withholdsListOf(device, contact) {
  device.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${contact.user}/device-list` ? no('no_device_list', 404) : undefined,
  );
}

/** A laptop that alice has linked while the server withholds bob's list from it. */
async function laptopWithoutList() {
  const { alice, bob, id } = await friends();
  const laptop = await waiting(alice);
  withholdsListOf(laptop, bob);
  await linked(laptop, alice);
  await laptop.isIn(id);
  await settled(laptop);
  return { alice, bob, id, laptop };
}

for (const by of ['another device', 'the recovery key'])
  test(`user_whom_the_server_adds_reads_nothing_of_a_device_confirmed_by_${by.replaceAll(' ', '_')}`, async () => {
    const { alice, id } = await friends();
    const [eve] = await people('eve'); // an account of the operator
    const code = await alice.client.recoveryKey.make();
    const laptop = await waiting(alice);
    const { epoch = 0 } = await known(alice, id);
    const read = await leadsToGhost(laptop, id, eve, { epoch, groupInfo: await alice.client.api.groupInfo(id) });
    if (by === 'another device') await linked(laptop, alice);
    else await laptop.client.recoveryKey.use(code);
    await laptop.isIn(id);
    await settled(laptop);
    await writes(laptop, id);
    assert.deepEqual(await read(), []);
    assert.deepEqual((await known(laptop, id)).strangers, [eve.user]);
  });

test('users_whom_another_device_has_seen_in_a_group_are_no_strangers', async () => {
  const { alice, bob, id } = await friends();
  const [carol] = await people('carol');
  await bob.client.membership.add(id, [carol.username]);
  await settled(alice);
  const laptop = await another(alice);
  await laptop.isIn(id);
  const { strangers, verified } = await known(laptop, id);
  assert.deepEqual([strangers, Object.keys(verified)], [[], [bob.user]]);
  await laptop.says(id, 'for both of you');
  for (const one of [bob, carol]) await one.hears('for both of you');
});

test('confirmed_device_takes_the_keys_of_contacts_whatever_it_was_shown_before', async () => {
  const { alice, bob } = await friends();
  const laptop = await waiting(alice);
  const ghost = await Ghost.open(bob.user);
  const { signatureKey } = parseKeyPackage(fromBase64(await ghost.keyPackage()));
  const devices = { [ghost.device]: signatureKey };
  const list = signDeviceList(AccountKey.generate(), { user: bob.user, counter: 1, devices });
  laptop.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${bob.user}/device-list` ? list : undefined,
  );
  await laptop.client.identities.refresh(bob.user);
  assert.equal((await laptop.client.identities.of(bob.user))?.key, list.account_key, 'the first one is kept');
  await linked(laptop, alice);
  assert.equal((await laptop.client.identities.of(bob.user))?.key, (await listOf(bob)).account_key);
  assert.ok(await laptop.client.trust.isVerified(bob.user));
});

test('device_that_waits_to_be_confirmed_takes_no_welcome', async () => {
  const { alice, bob } = await friends();
  const laptop = await waiting(alice);
  const ghost = await Ghost.open(bob.user);
  const id = crypto.randomUUID();
  const [keyPackage] = await laptop.client.mls.keyPackages(1); // the server has them
  const data = await ghost.create(id, 1, [toBase64(keyPackage)]);
  laptop.lies.inject({ type: 'welcome', conversation: id, seq: 1, data });
  await settled(laptop);
  assert.deepEqual([laptop.client.enrolment.isListed, await laptop.client.store.get(id)], [false, undefined]);
});

test('removed_device_of_a_contact_reads_nothing_of_a_device_linked_later', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const stolen = await another(bob);
  const id = await conversation(alice, bob, stolen);
  await settled(alice);
  await verifies(alice, id, bob);
  const list = await listOf(bob);
  const groupInfo = toBase64(await alice.client.api.groupInfo(id));
  const epoch = (await stolen.client.mls.epoch(id)) ?? 0;
  stolen.leaves();
  await bob.client.ownList.remove(stolen.client.me.device);
  await bob.client.api.call('DELETE', `devices/${stolen.client.me.device}`);
  await settled(alice);
  const devices = async () => Object.keys((await alice.client.identities.of(bob.user))?.devices ?? {});
  await until(async () => (await devices()).length === 1, 'alice knows the newer list');
  const laptop = await waiting(alice);
  laptop.lies.answerRequest.push(({ path }) => (path === `users/${bob.user}/device-list` ? list : undefined));
  /** @type {string[]} */
  const read = [];
  const decrypt = (/** @type {string} */ data) =>
    stolen.client.mls
      .decrypt(id, fromBase64(data), async (plain) => void (plain && read.push(new TextDecoder().decode(plain))))
      .catch(() => {});
  const sent = leadsInto(laptop, id, { epoch, groupInfo }, decrypt);
  await linked(laptop, alice);
  await laptop.isIn(id);
  await settled(laptop);
  await writes(laptop, id);
  for (const { data } of await sent()) await decrypt(data);
  assert.deepEqual(secrets(read), []);
  assert.equal(trustIn(await known(laptop, id), bob.user), 'changed', 'his newest list has not come');
});

test('verified_contact_without_a_list_is_not_removed_at_the_servers_word', async () => {
  const { bob, id, laptop } = await laptopWithoutList();
  laptop.lies.answerRequest.push(({ path }) =>
    path === `conversations/${id}/removals` ? { devices: [bob.client.me.device] } : undefined,
  );
  const how = await laptop.client.inTurn(() => laptop.client.removals.removeDue(id));
  assert.equal(how, 'asked');
});

test('user_whom_the_server_adds_while_it_withholds_a_list_is_a_stranger', async () => {
  const { alice, bob, id, laptop } = await laptopWithoutList();
  const [eve] = await people('eve');
  const { epoch = 0 } = await known(laptop, id);
  const read = await leadsToGhost(laptop, id, eve, { epoch, groupInfo: await alice.client.api.groupInfo(id) });
  await laptop.client.inTurn(() => laptop.client.emitAndWait('state lost', { conversation: id, reason: 'a test' }));
  laptop.lies.answerRequest.shift(); // the list of bob comes
  await laptop.client.identities.refresh(bob.user);
  await settled(laptop);
  await writes(laptop, id);
  assert.deepEqual(await read(), []);
  assert.deepEqual((await known(laptop, id)).strangers, [eve.user]);
});

test('verified_contact_whose_second_list_is_withheld_is_not_removed_without_a_question', async () => {
  const [alice, bob] = await people('alice', 'bob');
  await another(bob); // his list has counter 2
  const id = await conversation(alice, bob);
  await settled(alice);
  await verifies(alice, id, bob);
  const laptop = await waiting(alice);
  withholdsListOf(laptop, bob);
  await linked(laptop, alice);
  await laptop.isIn(id);
  await settled(laptop);
  await writes(laptop, id);
  await settled(alice);
  const users = new Set((await alice.client.mls.members(id)).map(({ user }) => user));
  assert.ok(users.has(bob.user), 'bob is still in the group');
});

test('contact_without_a_common_group_is_reachable_from_the_fourth_device', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await alice.says(id, 'hello');
  await bob.hears('hello');
  await alice.client.membership.leave(id);
  await settled(alice);
  let last = alice;
  for (let devices = 1; devices < 4; devices++) last = await another(last);
  const again = await last.client.membership.start([bob.username]);
  await bob.isIn(again);
  await last.says(again, 'hello again');
  await bob.hears('hello again');
});

test('device_that_a_contact_has_removed_stays_removed_for_a_device_linked_later', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const stolen = await another(bob);
  const id = await conversation(alice, bob, stolen);
  await settled(alice);
  await verifies(alice, id, bob);
  stolen.leaves();
  await bob.client.ownList.remove(stolen.client.me.device);
  /** @param {import('./users.js').Device} by */
  const devices = async (by) => Object.keys((await by.client.identities.of(bob.user))?.devices ?? {});
  await until(async () => (await devices(alice)).length === 1, 'alice has seen the removal');
  // A tablet of bob, which the server kept from all news, signs a list with the stolen phone.
  const { counter = 0 } = (await alice.client.identities.of(bob.user)) ?? {};
  const list = signDeviceList(await bob.client.ownKey.need(), {
    user: bob.user,
    counter: counter + 1,
    devices: {
      [bob.client.me.device]: await bob.client.mls.signatureKey(),
      [stolen.client.me.device]: await stolen.client.mls.signatureKey(),
    },
  });
  await alice.client.identities.accept(bob.user, list);
  assert.deepEqual(await devices(alice), [bob.client.me.device], 'alice does not follow');
  const laptop = await waiting(alice);
  laptop.lies.answerRequest.push(({ path }) => (path === `users/${bob.user}/device-list` ? list : undefined));
  await linked(laptop, alice);
  await laptop.isIn(id);
  await settled(laptop);
  assert.deepEqual(await devices(laptop), [bob.client.me.device], 'nor does her laptop');
});
