// @ts-check
/** Linking devices and the recovery key, between real clients and a real server, which lies where a test says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDeviceList } from '../client/trust/device-list.js';
import { codeOf, newSecret, wrap } from '../client/trust/secret-code.js';
import { toBase64, uuidBytes } from '../client/util/bytes.js';
import { isEqual } from '../client/util/equal.js';
import { Ghost, Tampering } from './tampering.js';
import { another, conversation, deceived, linked, listOf, people, refused, unlinked, until } from './users.js';

test('device_by_password_alone_joins_and_reads_nothing', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const thief = await unlinked(bob);
  assert.equal(thief.client.enrolment.standing, 'waiting');
  await refused(thief.client.joining.join(id), 'not_listed');
  await refused(thief.client.membership.start([alice.username]), 'not_listed');
  await refused(thief.client.linking.link(await codeOf(newSecret())), 'no_account_key');
  await alice.says(id, 'for bob');
  await bob.hears('for bob');
  assert.equal((await alice.client.mls.members(id)).length, 2);
  assert.deepEqual(thief.heard, []);
});

test('linked_device_reads_what_its_user_could_read_meanwhile', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  alice.leaves();
  await until(() => !alice.client.connection.isReady, 'alice is offline');
  await alice.says(id, 'for all devices of bob');
  const phone = await another(bob);
  await phone.isIn(id);
  await alice.returns();
  await phone.hears('for all devices of bob');
  assert.deepEqual(alice.told('failed'), []);
});

test('link_by_a_lying_server_lists_no_other_device', async () => {
  const [bob] = await deceived('bob');
  const phone = await unlinked(bob);
  const ghost = await Ghost.open(bob.user);
  const code = await phone.client.linking.ask();
  // The server shows its ghost under the id of the phone, or the phone's request as the ghost's.
  const lies = [
    (/** @type {any[]} */ shown) => shown.map((one) => ({ ...one, signature_key: toBase64(new Uint8Array(32)) })),
    (/** @type {any[]} */ shown) => shown.map((one) => ({ ...one, id: ghost.device })),
  ];
  for (const lie of lies) {
    bob.lies.changeAnswer = [
      ({ method, path }, answer) => (method === 'GET' && path === 'devices' ? lie(answer) : undefined),
      ({ method, path }, answer) =>
        method === 'GET' && path === 'links' ? [...answer, { ...answer[0], device: ghost.device }] : undefined,
    ];
    await assert.rejects(bob.client.linking.link(code), { code: 'wrong_code' });
  }
  bob.lies.changeAnswer = [];
  await assert.rejects(bob.client.linking.link(await codeOf(newSecret())), { code: 'wrong_code' });
  await assert.rejects(bob.client.linking.link(code.slice(1)), { code: 'mistyped_code' });
  assert.deepEqual(Object.keys((await bob.client.identities.of(bob.user))?.devices ?? {}), [bob.client.me.device]);
  await bob.client.linking.link(code);
  await until(() => phone.client.enrolment.isListed, 'the phone is linked');
});

test('account_key_of_the_server_is_not_taken_by_a_new_device', async () => {
  const [bob] = await people('bob');
  const [phone] = await deceived('phone');
  await phone.client.linking.ask();
  const lie = toBase64(new Uint8Array(60).fill(1));
  phone.client.enrolment.standing = 'waiting';
  phone.lies.changeAnswer.push(({ method, path }, answer) =>
    method === 'GET' && path === 'links'
      ? answer.map((/** @type {any} */ one) => ({ ...one, answer: lie }))
      : undefined,
  );
  await assert.rejects(phone.client.linking.takeAnswer(), { code: 'wrong_code' });
  const code = await bob.client.recoveryKey.make();
  const recovered = await unlinked(bob);
  await assert.rejects(recovered.client.recoveryKey.use(await codeOf(newSecret())), { code: 'wrong_code' });
  await recovered.client.recoveryKey.use(code);
  assert.ok(recovered.client.enrolment.isListed);
  assert.equal(Object.keys(openDeviceList(await listOf(bob), bob.user).devices).length, 2);
});

test('recovery_key_of_an_earlier_version_still_lists_a_device', async () => {
  const [bob] = await people('bob');
  const [key, secret, user] = [await bob.client.enrolment.ownKey(), newSecret(), uuidBytes(bob.user)];
  const recovery = await wrap(secret, 'Sottovoce recovery 1', user, key.seed);
  const label = new TextEncoder().encode('Sottovoce recovery 1');
  const signature = toBase64(key.sign(Uint8Array.from([...label, ...user, ...recovery])));
  await bob.client.api.call('PUT', 'account/recovery', { recovery: toBase64(recovery), signature });
  const recovered = await unlinked(bob);
  await recovered.client.recoveryKey.use(await codeOf(secret));
  assert.ok(recovered.client.enrolment.isListed);
});

test('device_that_the_server_hides_is_not_taken_off_the_list', async () => {
  const [bob] = await deceived('bob');
  const [alice] = await people('alice');
  const phone = await another(bob);
  await conversation(alice, bob, phone);
  const tablet = await unlinked(bob);
  bob.lies.changeAnswer.push(({ method, path }, answer) =>
    method === 'GET' && path === 'devices'
      ? answer.filter((/** @type {{ id: string }} */ { id }) => id !== phone.client.me.device)
      : undefined,
  );
  const code = await tablet.client.linking.ask();
  await refused(bob.client.linking.link(code), 'device_hidden');
  bob.lies.changeAnswer.length = 0;
  await bob.client.linking.link(code);
  await until(() => tablet.client.enrolment.isListed, 'the tablet is linked');
  assert.equal(Object.keys(openDeviceList(await listOf(bob), bob.user).devices).length, 3);
});

test('two_lists_that_a_lying_server_has_taken_become_one', async () => {
  const [bob] = await people('bob');
  const [phone, tablet] = [await another(bob), await another(bob)];
  const laptop = await unlinked(bob);
  // The phone removes the tablet; the server says that it has stored that, and has not.
  const { api } = phone.client;
  const call = api.callUntilAnswered.bind(api);
  const lying = async (/** @type {any} */ method, /** @type {any} */ path, /** @type {any} */ body) =>
    `${method} ${path}` === 'PUT account/device-list' ? {} : call(method, path, body);
  api.callUntilAnswered = /** @type {any} */ (lying);
  await phone.client.enrolment.unlist(tablet.client.me.device);
  api.callUntilAnswered = call;
  await linked(laptop, bob); // which the server stores
  const all = [bob, phone, laptop];
  const wanted = all.map(({ client }) => client.me.device).sort();
  await until(async () => isEqual(Object.keys(openDeviceList(await listOf(bob), bob.user).devices), wanted), 'a list of both'); // prettier-ignore
  for (const one of all) await until(() => one.client.enrolment.isListed, 'it is listed');
  await until(() => tablet.client.enrolment.standing === 'removed', 'the tablet stays removed');
});

/**
 * Bob has removed his phone, which was stolen, and logs in on a laptop. The server shows the laptop the list of before,
 * and everything else that the laptop needs to take the phone for one of bob's devices.
 */
async function stolenPhone() {
  const [alice] = await people('alice');
  const [bob] = await deceived('bob');
  const phone = await another(bob);
  const id = await conversation(alice, bob, phone);
  const [key, old] = [await bob.client.recoveryKey.make(), await listOf(bob)];
  const stolen = phone.client.me.device;
  const [shown] = (await bob.client.api.call('GET', 'devices')).filter(({ id }) => id === stolen);
  await bob.client.enrolment.unlist(stolen);
  await bob.client.api.call('DELETE', `devices/${stolen}`);
  await until(async () => (await alice.client.mls.members(id)).length === 2, 'the phone is out');
  const lies = new Tampering();
  const laptop = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  for (const { changeAnswer } of [bob.lies, lies])
    changeAnswer.push(({ method, path }, answer) =>
      `${method} ${path}` === 'GET devices' ? [...answer, shown] : undefined,
    );
  /** What the laptop has published. @type {import('../client/trust/device-list.js').SignedList[]} */
  const published = [];
  lies.answerRequest.push(({ method, path, body }) => {
    if (path === `users/${bob.user}/device-list`) return published.at(-1) ?? old;
    if (`${method} ${path}` !== 'PUT account/device-list') return undefined;
    published.push(body);
    return {};
  });
  return { alice, bob, laptop, stolen, key, published };
}

test('removed_device_that_an_older_list_brings_back_stays_removed', async () => {
  const { alice, bob, laptop, stolen, key, published } = await stolenPhone();
  await laptop.client.recoveryKey.use(key);
  const own = await laptop.client.enrolment.ownKey();
  const devices = [bob, laptop].map(({ client }) => client.me.device).sort();
  for (const nth of [1, 2]) {
    await laptop.client.enrolment.publish(own, (listed) => listed);
    const newest = published[nth];
    assert.ok(stolen in openDeviceList(newest, bob.user).devices, 'the laptop takes it for one of bob’s');
    for (const { client } of [alice, bob]) {
      await client.identities.accept(bob.user, newest);
      assert.deepEqual(Object.keys((await client.identities.of(bob.user))?.devices ?? {}), devices);
    }
  }
  const right = async () => Object.keys(openDeviceList(await listOf(bob), bob.user).devices);
  await until(
    async () => isEqual(await right(), devices),
    'bob publishes a list without it, for those who saw no other',
  );
});

test('link_answer_makes_a_new_device_refuse_an_older_list', async () => {
  const { bob, laptop, published } = await stolenPhone();
  const code = await laptop.client.linking.ask();
  const before = laptop.told('problem').length;
  await bob.client.linking.link(code);
  await until(() => laptop.told('problem').length > before, 'the laptop has the answer');
  assert.equal(laptop.told('problem').at(-1).error.code, 'old_device_list');
  assert.deepEqual([laptop.client.enrolment.standing, published], ['waiting', []]);
});
