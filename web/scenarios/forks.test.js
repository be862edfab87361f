// @ts-check
/** States of a group that are not the members': older ones, hidden and forked ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64 } from '../client/util/bytes.js';
import { entryAfter, GARBAGE, known, NOW, settled } from './attacks.js';
import { Ghost } from './tampering.js';
import { conversation, deceived, people, refused, until } from './users.js';

/** @typedef {import('./attacks.js').Deceived} Deceived */

/** Alice, bob and mallory, whom alice has removed; with the group info of before. */
async function afterARemoval() {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(alice, bob, mallory);
  const old = await alice.client.api.call('GET', `conversations/${id}/group-info`);
  await alice.client.membership.remove(id, mallory.user);
  await alice.client.outbox.allSent(); // what alice says of it has a place in the log, too
  return { alice, bob, mallory, id, old };
}

test('refused_commit_does_not_hide_which_one_has_begun_the_epoch', async () => {
  const { alice, id } = await afterARemoval();
  const last = () => alice.client.storage.get('state', `commit/${id}`);
  const before = await last();
  const refusal = { error: 'refused', code: 'not_allowed' };
  alice.lies.answerRequest = [
    ({ method, path }) =>
      method === 'POST' && path === `conversations/${id}/commits` ? Response.json(refusal, { status: 403 }) : undefined,
  ];
  await refused(alice.updates(id), 'not_allowed');
  assert.ok(before);
  assert.deepEqual(await last(), before);
});

/**
 * The server offers this group info, and makes the device join again.
 * @param {import('./attacks.js').Deceived} alice @param {string} id @param {unknown} groupInfo @param {string} sender
 */
async function offer(alice, id, groupInfo, sender) {
  const count = { commits: 0 };
  alice.lies.answerRequest = [
    ({ method, path }) => {
      if (method === 'GET' && path === `conversations/${id}/group-info`) return groupInfo;
      if (method === 'POST' && path === `conversations/${id}/commits`)
        return { seq: 1000 + count.commits++, epoch: 2, at: NOW() };
      return undefined;
    },
  ];
  alice.lies.inject(await entryAfter(alice, id, { epoch: 2, kind: 'commit', sender, data: GARBAGE }));
  alice.lies.inject({ type: 'welcome', conversation: id, seq: 2000, data: GARBAGE });
  await settled(alice);
  return count;
}

test('group_info_of_another_group_is_refused', async () => {
  const { alice, bob, mallory, id } = await afterARemoval();
  const other = await conversation(bob, mallory);
  for (let epoch = 2; epoch <= 3; epoch++) await bob.updates(other); // newer than the first group
  const ofOther = await bob.client.api.call('GET', `conversations/${other}/group-info`);
  const { commits } = await offer(alice, id, ofOther, bob.client.me.device);
  assert.deepEqual([await alice.client.mls.epoch(id), (await known(alice, id)).epoch], [2, 2]);
  assert.ok(alice.told('problem').length, 'it is not silent');
  assert.equal(commits, 0, 'no commit leaves the device');
  alice.lies.answerRequest = [];
  await alice.says(id, 'without mallory');
  await bob.hears('without mallory');
});

test('group_info_of_before_a_removal_makes_the_removed_a_stranger', async () => {
  const { alice, bob, mallory, id, old } = await afterARemoval();
  mallory.leaves();
  await offer(alice, id, old, bob.client.me.device);
  assert.deepEqual((await known(alice, id)).strangers, [mallory.user]);
  await alice.says(id, 'without mallory');
  await settled(alice);
  const codes = (await alice.client.outbox.waiting()).flatMap(({ failure }) => failure?.code ?? []);
  assert.deepEqual(codes, ['stranger']);
  alice.lies.answerRequest = [];
  await alice.client.inTurn(() => alice.client.joining.joinMissing()); // as after a reconnection
  await bob.hears('without mallory');
  assert.deepEqual((await known(alice, id)).strangers, []);
  await bob.says(id, 'the honest log goes on');
  await alice.hears('the honest log goes on');
});

for (const what of ['older', 'of another group'])
  test(`welcome_that_is_${what.replaceAll(' ', '_')}_lets_no_removed_device_in`, async () => {
    const [alice] = await deceived('alice');
    const [bob] = await people('bob');
    const id = await conversation(bob, alice);
    for (let epoch = 2; epoch <= 3; epoch++) await bob.updates(id);
    await until(async () => (await known(alice, id)).epoch === 3, 'alice follows');
    await bob.client.membership.remove(id, alice.user);
    await alice.isOut(id);
    await settled(alice);
    const evil = await Ghost.open(bob.user, bob.client.me.device);
    const [{ key_package }] = await bob.client.api.call('POST', `users/${alice.user}/key-packages/claim`, {});
    const other = crypto.randomUUID();
    const data =
      what === 'older' ? await evil.create(id, 0, [key_package]) : await evil.create(other, 9, [key_package]);
    const { cursor } = await known(alice, id);
    alice.lies.inject({ type: 'welcome', conversation: id, seq: cursor + 9, data });
    await settled(alice);
    assert.equal((await known(alice, id)).isActive, false);
    const reasons = alice.told('problem').map(({ error }) => String(error.message));
    assert.ok(reasons.includes(what === 'older' ? 'the welcome is older than what this device has seen' : 'the welcome is of another group'), reasons.join()); // prettier-ignore
    assert.deepEqual([await alice.client.mls.epoch(id), await alice.client.mls.epoch(other)], [null, null]);
  });

/**
 * Join again with this group info from the server. Returns the error, and how many commits left the device.
 * @param {Deceived} device @param {string} id @param {Uint8Array} groupInfo
 */
async function rejoinsWith(device, id, groupInfo) {
  let commits = 0;
  device.lies.answerRequest = [
    ({ method, path }) => {
      if (path.endsWith('/device-list'))
        return Response.json({ code: 'no_device_list', error: 'none' }, { status: 404 });
      if (path === `conversations/${id}/group-info`) return { epoch: 1, group_info: toBase64(groupInfo) };
      if (method !== 'POST' || path !== `conversations/${id}/commits`) return undefined;
      return { seq: 1000 + commits++, epoch: 2, at: NOW() };
    },
  ];
  const joining = device.client.inTurn(() => device.client.joining.join(id));
  const error = await joining.then(
    () => null,
    (/** @type {Error} */ reason) => reason,
  );
  return { name: error?.name, commits };
}

test('group_info_with_two_leaves_of_one_device_gets_no_commit', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const twin = await Ghost.open(bob.user, bob.client.me.device);
  await twin.join(await alice.client.api.groupInfo(id));
  assert.deepEqual(await rejoinsWith(alice, id, twin.groupInfo), { name: 'ForgedGroup', commits: 0 });
});

test('older_group_info_with_another_key_of_a_user_without_a_list_makes_a_stranger', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  for (let epoch = 2; epoch <= 3; epoch++) await alice.updates(id);
  await settled(alice);
  await alice.client.identities.forget(bob.user); // as of a client without account keys
  const ghost = await Ghost.open(bob.user);
  await ghost.create(id, 1, [await (await Ghost.open(bob.user)).keyPackage()]);
  assert.deepEqual(await rejoinsWith(alice, id, ghost.groupInfo), { name: undefined, commits: 1 });
  assert.deepEqual((await known(alice, id)).strangers, [bob.user]);
  await alice.says(id, 'only for bob');
  await settled(alice);
  const texts = (await alice.client.outbox.waiting()).filter(({ content }) => content.kind === 'text');
  assert.deepEqual(
    texts.map(({ failure }) => failure?.code),
    ['stranger'],
  );
});

test('welcome_of_another_group_replaces_nothing', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const evil = await Ghost.open(bob.user, bob.client.me.device);
  const [{ key_package }] = await bob.client.api.call('POST', `users/${alice.user}/key-packages/claim`, {});
  const welcome = await evil.create(id, 5, [key_package]);
  /** @type {import('./tampering.js').Frame[]} */
  const caught = [];
  alice.lies.changeSent.push((frame) => {
    if (frame.type === 'send') caught.push(frame);
    return undefined;
  });
  const before = await known(alice, id);
  alice.lies.inject({ type: 'welcome', conversation: id, seq: before.cursor + 1, data: welcome });
  await settled(alice);
  await alice.says(id, 'still in the same group');
  await bob.hears('still in the same group');
  assert.deepEqual(await evil.read(caught), []);
});

test('withheld_entry_of_an_own_commit_hides_no_member', async () => {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(alice, bob);
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' && frame.kind === 'commit' ? null : undefined));
  alice.lies.changeAnswer.push(({ path }) => (path.includes('/log?') ? [] : undefined));
  await alice.client.membership.add(id, [carol.username]);
  const { members, strangers } = await known(alice, id);
  assert.deepEqual([members.length, strangers], [3, []]);
  assert.ok(members.some(({ user }) => user === carol.user));
});

test('two_commits_of_one_epoch_are_noticed_and_healed', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'POST' && path === `conversations/${id}/commits` ? { seq: 2, epoch: 1, at: NOW() } : undefined,
  );
  await alice.updates(id); // the server says yes, and tells nobody
  assert.equal(await alice.client.mls.epoch(id), 2);
  alice.lies.answerRequest.length = 0; // it turns honest
  await bob.updates(id);
  await until(async () => (await known(alice, id)).since > 2, 'alice notices that bob has another second epoch');
  await bob.says(id, 'one group again');
  await alice.hears('one group again');
  await alice.says(id, 'for both');
  await bob.hears('for both');
});

/** The server shows something else in place of bob's commits. @param {Deceived} alice */
function hideCommits(alice) {
  const hidden = (/** @type {any} */ entry) =>
    entry.kind === 'commit' ? { ...entry, kind: 'of a later version', data: undefined } : entry;
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? hidden(frame) : undefined));
  alice.lies.changeAnswer.push(({ path }, answer) => (path.includes('/log?') ? answer.map(hidden) : undefined));
}

test('hidden_commit_is_applied_as_soon_as_the_server_shows_it', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  await bob.says(id, 'before the commit');
  await alice.hears('before the commit');
  hideCommits(alice);
  const { cursor, epoch = 0 } = await known(alice, id);
  await bob.updates(id);
  await until(async () => (await known(alice, id)).cursor > cursor, 'alice has passed the place of the commit');
  assert.equal(await alice.client.mls.epoch(id), epoch);
  alice.lies.changeFrame.length = alice.lies.changeAnswer.length = 0;
  alice.lies.changeAnswer.push(({ path }, answer) => (path.includes('/log?') ? answer.slice(0, 1) : undefined)); // pages
  await bob.updates(id);
  await bob.says(id, 'two epochs later');
  await alice.hears('two epochs later');
  assert.deepEqual(
    [await alice.client.mls.epoch(id), alice.told('rejoined')],
    [epoch + 2, []],
    'without joining again',
  );
});

test('hidden_commit_makes_a_device_join_again_after_three_messages', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(alice, bob, mallory);
  hideCommits(alice);
  await bob.updates(id);
  for (const text of ['lost 1', 'lost 2', 'lost 3']) await bob.says(id, text);
  await until(async () => (await known(alice, id)).since > 2, 'alice notices that she cannot read, and joins again');
  alice.lies.changeFrame.length = alice.lies.changeAnswer.length = 0;
  await bob.says(id, 'and now?');
  await alice.hears('and now?');

  // A member who sends rubbish makes each device join again at most once in an hour.
  for (let n = 0; n < 10;) {
    const { epoch, data } = await mallory.client.mls.encrypt(id, new Uint8Array(1));
    data[data.length - 1] ^= 1;
    const message = { id: n.toString(16).padStart(32, 'd'), epoch, data: toBase64(data) };
    const sent = mallory.client.api.call('POST', `conversations/${id}/messages`, message);
    await sent.then(
      () => n++,
      (error) => assert.equal(error.code, 'stale_epoch'), // bob joins again
    );
  }
  await bob.says(id, 'still here');
  await alice.hears('still here');
  assert.equal(alice.told('undecryptable').length, 13);
  assert.deepEqual([alice.told('rejoined').length, bob.told('rejoined').length], [1, 1]);
});

test('commit_of_another_group_or_no_commit_changes_nothing', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const other = await conversation(bob, alice);
  /** @type {string[]} */
  const commits = [GARBAGE];
  alice.lies.changeFrame.push((frame) => {
    if (frame.type !== 'entry' || frame.conversation !== other || frame.kind !== 'commit') return undefined;
    commits.push(frame.data);
    return null;
  });
  await bob.updates(other);
  await until(() => commits.length === 2, 'a commit of the other group');
  for (const data of commits) {
    const before = await known(alice, id);
    alice.lies.inject(await entryAfter(alice, id, { epoch: 1, kind: 'commit', sender: bob.client.me.device, data }));
    await settled(alice);
    assert.equal((await known(alice, id)).cursor, before.cursor);
  }
  assert.equal(alice.told('problem').length, 2);
  assert.deepEqual([await alice.client.mls.epoch(id), alice.told('rejoined')], [1, []]);
});
