// @ts-check
/** Device lists of an account to whose devices the server shows old lists, or lists of one counter, or none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountKey } from '../client/trust/account-key.js';
import { encodeDeviceList, openDeviceList, signDeviceList } from '../client/trust/device-list.js';
import { toBase64 } from '../client/util/bytes.js';
import { isEqual } from '../client/util/equal.js';
import { Tampering } from './tampering.js';
import { another, conversation, deceived, linked, listOf, people, refused, unlinked, until } from './users.js';

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
  await bob.client.linking.link(await tablet.client.linking.ask());
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
  await phone.client.ownList.remove(tablet.client.me.device);
  api.callUntilAnswered = call;
  // The server stores this one. The laptop is listed until a device learns of both.
  await bob.client.linking.link(await laptop.client.linking.ask());
  const both = [bob, phone].map(({ client }) => client.me.device).sort();
  await until(async () => isEqual(Object.keys(openDeviceList(await listOf(bob), bob.user).devices), both), 'a list of both'); // prettier-ignore
  for (const one of [bob, phone]) await until(() => one.client.enrolment.isListed, 'it is listed');
  for (const one of [tablet, laptop]) await until(() => one.client.enrolment.standing === 'removed', 'it is removed');
  const again = await another(bob); // the laptop logs in once more
  for (const { client } of [bob, phone, again]) assert.equal(client.enrolment.standing, 'listed');
});

test('device_that_was_removed_before_it_took_its_answer_does_not_wait', async () => {
  const [bob] = await people('bob');
  const laptop = await unlinked(bob);
  const { linking } = laptop.client;
  const takes = linking.takeAnswer.bind(linking);
  linking.takeAnswer = async () => {};
  await bob.client.linking.link(await linking.ask());
  await bob.client.ownList.remove(laptop.client.me.device);
  await refused(laptop.client.inTurn(takes), 'device_removed');
  assert.equal(laptop.client.enrolment.standing, 'removed');
  laptop.leaves();
  await laptop.returns();
  await laptop.client.settled();
  assert.equal(laptop.client.enrolment.standing, 'removed', 'after the next start, too');
});

/**
 * The server shows this list, then those that the device publishes, and tells nobody else of them; and these devices.
 * @param {Tampering} lies @param {string} user @param {import('../client/trust/device-list.js').SignedList} first
 * @param {object[]} devices
 */
function showsOwnLists(lies, user, first, devices) {
  /** @type {import('../client/trust/device-list.js').SignedList[]} */
  const published = [];
  lies.answerRequest.push(({ method, path, body }) => {
    if (path === `users/${user}/device-list`) return published.at(-1) ?? first;
    if (`${method} ${path}` === 'GET devices') return devices;
    if (`${method} ${path}` !== 'PUT account/device-list') return undefined;
    published.push(body);
    return {};
  });
  return published;
}

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
  const shown = (await bob.client.api.call('GET', 'devices')).filter(({ id }) => id === stolen);
  await bob.client.ownList.remove(stolen);
  await bob.client.api.call('DELETE', `devices/${stolen}`);
  await until(async () => (await alice.client.mls.members(id)).length === 2, 'the phone is out');
  const lies = new Tampering();
  const laptop = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  bob.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET devices' ? [...answer, ...shown] : undefined,
  );
  const published = showsOwnLists(lies, bob.user, old, [...shown, ...(await bob.client.api.call('GET', 'devices'))]);
  return { alice, bob, laptop, stolen, key, published };
}

test('removed_device_that_an_older_list_brings_back_stays_removed', async () => {
  const { alice, bob, laptop, stolen, key, published } = await stolenPhone();
  await laptop.client.recoveryKey.use(key);
  const own = await laptop.client.ownKey.need();
  const devices = [bob, laptop].map(({ client }) => client.me.device).sort();
  for (const nth of [1, 2]) {
    await laptop.client.ownList.publish(own, ({ devices }) => devices);
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

test('linked_device_has_the_newest_list_whatever_the_server_shows', async () => {
  const { bob, laptop, stolen, published } = await stolenPhone();
  await linked(laptop, bob);
  const devices = Object.keys((await laptop.client.identities.of(bob.user))?.devices ?? {});
  assert.ok(devices.length === 2 && !devices.includes(stolen));
  assert.deepEqual(published, [], 'it has signed nothing on top of an old list');
});

test('recovery_key_hands_over_a_list_where_the_server_shows_none', async () => {
  const [bob] = await people('bob');
  const phone = await another(bob);
  const key = await bob.client.recoveryKey.make();
  const lies = new Tampering();
  lies.answerRequest.push(({ method, path }) => {
    if (path === `users/${bob.user}/device-list`)
      return Response.json({ error: 'none', code: 'no_device_list' }, { status: 404 });
    return `${method} ${path}` === 'PUT account/device-list' ? {} : undefined;
  });
  const laptop = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  await laptop.client.recoveryKey.use(key);
  const all = [bob, phone, laptop].map(({ client }) => client.me.device).sort();
  const { counter, devices = {} } = (await laptop.client.identities.of(bob.user)) ?? {};
  assert.deepEqual([counter, Object.keys(devices)], [3, all]);
  assert.ok(laptop.client.enrolment.isListed);
});

test('list_of_the_server_does_not_confirm_a_device_with_the_account_key', async () => {
  const [bob] = await people('bob');
  const key = await bob.client.recoveryKey.make();
  const lies = new Tampering();
  const laptop = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  await laptop.client.settled();
  await laptop.client.identities.forget(bob.user);
  const own = { [laptop.client.me.device]: await laptop.client.mls.signatureKey() };
  const old = Math.floor(Date.now() / 1000) + 300 * 24 * 3600; // a right one would be renewed
  const [other, bytes] = [AccountKey.generate(), encodeDeviceList({ user: bob.user, counter: 9, notAfter: old, devices: own })]; // prettier-ignore
  const lie = { account_key: other.publicKey, device_list: toBase64(bytes), signature: toBase64(other.sign(bytes)) };
  lies.answerRequest.push(({ path }) => (path === `users/${bob.user}/device-list` ? lie : undefined));
  const { seed } = await bob.client.ownKey.need(); // all that a recovery key of an earlier version contains
  await refused(laptop.client.enrolment.take(seed), 'other_account_key');
  await laptop.client.inTurn(() => laptop.client.enrolment.bringUpToDate());
  assert.equal(laptop.client.enrolment.standing, 'waiting');
  lies.answerRequest.length = 0;
  await laptop.client.recoveryKey.use(key);
  assert.ok(laptop.client.enrolment.isListed);
});

test('device_that_the_server_left_behind_brings_no_removed_device_back', async () => {
  const [bob] = await people('bob');
  const [ofLaptop, ofTablet] = [new Tampering(), new Tampering()];
  const laptop = await unlinked(bob, { fetch: ofLaptop.fetch, WebSocket: ofLaptop.WebSocket });
  await linked(laptop, bob);
  const phone = await another(bob);
  const stolen = phone.client.me.device;
  await laptop.client.identities.refresh(bob.user);
  const [old, shown] = [await listOf(bob), await bob.client.api.call('GET', 'devices')];
  // The laptop sees nothing new: it signs two lists on top of the list of before the removal.
  const behind = showsOwnLists(ofLaptop, bob.user, old, shown);
  await bob.client.ownList.remove(stolen);
  await bob.client.api.call('DELETE', `devices/${stolen}`);
  const tablet = await unlinked(bob, { fetch: ofTablet.fetch, WebSocket: ofTablet.WebSocket });
  await tablet.client.recoveryKey.use(await bob.client.recoveryKey.make());
  const key = await laptop.client.ownKey.need();
  for (let nth = 0; nth < 2; nth++) await laptop.client.ownList.publish(key, ({ devices }) => devices);
  // The tablet, which never saw the phone, gets the second one: it has the counter of the tablet's own list.
  const [, second] = behind;
  const mended = showsOwnLists(ofTablet, bob.user, second, [
    ...shown,
    ...(await bob.client.api.call('GET', 'devices')),
  ]);
  ofTablet.inject({ type: 'devices_changed', user: bob.user });
  await until(() => mended.length, 'the tablet mends the list');
  const devices = [bob, laptop, tablet].map(({ client }) => client.me.device).sort();
  assert.deepEqual(Object.keys(openDeviceList(mended[0], bob.user).devices), devices);
});

test('list_that_comes_while_another_one_is_stored_replaces_it_not', async () => {
  const [bob] = await people('bob');
  const [laptop, phone] = [await another(bob), await another(bob)];
  await laptop.client.identities.refresh(bob.user);
  const key = await bob.client.ownKey.need();
  const signs = async (/** @type {import('./users.js').Device} */ device, /** @type {string} */ removed) => {
    const { api } = device.client;
    const call = api.callUntilAnswered.bind(api);
    /** @type {import('../client/trust/device-list.js').SignedList[]} */
    const lists = [];
    api.callUntilAnswered = /** @type {any} */ (
      (/** @type {any} */ method, /** @type {any} */ path, /** @type {any} */ body) =>
        `${method} ${path}` === 'PUT account/device-list' ? lists.push(body) : call(method, path, body)
    );
    const own = device.client.identities.accept;
    device.client.identities.accept = async () => {};
    await device.client.ownList.publish(key, ({ devices: { [removed]: _, ...others } }) => others);
    device.client.identities.accept = own;
    api.callUntilAnswered = call;
    return lists[0];
  };
  const [removal, other] = [await signs(bob, phone.client.me.device), await signs(laptop, '')];
  const write = bob.client.storage.write.bind(bob.client.storage);
  bob.client.storage.write = async (changes) => {
    await new Promise((resolve) => setTimeout(resolve, 5)); // as a database takes
    return write(changes);
  };
  await Promise.all([removal, other].map((list) => bob.client.identities.accept(bob.user, list)));
  const { devices = {} } = (await bob.client.identities.of(bob.user)) ?? {};
  assert.ok(!(phone.client.me.device in devices), 'the list that came first counts');
});

test('device_that_was_linked_before_two_lists_become_one_stays', async () => {
  const [bob] = await deceived('bob');
  const phone = await another(bob);
  const laptop = await unlinked(bob);
  bob.lies.changeFrame.push((frame) => (frame.type === 'devices_changed' ? null : undefined)); // it comes late
  const before = await bob.client.identities.of(bob.user);
  assert.ok(before);
  await linked(laptop, phone);
  const key = await bob.client.ownKey.need();
  const list = openDeviceList(before.signed, bob.user);
  const { [phone.client.me.device]: _, ...devices } = list.devices;
  await bob.client.identities.accept(bob.user, signDeviceList(key, { ...list, devices }));
  await bob.client.settled();
  await bob.client.settled();
  const newest = openDeviceList(await listOf(bob), bob.user);
  assert.equal(Object.keys(newest.devices).length, 3);
  assert.ok(laptop.client.enrolment.isListed);
});

test('list_with_a_removed_device_is_mended_after_a_start', async () => {
  const [bob] = await people('bob');
  const phone = await another(bob);
  const known = await bob.client.identities.of(bob.user);
  assert.ok(known);
  const stolen = phone.client.me.device;
  const { [stolen]: removed, ...devices } = known.devices; // as it is stored where an older list has brought it back
  await bob.client.storage.write([['state', `identity/${bob.user}`, { ...known, devices, removed: [removed] }]]);
  bob.leaves();
  await bob.returns();
  await until(async () => !(stolen in openDeviceList(await listOf(bob), bob.user).devices), 'the list omits it');
});

test('lists_of_a_thief_on_an_honest_server_end_no_account_key', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await another(bob);
  const id = await conversation(alice, bob, phone);
  await alice.client.settled();
  alice.leaves();
  const key = await phone.client.ownKey.need();
  const { devices } = openDeviceList(await listOf(bob), bob.user);
  const now = Date.now();
  for (const counter of [now, now + 20 * 3600_000])
    await phone.client.api.call(
      'PUT',
      'account/device-list',
      signDeviceList(key, { user: bob.user, counter, devices }),
    );
  const ahead = signDeviceList(key, { user: bob.user, counter: now + 25 * 3600_000, devices });
  await refused(phone.client.api.call('PUT', 'account/device-list', ahead), 'invalid');
  await bob.client.settled();
  await bob.client.ownList.remove(phone.client.me.device); // it was stolen
  await bob.client.api.call('DELETE', `devices/${phone.client.me.device}`);
  const tablet = await another(bob);
  await alice.returns();
  await alice.says(id, 'hello');
  for (const one of [bob, tablet]) await one.hears('hello');
  const listed = Object.keys((await alice.client.identities.of(bob.user))?.devices ?? {});
  assert.deepEqual(listed.sort(), [bob.client.me.device, tablet.client.me.device].sort());
});

test('leaf_whose_list_has_expired_is_removed_where_the_server_says_so', async () => {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(alice, bob, carol);
  const known = await alice.client.identities.of(carol.user);
  assert.ok(known);
  const over = { ...known, notAfter: Math.floor(Date.now() / 1000) - 2 * 3600 };
  await alice.client.storage.write([['state', `identity/${carol.user}`, over]]);
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `conversations/${id}/removals`
      ? { devices: [carol.client.me.device], unused: [] }
      : undefined,
  );
  await alice.says(id, 'only for bob');
  await bob.hears('only for bob');
  const users = (await alice.client.mls.members(id)).map(({ user }) => user);
  assert.deepEqual(users.sort(), [alice.user, bob.user].sort());
});
