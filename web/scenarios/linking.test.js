// @ts-check
/** Linking devices and the recovery key, between real clients and a real server, which lies where a test says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDeviceList } from '../client/trust/device-list.js';
import { codeOf, newSecret, wrap } from '../client/trust/secret-code.js';
import { toBase64, uuidBytes } from '../client/util/bytes.js';
import { listOfGhost } from './attacks.js';
import { PASSWORD } from './password.js';
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

test('refused_new_account_key_leaves_the_one_of_before', async () => {
  const [bob] = await people('bob');
  const before = (await bob.client.ownKey.need()).publicKey;
  await refused(bob.client.enrolment.startAgain('Wrong1pass'), 'invalid_credentials');
  assert.equal((await bob.client.ownKey.need()).publicKey, before);
  assert.equal(await bob.client.storage.get('state', 'next-account-key'), undefined);
  await bob.client.inTurn(() => bob.client.enrolment.bringUpToDate());
  assert.ok(bob.client.enrolment.isListed);
  await bob.client.enrolment.startAgain(PASSWORD);
  assert.ok(bob.client.enrolment.isListed);
  assert.notEqual((await bob.client.ownKey.need()).publicKey, before);
});

test('new_account_key_whose_answer_is_lost_is_kept', async () => {
  const [bob] = await people('bob');
  const lies = new Tampering();
  const phone = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  let isLost = false;
  lies.changeAnswer.push(({ method, path }) => {
    if (isLost || `${method} ${path}` !== 'PUT account/device-list') return undefined;
    isLost = true; // the server has stored the list, and a proxy in between fails
    throw new TypeError('the connection was lost');
  });
  await phone.client.enrolment.startAgain(PASSWORD);
  assert.ok(isLost && phone.client.enrolment.isListed);
  assert.equal((await listOf(phone)).account_key, (await phone.client.ownKey.need()).publicKey);
});

/** The device ends before or after the server gets its new account key. @param {'before' | 'after'} when */
async function endsWhileItStartsAgain(when) {
  const [bob] = await people('bob');
  const phone = await unlinked(bob);
  const { api } = phone.client;
  const call = api.callUntilAnswered.bind(api);
  api.callUntilAnswered = /** @type {any} */ (
    async (/** @type {any} */ method, /** @type {any} */ path, /** @type {any} */ body) => {
      if (`${method} ${path}` !== 'PUT account/device-list') return call(method, path, body);
      if (when === 'after') await call(method, path, body);
      throw new Error('the device ends here');
    }
  );
  await assert.rejects(phone.client.enrolment.startAgain(PASSWORD), /ends here/);
  assert.equal(phone.client.enrolment.isListed, false);
  api.callUntilAnswered = call;
  await phone.client.inTurn(() => phone.client.enrolment.bringUpToDate());
  return { bob, phone };
}

test('device_that_ends_after_the_server_has_its_new_account_key_keeps_it', async () => {
  const { phone } = await endsWhileItStartsAgain('after');
  assert.ok(phone.client.enrolment.isListed);
  assert.equal((await listOf(phone)).account_key, (await phone.client.ownKey.need()).publicKey);
});

test('device_that_ends_before_the_server_has_its_new_account_key_waits', async () => {
  const { bob, phone } = await endsWhileItStartsAgain('before');
  assert.equal(phone.client.enrolment.standing, 'waiting');
  assert.equal(await phone.client.ownKey.get(), null);
  await linked(phone, bob);
  assert.equal(await phone.client.storage.get('state', 'next-account-key'), undefined);
  assert.equal((await phone.client.ownKey.need()).publicKey, (await bob.client.ownKey.need()).publicKey);
});

test('account_key_without_a_list_signs_one', async () => {
  const [bob] = await deceived('bob');
  await bob.client.settled();
  await bob.client.identities.forget(bob.user); // as if it had ended between the key and its first list
  /** @type {import('../client/trust/device-list.js').SignedList[]} */
  const published = [];
  bob.lies.answerRequest.push(({ method, path, body }) => {
    if (`${method} ${path}` === 'PUT account/device-list') published.push(body);
    else if (!path.endsWith('/device-list')) return undefined;
    else return Response.json({ error: 'none', code: 'no_device_list' }, { status: 404 });
    return {};
  });
  await bob.client.inTurn(() => bob.client.enrolment.bringUpToDate());
  assert.deepEqual(Object.keys(openDeviceList(published[0], bob.user).devices), [bob.client.me.device]);
});

test('own_list_that_is_over_is_signed_again', async () => {
  const [bob] = await people('bob');
  const known = (await bob.client.identities.of(bob.user)) ?? assert.fail();
  const over = { ...known, notAfter: Math.floor(Date.now() / 1000) - 2 * 3600 };
  await bob.client.storage.write([['state', `identity/${bob.user}`, over]]);
  await bob.client.inTurn(() => bob.client.enrolment.bringUpToDate());
  await bob.client.settled();
  assert.ok(bob.client.enrolment.isListed);
  assert.equal(openDeviceList(await listOf(bob), bob.user).counter, 2);
});

test('recovery_key_of_an_earlier_version_still_lists_a_device', async () => {
  const [bob] = await people('bob');
  const [key, secret, user] = [await bob.client.ownKey.need(), newSecret(), uuidBytes(bob.user)];
  const recovery = await wrap(secret, 'Sottovoce recovery 1', user, key.seed);
  const label = new TextEncoder().encode('Sottovoce recovery 1');
  const signature = toBase64(key.sign(Uint8Array.from([...label, ...user, ...recovery])));
  await bob.client.api.call('PUT', 'account/recovery', { recovery: toBase64(recovery), signature });
  const lies = new Tampering();
  const recovered = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  const ghost = await Ghost.open(bob.user);
  lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${bob.user}/device-list` ? listOfGhost(bob.user, ghost.device) : undefined,
  );
  await refused(recovered.client.recoveryKey.use(await codeOf(secret)), 'other_account_key');
  lies.answerRequest.length = 0;
  await recovered.client.recoveryKey.use(await codeOf(secret));
  assert.ok(recovered.client.enrolment.isListed);
});

test('device_under_a_listed_id_with_another_key_is_not_shown_as_listed', async () => {
  const [bob] = await deceived('bob');
  const phone = await another(bob);
  const isListed = async () =>
    (await bob.client.ownDevices.list()).find(({ id }) => id === phone.client.me.device)?.isListed;
  assert.equal(await isListed(), true);
  bob.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET devices'
      ? answer.map((/** @type {any} */ one) => ({ ...one, signature_key: toBase64(new Uint8Array(32)) }))
      : undefined,
  );
  assert.equal(await isListed(), false);
});

test('code_stays_the_same_until_another_one_is_asked_for', async () => {
  const [bob] = await people('bob');
  const phone = await unlinked(bob);
  const code = await phone.client.linking.ask();
  assert.equal(await phone.client.linking.ask(), code); // another tab
  const other = await phone.client.linking.ask({ isNew: true });
  assert.notEqual(other, code);
  await refused(bob.client.linking.link(code), 'wrong_code');
  await bob.client.linking.link(other);
  await until(() => phone.client.enrolment.isListed, 'the phone is confirmed');
});
