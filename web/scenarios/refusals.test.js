// @ts-check
/** Requests that the server rejects, each with its code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../client/content/index.js';
import { Api } from '../client/transport/api.js';
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import { CommitRejected } from '../client/mls/errors.js';
import { another, conversation, deceived, people, refused, until } from './users.js';

/** @param {import('./users.js').Device} device @param {string} id @param {object} body */
function post(device, id, body) {
  return device.client.api.call('POST', `conversations/${id}/messages`, body);
}

/** @param {import('./users.js').Device} device @param {string} id @param {string} text */
async function encrypted(device, id, text) {
  const { epoch, data } = await device.client.mls.encrypt(
    id,
    new TextEncoder().encode(JSON.stringify({ kind: 'text', id: newId(), text })),
  );
  return { id: `id-${text}`, epoch, data: toBase64(data) };
}

/**
 * A commit as it would be sent; the group stays as it is.
 * @param {import('./users.js').Device} device @param {string} id
 */
async function commitOf(device, id) {
  /** @type {any} */
  let body;
  const cursor = (await device.client.store.get(id))?.cursor;
  const failing = device.client.mls.update(id, async (bundle) => {
    body = { ...Api.bundle(bundle), read: cursor };
    throw new Error('not sent');
  });
  await assert.rejects(failing, CommitRejected);
  return body;
}

test('invalid_message_is_rejected', async () => {
  const [alice, bob, mallory] = await people('alice', 'bob', 'mallory');
  const [id, other] = [await conversation(alice, bob), await conversation(alice, mallory)];
  const message = await encrypted(alice, id, 'once');
  const first = await post(alice, id, message);
  assert.deepEqual(await post(alice, id, message), first, 'repeated, it gets its first result');
  const again = { ...(await encrypted(alice, id, 'once')) };
  assert.equal((await post(alice, id, again)).seq, first.seq, 'also when encrypted again');
  await bob.hears('once');

  const next = await encrypted(alice, id, 'next');
  const bytes = fromBase64(next.data);
  const mutated = (/** @type {Uint8Array} */ data) => post(alice, id, { ...next, data: toBase64(data) });
  await refused(mutated(bytes.slice(0, -1)), 'bad_frame');
  await refused(mutated(new Uint8Array([...bytes, 0])), 'bad_frame');
  await refused(mutated(new Uint8Array()), 'bad_frame');
  await refused(post(alice, other, next), 'wrong_group');
  await refused(post(alice, id, { ...next, epoch: next.epoch + 1 }), 'bad_frame');
  await refused(post(mallory, id, next), 'not_a_leaf');
  await refused(mutated(fromBase64((await commitOf(alice, id)).commit)), 'bad_frame');
  await refused(mutated(new Uint8Array(300_000)), 'bad_frame');
  await refused(post(alice, id, { ...next, id: 'nul \u0000' }), 'invalid');

  const late = await encrypted(alice, id, 'late');
  await bob.updates(id);
  await refused(post(alice, id, late), 'stale_epoch');
});

test('invalid_commit_is_rejected', async () => {
  const [alice, bob, mallory] = await people('alice', 'bob', 'mallory');
  const [id, other] = [await conversation(alice, bob), await conversation(alice, mallory)];
  const commit = (/** @type {any} */ device, /** @type {object} */ body, to = id) =>
    device.client.api.call('POST', `conversations/${to}/commits`, body);
  const good = await commitOf(alice, id);
  const cut = (/** @type {string} */ text, by = 1) => toBase64(fromBase64(text).slice(0, -by));

  await refused(commit(alice, { ...good, commit: cut(good.commit) }), 'bad_frame');
  await refused(commit(alice, { ...good, group_info: cut(good.group_info) }), 'bad_frame');
  await refused(commit(alice, { ...good, group_info: good.commit }), 'bad_frame');
  await refused(commit(alice, good, other), 'wrong_group');
  await refused(commit(bob, good), 'not_a_leaf');
  await refused(commit(mallory, good), 'no_such_conversation');
  await refused(commit(alice, good, crypto.randomUUID()), 'wrong_group');
  const flipped = (/** @type {string} */ text, /** @type {number} */ at) => {
    const bytes = fromBase64(text);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    return toBase64(bytes);
  };
  await refused(commit(alice, { ...good, commit: flipped(good.commit, 45) }), 'tree_differs'); // in her new leaf
  await refused(commit(alice, { ...good, group_info: flipped(good.group_info, -1) }), 'bad_frame'); // its signature
  const theirs = await commitOf(bob, id);
  await refused(commit(alice, { ...good, group_info: theirs.group_info }), 'tree_differs');
  await refused(commit(alice, { ...good, welcome: good.group_info }), 'bad_frame');

  await bob.updates(id);
  await refused(commit(alice, good), 'stale_epoch');
  await alice.updates(id);
  [alice, bob].forEach((one) => one.isFine());
});

test('add_needs_a_key_package_claimed_once', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob);
  const [unclaimed] = await carol.client.mls.keyPackages(1);
  await refused(alice.client.mls.add(id, [unclaimed], send(alice, id)).catch(cause), 'unknown_key_package');
  await alice.client.membership.add(id, [carol.username]);
  await carol.isIn(id);
  await until(async () => (await bob.client.mls.members(id)).length === 3, 'all have seen it');
});

test('repeated_commit_gets_the_first_answer', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const { api } = alice.client;
  const { fetch } = api;
  let lost = 0;
  api.fetch = async (...request) => {
    const answer = await fetch(...request);
    if (String(request[0]).endsWith('/commits') && lost++ === 0) throw new TypeError('the connection broke');
    return answer;
  };
  const epoch = Number(await alice.client.mls.epoch(id));
  await alice.updates(id);
  assert.ok(lost >= 2, 'the first answer was lost');
  assert.equal(await alice.client.mls.epoch(id), epoch + 1, 'one commit, not two');
  await alice.says(id, 'after all');
  await bob.hears('after all');
  [alice, bob].forEach((one) => one.isFine());
});

test('device_id_and_key_belong_to_one_device', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const device = {
    id: alice.client.me.device,
    name: 'x',
    signature_key: toBase64(await alice.client.mls.signatureKey()),
  };
  const register = (/** @type {any} */ body) => bob.client.api.call('POST', 'devices', body);
  await refused(register(device), 'taken');
  await refused(register({ ...device, id: '0000000000000abc' }), 'taken');
  await refused(register({ ...device, id: 'ABC' }), 'invalid');
  await refused(register({ ...device, id: 'ffffffffffffffff' }), 'invalid');
  await refused(register({ ...device, id: '0000000000000abc', signature_key: 'AAAA' }), 'invalid');
  const phone = await another(alice);
  const foreign = (await phone.client.mls.keyPackages(1)).map(toBase64);
  await refused(alice.client.api.call('POST', 'key-packages', { key_packages: foreign }), 'bad_frame');
});

/** @param {import('./users.js').Device} device @param {string} id */
function send(device, id) {
  return async (/** @type {import('../client/mls/transactions.js').Bundle} */ bundle) => {
    await device.client.api.call('POST', `conversations/${id}/commits`, { ...Api.bundle(bundle), read: 0 });
  };
}

/** @param {any} error */
function cause(error) {
  throw error.cause ?? error;
}

test('removed_device_id_stays_taken', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await another(alice);
  const id = await conversation(alice, phone, bob);
  const gone = phone.client.me.device;
  phone.leaves();
  await alice.client.api.call('DELETE', `devices/${gone}`);
  const body = { id: gone, name: 'x', signature_key: toBase64(crypto.getRandomValues(new Uint8Array(32))) };
  await refused(bob.client.api.call('POST', 'devices', body), 'taken');
  await refused(bob.client.api.call('POST', 'devices', { ...body, id: '0000000000000def' }), 'taken');
  await alice.says(id, 'it is gone');
  await bob.hears('it is gone');
});

test('unjoinable_group_of_a_stranger_disturbs_nobody', async () => {
  const [mallory, bob] = await people('mallory', 'bob');
  const id = crypto.randomUUID();
  const [claimed] = await mallory.client.api.call('POST', `users/${bob.user}/key-packages/claim`, {});
  await mallory.client.mls.create(id, [fromBase64(claimed.key_package)], async (bundle) => {
    const welcome = bundle.welcome && Uint8Array.from(bundle.welcome);
    welcome?.fill(0, welcome.length - 40); // valid MLS, but no device can decrypt it
    await mallory.client.api.call('POST', 'conversations', { id, ...Api.bundle({ ...bundle, welcome }) });
  });
  const [carol] = await people('carol');
  bob.leaves();
  await bob.returns();
  const other = await conversation(carol, bob);
  await carol.says(other, 'can you hear me?');
  await bob.hears('can you hear me?');
});

test('false_group_info_is_replaced_by_the_next_commit', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const first = await commitOf(alice, id);
  await alice.client.api.call('POST', `conversations/${id}/commits`, first); // and does not apply it: her keys are lost
  await bob.updates(id);
  await alice.says(id, 'I am back');
  await bob.hears('I am back');
  await bob.says(id, 'welcome back');
  await alice.hears('welcome back');
});

test('log_out_without_a_network_ends_the_session_at_the_next_start', async () => {
  const [alice] = await deceived('alice');
  const phone = await another(alice);
  const { token, device } = alice.client.me;
  alice.lies.answerRequest.push(({ method }) => {
    if (method === 'DELETE') throw new Error('no network');
    return undefined;
  });
  await alice.client.account.logOut();
  const { storage } = alice.client;
  assert.deepEqual(await storage.all('conversations'), []);
  assert.deepEqual(await storage.all('state'), [['left', [{ token, device }]]], 'nothing else stays');
  const listed = async () => (await phone.client.api.call('GET', 'devices')).map(({ id }) => id);
  assert.ok((await listed()).includes(device));

  assert.equal(await alice.client.account.resume(), false);
  await alice.client.account.endLeft();
  assert.deepEqual(await storage.all('state'), [['left', [{ token, device }]]], 'there is still no network');
  alice.lies.answerRequest.length = 0;
  await alice.client.account.endLeft();
  assert.deepEqual(await listed(), [phone.client.me.device]);
  await refused(phone.client.api.as(token, 'omit').call('GET', 'account'), 'unauthenticated');
  assert.deepEqual(await storage.all('state'), []);
});

test('messages_refused_in_an_earlier_epoch_are_sent_again_at_once', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  let lists = 0;
  alice.lies.answerRequest.push(
    ({ method, path }) => void (lists += Number(method === 'GET' && path === 'conversations')),
  );
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' && frame.kind === 'commit' ? null : undefined));
  await bob.updates(id);
  const texts = Array.from({ length: 10 }, (_, n) => `late ${n}`);
  for (const text of texts) await alice.says(id, text);
  await bob.hears(...texts);
  assert.equal(lists, 0, 'alice does not suspect the server for each of them');
});
