// @ts-check
/** Attacks of a server that lies, and of a member who sends anything: each gains nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64 } from '../client/util/bytes.js';
import { Ghost } from './tampering.js';
import { another, conversation, deceived, people, refused, unlinked, until } from './users.js';

const NOW = () => new Date().toISOString();
const GARBAGE = 'AAEAAQ==';

/** @typedef {Awaited<ReturnType<typeof deceived>>[number]} Deceived */

/** @param {import('./users.js').Device} device @param {string} id */
function known(device, id) {
  return device.client.store.get(id).then((found) => {
    assert.ok(found);
    return found;
  });
}

/** What a ghost has read that the server does not have anyway. @param {string[]} contents */
function secrets(contents) {
  return contents.filter((content) => JSON.parse(content).kind !== 'device_list');
}

/** The device has processed everything that came. @param {Deceived} device */
async function settled(device) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  await device.client.settled();
}

/** @param {Deceived} device @param {string} id @param {object} more */
async function entryAfter(device, id, more) {
  return { type: 'entry', conversation: id, seq: (await known(device, id)).cursor + 1, at: NOW(), ...more };
}

test('ghost_with_the_identity_of_a_contact_in_the_claim_is_refused', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const claim = `users/${bob.user}/key-packages/claim`;
  const bobsDevice = bob.client.me.device;
  const twin = await Ghost.open(bob.user, bobsDevice);
  const stranger = await Ghost.open('deadbeef-0000-4000-8000-000000000001');
  const another = await Ghost.open(bob.user);
  const [ofTwin, ofStranger, ofAnother] = await Promise.all([twin, stranger, another].map((one) => one.keyPackage()));
  /** @type {((answer: { device: string, key_package: string, last_resort: boolean }[]) => unknown)[]} */
  const lies = [
    (answer) => [{ device: '7fffffffffffffff', key_package: ofTwin, last_resort: false }, ...answer],
    (answer) => [{ device: bobsDevice, key_package: ofTwin, last_resort: false }, ...answer],
    () => [{ device: stranger.device, key_package: ofStranger, last_resort: false }],
    () => [{ device: another.device, key_package: ofStranger, last_resort: false }],
    () => [{ device: bobsDevice, key_package: ofAnother, last_resort: false }],
    () => [{ device: bobsDevice, key_package: GARBAGE, last_resort: false }],
  ];
  for (const lie of lies) {
    alice.lies.changeAnswer = [({ path }, answer) => (path === claim ? lie(answer) : undefined)];
    await assert.rejects(alice.client.membership.start([bob.username]), /key package|frame|version/, String(lie));
  }
  alice.lies.changeAnswer = [];
  const id = await conversation(alice, bob);
  await alice.says(id, 'for bob alone');
  await bob.hears('for bob alone');
});

test('own_device_that_was_not_asked_for_is_refused', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const phone = (await another(alice)).client.me.device;
  for (const device of [alice.client.me.device, phone, '7fffffffffffffff']) {
    const twin = await Ghost.open(alice.user, device);
    const keyPackage = await twin.keyPackage();
    alice.lies.answerRequest = [
      ({ path }) =>
        path === `users/${alice.user}/key-packages/claim`
          ? [{ device, key_package: keyPackage, last_resort: false }]
          : undefined,
    ];
    await refused(alice.client.membership.start([bob.username]), 'forged_key_package');
  }
});

test('ghost_hidden_behind_a_leaf_stops_the_conversation', async () => {
  const [alice, bob] = await deceived('alice', 'bob');
  const [carol] = await people('carol');
  const id = await conversation(alice, carol, bob);
  await alice.client.membership.remove(id, carol.user); // frees a leaf with a lower index than bob's
  await until(async () => (await bob.client.mls.epoch(id)) === 2, 'carol is out');
  const twin = await Ghost.open(bob.user, bob.client.me.device);
  const commit = await twin.join(await alice.client.api.groupInfo(id));
  const caught = [alice, bob].map(({ lies }) => lies.catchMessages());
  for (const device of [alice, bob]) {
    const sender = device === alice ? bob.client.me.device : alice.client.me.device;
    device.lies.inject(await entryAfter(device, id, { epoch: 2, kind: 'commit', sender, data: commit }));
  }
  // Bob's own device cannot follow a commit that claims to be of his device.
  await until(async () => (await known(alice, id)).isForged, 'alice sees that the group is forged');
  const data = await twin.say(id, { kind: 'text', id: 'e'.repeat(32), text: 'I am bob, too' });
  const sender = bob.client.me.device;
  alice.lies.inject(await entryAfter(alice, id, { epoch: 3, kind: 'application', sender, data }));
  await settled(alice);
  const [said] = (await alice.client.store.items(id, {})).filter(({ text }) => text !== undefined);
  assert.deepEqual([said?.text, said?.isForeign], ['I am bob, too', true]);
  await alice.says(id, 'only for bob');
  await bob.says(id, 'only for alice');
  await settled(alice);
  await settled(bob);
  for (const frames of caught) assert.deepEqual(secrets(await twin.read(frames)), [], 'the ghost reads nothing');
  assert.ok(
    (await alice.client.outbox.waiting()).some(({ content }) => content.kind === 'text'),
    'the text waits',
  );
});

/**
 * A ghost joins the group of alice and bob by an external commit that the server makes up, as a device of this user.
 * @param {Deceived} alice @param {string} id @param {string} user
 */
async function ghostJoins(alice, id, user) {
  const ghost = await Ghost.open(user);
  const { epoch = 0 } = await known(alice, id);
  const commit = await ghost.join(await alice.client.api.groupInfo(id));
  return { ghost, entry: { epoch, kind: 'commit', sender: ghost.device, data: commit } };
}

for (const whose of ['alice', 'bob', 'a third user'])
  test(`ghost_as_a_device_of_${whose.replaceAll(' ', '_')}_reads_nothing_that_was_written_before`, async () => {
    const [alice] = await deceived('alice');
    const [bob] = await people('bob');
    const id = await conversation(alice, bob);
    const user = { alice: alice.user, bob: bob.user }[whose] ?? 'deadbeef-0000-4000-8000-000000000001';
    const { ghost, entry } = await ghostJoins(alice, id, user);
    const caught = alice.lies.catchMessages();
    alice.client.connection.isReady = false; // she writes offline
    await alice.says(id, 'for bob as I know him');
    await alice.client.outbox.send(id, { kind: 'group', name: 'A name for bob' });
    await alice.client.outbox.send(id, { kind: 'reaction', of: '0'.repeat(32), emoji: '👍' });
    alice.lies.inject(await entryAfter(alice, id, entry));
    await settled(alice);
    assert.equal(await alice.client.mls.epoch(id), entry.epoch + 1, 'the ghost is in');
    alice.client.connection.isReady = true;
    await alice.client.inTurn(() => alice.client.outbox.flush());
    await settled(alice);
    assert.deepEqual(secrets(await ghost.read(caught)), []);
    assert.deepEqual(
      (await alice.client.outbox.waiting()).flatMap(({ failure }) => (failure ? [failure.code] : [])),
      [user === alice.user || user === bob.user ? 'unlisted_device' : 'stranger'],
    );
    assert.equal(alice.told('failed').length, 3, 'alice learns it of each');
  });

for (const whose of ['alice', 'bob'])
  test(`ghost_as_a_device_of_${whose}_changes_nothing`, async () => {
    const [alice] = await deceived('alice');
    const [bob] = await people('bob');
    const id = await conversation(alice, bob);
    const author = whose === 'alice' ? alice : bob;
    await author.client.outbox.send(id, { kind: 'group', name: 'Us' });
    await author.says(id, 'in my own words');
    await bob.hears('in my own words');
    await alice.hears('in my own words');
    await settled(alice);
    const texts = async () => (await alice.client.store.items(id, {})).filter(({ text }) => text !== undefined);
    const before = await texts();
    const { ghost, entry } = await ghostJoins(alice, id, author.user);
    alice.lies.inject(await entryAfter(alice, id, entry));
    await settled(alice);
    const of = before[0].id ?? '';
    const random = () => crypto.randomUUID().replaceAll('-', '');
    const said = [
      { kind: 'edit', id: random(), of, text: 'as the server wants it' },
      { kind: 'reaction', id: random(), of, emoji: '👎' },
      { kind: 'group', id: random(), name: 'Them' },
      { kind: 'delete', id: random(), of },
      { kind: 'text', id: random(), text: 'said by the server' },
    ];
    for (const content of said) {
      const data = await ghost.say(id, content);
      alice.lies.inject(
        await entryAfter(alice, id, { epoch: entry.epoch + 1, kind: 'application', sender: ghost.device, data }),
      );
      await settled(alice);
    }
    const after = await texts();
    assert.deepEqual(after.slice(0, -1), before);
    assert.deepEqual([after.at(-1)?.text, after.at(-1)?.isForeign], ['said by the server', true]);
    assert.equal((await known(alice, id)).name, 'Us');
  });

test('user_whom_no_member_has_added_reads_nothing_until_the_author_agrees', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const { ghost, entry } = await ghostJoins(alice, id, 'deadbeef-0000-4000-8000-000000000002');
  const caught = alice.lies.catchMessages();
  // The server says that bob has made the commit.
  alice.lies.inject(await entryAfter(alice, id, { ...entry, sender: bob.client.me.device }));
  await settled(alice);
  assert.deepEqual((await known(alice, id)).strangers, [ghost.user]);
  await alice.says(id, 'written while the ghost is shown');
  await settled(alice);
  assert.deepEqual(secrets(await ghost.read(caught)), []);
  const codes = async () => (await alice.client.outbox.waiting()).flatMap(({ failure }) => failure?.code ?? []);
  assert.deepEqual(await codes(), ['stranger']);
  await alice.client.membership.acceptStrangers(id);
  await settled(alice);
  assert.deepEqual(await codes(), []);
  assert.match(String(secrets(await ghost.read(caught))), /written while the ghost is shown/, 'alice agrees');
});

test('removed_member_whom_the_server_lets_in_again_is_a_stranger', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(alice, bob, mallory);
  await alice.client.membership.remove(id, mallory.user);
  const { epoch, cursor } = await known(alice, id);
  /** @type {string[]} */
  const commits = [];
  const { api } = mallory.client;
  api.groupInfo = async () => alice.client.api.groupInfo(id); // the server gives it to a member of before
  api.callUntilAnswered = /** @type {any} */ (
    async (/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ body) => {
      if (path !== `conversations/${id}/commits`) return api.call(method, path, body);
      commits.push(body.commit);
      return { seq: cursor + 1, epoch, at: NOW() };
    }
  );
  await mallory.client.inTurn(() => mallory.client.membership.join(id));
  const sender = mallory.client.me.device;
  alice.lies.inject(await entryAfter(alice, id, { kind: 'commit', epoch, sender, data: commits[0] }));
  await settled(alice);
  assert.deepEqual((await known(alice, id)).strangers, [mallory.user]);
  await alice.says(id, 'without mallory');
  await settled(alice);
  const codes = (await alice.client.outbox.waiting()).flatMap(({ failure }) => failure?.code ?? []);
  assert.deepEqual(codes, ['stranger']);
});

for (const isVerified of [true, false])
  test(`user_who_is_there_after_joining_again_is_${isVerified ? 'a' : 'no'}_stranger_where_${isVerified ? 'a_member' : 'nobody'}_is_verified`, async () => {
    const [alice] = await deceived('alice');
    const [bob, carol] = await people('bob', 'carol');
    const id = await conversation(bob, alice);
    const { thumbprints } = await alice.client.trust.safetyNumber(id, bob.user);
    if (isVerified) await alice.client.trust.verify(bob.user, thumbprints, bob.username);
    alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? null : undefined));
    await bob.client.membership.add(id, [carol.username]);
    await alice.client.inTurn(() => alice.client.membership.join(id, { what: 'rejoined' }));
    const { members, strangers } = await known(alice, id);
    assert.deepEqual([members.length, strangers], [3, isVerified ? [carol.user] : []]);
  });

test('member_who_logs_out_and_comes_back_is_no_stranger', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const key = await bob.client.enrolment.makeRecoveryKey();
  await bob.client.farewell.logOut();
  await until(async () => (await alice.client.mls.members(id)).length === 1, 'bob has logged out');
  const back = await unlinked(bob);
  await back.client.enrolment.recover(key);
  await until(async () => (await known(alice, id)).members.length === 2, 'bob is back');
  await alice.says(id, 'welcome back');
  await back.hears('welcome back');
  alice.isFine();
});

test('user_whom_a_member_adds_is_no_stranger', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(alice, bob);
  await alice.client.membership.add(id, [carol.username]);
  await carol.isIn(id);
  await bob.says(id, 'welcome');
  await carol.hears('welcome');
  await carol.client.mls.forget(id);
  await carol.client.inTurn(() => carol.client.membership.join(id, { what: 'rejoined' }));
  await bob.says(id, 'welcome back');
  await carol.hears('welcome back');
  for (const device of [alice, bob, carol]) assert.deepEqual((await known(device, id)).strangers ?? [], []);
  [alice, bob].forEach((device) => device.isFine());
});

test('group_info_of_before_a_removal_is_refused', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(alice, bob, mallory);
  const old = await alice.client.api.call('GET', `conversations/${id}/group-info`);
  const other = await conversation(bob, mallory);
  for (let epoch = 2; epoch <= 3; epoch++) await bob.client.membership.update(other); // newer than the first group
  const ofOther = await bob.client.api.call('GET', `conversations/${other}/group-info`);
  mallory.leaves();
  await alice.client.membership.remove(id, mallory.user);
  let commits = 0;
  for (const lie of [old, ofOther]) {
    alice.lies.answerRequest = [
      ({ method, path }) => {
        if (method === 'GET' && path === `conversations/${id}/group-info`) return lie;
        if (method === 'POST' && path === `conversations/${id}/commits`)
          return { seq: 1000 + commits++, epoch: 2, at: NOW() };
        return undefined;
      },
    ];
    const garbage = { epoch: 2, kind: 'commit', sender: bob.client.me.device, data: GARBAGE };
    alice.lies.inject(await entryAfter(alice, id, garbage));
    alice.lies.inject({ type: 'welcome', conversation: id, seq: 2000, data: GARBAGE });
    await settled(alice);
    assert.deepEqual([await alice.client.mls.epoch(id), (await known(alice, id)).epoch], [2, 2]);
    assert.ok(alice.told('problem').length, 'it is not silent');
    assert.equal(commits, 0, 'no commit leaves the device');
  }
  alice.lies.answerRequest = [];
  await alice.says(id, 'without mallory');
  await bob.hears('without mallory');
  await bob.says(id, 'the honest log goes on');
  await alice.hears('the honest log goes on');
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

test('sent_and_replayed_entries_change_no_item', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  for (const text of ['I owe you 1000', 'signed, Bob', 'third']) await bob.says(id, text);
  await alice.hears('third');
  const before = await alice.client.store.items(id, { limit: Infinity });
  const target = before.find(({ text }) => text === 'signed, Bob');
  alice.lies.changeSent.push((frame) => {
    if (frame.type !== 'send') return undefined;
    alice.lies.inject({ type: 'sent', id: frame.id, seq: target?.seq, at: NOW() });
    return null;
  });
  await alice.says(id, 'ok');
  await settled(alice);
  const after = await alice.client.store.items(id, { limit: Infinity });
  assert.deepEqual([after.slice(0, -1), after.at(-1)?.text], [before, 'ok'], '`sent` with an old seq');

  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'POST' && path === `conversations/${id}/commits` ? { seq: 1, epoch: 9, at: NOW() } : undefined,
  );
  const { cursor } = await known(alice, id);
  const garbage = { epoch: 1, kind: 'commit', sender: bob.client.me.device, data: GARBAGE };
  alice.lies.inject(await entryAfter(alice, id, garbage));
  await settled(alice);
  for (let seq = 1; seq <= cursor; seq++)
    alice.lies.inject({
      ...{ type: 'entry', conversation: id, seq, epoch: 1, kind: 'application' },
      ...{ sender: bob.client.me.device, at: NOW() },
    });
  await settled(alice);
  assert.deepEqual(await alice.client.store.items(id, { limit: Infinity }), after, 'a replayed log');
});

test('direct_frame_with_the_id_of_a_group_text_confirms_nothing', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const { conversation: direct } = await alice.client.api.call('PUT', `direct/${bob.user}`);
  await alice.client.inTurn(() => alice.client.direct.catchUp());
  const before = await known(alice, direct);
  const [first] = alice.lies.changeSent;
  assert.equal(first, undefined);
  await alice.says(id, 'with the list of devices');
  await bob.hears('with the list of devices');
  const caught = alice.lies.catchMessages();
  await alice.says(id, 'for the group');
  await until(() => caught.length === 1, 'the text is on its way');
  for (const sender of [alice.user, bob.user])
    alice.lies.inject({
      ...{ type: 'direct', conversation: direct, seq: (await known(alice, direct)).cursor + 1 },
      ...{ sender, id: caught[0].id, text: 'a lie', at: NOW() },
    });
  await settled(alice);
  assert.ok((await known(alice, direct)).cursor > before.cursor, 'the lie has come');
  assert.equal((await alice.client.outbox.waiting()).length, 1, 'the text still waits');
  alice.lies.changeSent.length = 0;
  alice.leaves();
  await alice.returns();
  await bob.hears('for the group');
});

test('withheld_entry_of_an_own_commit_hides_no_member', async () => {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(alice, bob);
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' && frame.kind === 'commit' ? null : undefined));
  alice.lies.changeAnswer.push(({ path }) => (path.includes('/log?') ? [] : undefined));
  await alice.client.membership.add(id, [carol.username]);
  const { members } = await known(alice, id);
  assert.equal(members.length, 3);
  assert.ok(members.some(({ user }) => user === carol.user));
});

test('two_commits_of_one_epoch_are_noticed_and_healed', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'POST' && path === `conversations/${id}/commits` ? { seq: 2, epoch: 1, at: NOW() } : undefined,
  );
  await alice.client.membership.update(id); // the server says yes, and tells nobody
  assert.equal(await alice.client.mls.epoch(id), 2);
  alice.lies.answerRequest.length = 0; // it turns honest
  await bob.client.membership.update(id);
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
  hideCommits(alice);
  await bob.client.membership.update(id);
  await until(async () => (await known(alice, id)).cursor === 2, 'alice has passed the place of the commit');
  assert.equal(await alice.client.mls.epoch(id), 1);
  alice.lies.changeFrame.length = alice.lies.changeAnswer.length = 0;
  await bob.client.membership.update(id);
  await bob.says(id, 'two epochs later');
  await alice.hears('two epochs later');
  assert.deepEqual([await alice.client.mls.epoch(id), alice.told('rejoined')], [3, []], 'without joining again');
});

test('hidden_commit_makes_a_device_join_again_after_three_messages', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(alice, bob, mallory);
  hideCommits(alice);
  await bob.client.membership.update(id);
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
  await bob.client.membership.update(other);
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

test('name_of_a_verified_person_given_to_another_is_noticed', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const [id, other] = [await conversation(alice, bob), await conversation(alice, mallory)];
  const { thumbprints } = await alice.client.trust.safetyNumber(id, bob.user);
  await alice.client.trust.verify(bob.user, thumbprints, bob.username);
  const swap = { [bob.user]: mallory.username, [mallory.user]: bob.username };
  alice.lies.changeAnswer.push(({ method, path }, answer) => {
    if (method === 'GET' && path === `users/${bob.username}`) return { ...answer, id: mallory.user };
    if (method !== 'GET' || path !== 'conversations') return undefined;
    return answer.map((/** @type {any} */ one) => ({
      ...one,
      members: one.members.map((/** @type {any} */ member) => ({
        ...member,
        username: swap[member.id] ?? member.username,
      })),
    }));
  });
  await alice.client.membership.refresh();
  assert.equal((await known(alice, id)).names[bob.user], mallory.username, 'the lie has come');
  assert.deepEqual((await known(alice, id)).knownAs, { [bob.user]: bob.username });
  assert.deepEqual((await known(alice, other)).knownAs, {});
  for (const start of [
    () => alice.client.membership.start([bob.username.toUpperCase()]),
    () => alice.client.membership.add(other, [bob.username]),
  ]) {
    alice.lies.answerRequest = [
      ({ path }) =>
        path.startsWith('users/') && path.toLowerCase() === `users/${bob.username}`
          ? { id: mallory.user, username: bob.username }
          : undefined,
    ];
    await refused(start(), 'other_person');
  }
});

test('any_bytes_that_a_member_encrypts_stop_nothing', async () => {
  const [owner, mallory, bob] = await people('owner', 'mallory', 'bob');
  const id = await conversation(owner, mallory, bob);
  const nested = (/** @type {number} */ levels) => '['.repeat(levels) + ']'.repeat(levels);
  const own = '0'.repeat(32);
  const poison = [
    '',
    '\u0000',
    '{',
    'null',
    nested(5000),
    nested(80_000),
    `{"kind":"x","id":"${own}","x":${nested(20_000)}}`,
    `{"kind":"text","id":"${own}","text":"x","reply_to":"${own}","x":${nested(2000)}}`,
    `{"kind":"text","id":"${own}","text":{"toString":1}}`,
    `{"kind":"__proto__","id":"${own}"}`,
    `{"kind":"reaction","id":"${own}","of":"${own}","emoji":"${'👍'.repeat(10_000)}"}`,
    '"\\ud800"',
    `{"a":1,"__proto__":{"kind":"text"}}`,
  ].map((text) => new TextEncoder().encode(text));
  for (let n = 0; n < 60; n++) poison.push(crypto.getRandomValues(new Uint8Array(n * 7)));
  for (const [n, bytes] of poison.entries()) {
    const { epoch, data } = await mallory.client.mls.encrypt(id, bytes);
    await mallory.client.api.call('POST', `conversations/${id}/messages`, {
      ...{ id: n.toString(16).padStart(32, 'e'), epoch, data: toBase64(data) },
    });
  }
  await bob.says(id, 'does anybody hear me?');
  await owner.hears('does anybody hear me?');
  await bob.client.outbox.allSent();
  owner.leaves();
  await owner.returns();
  await bob.says(id, 'and now?');
  await owner.hears('and now?');
  await owner.client.membership.remove(id, mallory.user);
  await until(async () => (await known(bob, id)).members.length === 2, 'the owner removes the author');
  [owner, bob].forEach((one) => one.isFine());
});
