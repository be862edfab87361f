// @ts-check
/** Leaves that the server puts into a group in the name of a member: ghosts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKeyPackage } from '../client/mls/frames.js';
import { entryAfter, GARBAGE, ghostJoins, known, secrets, settled } from './attacks.js';
import { Ghost } from './tampering.js';
import { another, conversation, deceived, people, refused, until } from './users.js';

/** @typedef {import('./attacks.js').Deceived} Deceived */

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

/** A key package that ends, or begins, at another time. @param {string} encoded @param {'notBefore' | 'notAfter'} which @param {number} time */
function withTime(encoded, which, time) {
  const bytes = Buffer.from(encoded, 'base64');
  const before = Buffer.alloc(8);
  before.writeBigUInt64BE(BigInt(parseKeyPackage(bytes)[which]));
  bytes.writeBigUInt64BE(BigInt(Math.floor(time)), bytes.indexOf(before));
  return bytes.toString('base64');
}

test('key_package_that_is_not_valid_now_or_the_second_of_a_device_is_refused', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const now = Date.now() / 1000;
  /** @type {((one: { device: string, key_package: string, last_resort: boolean }) => unknown[])[]} */
  const lies = [
    (one) => [one, one],
    (one) => [{ ...one, key_package: withTime(one.key_package, 'notAfter', now - 2 * 3600) }],
    (one) => [{ ...one, key_package: withTime(one.key_package, 'notBefore', now + 2 * 3600) }],
  ];
  for (const lie of lies) {
    alice.lies.changeAnswer = [
      ({ path }, answer) => (path === `users/${bob.user}/key-packages/claim` ? lie(answer[0]) : undefined),
    ];
    await refused(alice.client.membership.start([bob.username]), 'forged_key_package');
  }
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
  await alice.client.outbox.allSent(); // what alice says of it has a place in the log, too
  const { cursor } = await known(alice, id);
  await until(async () => (await known(bob, id)).cursor === cursor, 'carol is out');
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

/** The server keeps a ghost in. @param {Deceived} alice */
function refuseCommits(alice) {
  const count = { refused: 0 };
  alice.lies.answerRequest.push(({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/commits')) return undefined;
    count.refused++;
    return Response.json({ code: 'not_allowed', error: 'Your role does not allow you to' }, { status: 403 });
  });
  return count;
}

/** Alice has written to bob while she was offline; then a ghost joins. @param {'alice' | 'bob' | 'a third user'} whose */
async function ghostJoinsBeforeMessages(whose, isRemovalRefused = false) {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  const user = { alice: alice.user, bob: bob.user, 'a third user': 'deadbeef-0000-4000-8000-000000000001' }[whose];
  const { ghost, entry } = await ghostJoins(alice, id, user);
  const caught = alice.lies.catchMessages();
  const commits = isRemovalRefused ? refuseCommits(alice) : { refused: 0 };
  alice.client.connection.isReady = false; // she writes offline
  await alice.says(id, 'for bob as I know him');
  await alice.client.outbox.send(id, { kind: 'group', name: 'A name for bob' });
  await alice.client.outbox.send(id, { kind: 'reaction', of: '0'.repeat(32), emoji: '👍' });
  alice.lies.inject(await entryAfter(alice, id, entry));
  await settled(alice);
  assert.equal(await alice.client.mls.epoch(id), entry.epoch + 1, 'the ghost is in');
  alice.client.connection.isReady = true;
  await alice.client.inTurn(() => alice.client.groupSender.flush());
  await settled(alice);
  assert.deepEqual(secrets(await ghost.read(caught)), []);
  const failures = (await alice.client.outbox.waiting()).flatMap(({ failure }) => failure?.code ?? []);
  return { alice, id, caught, failures, commits };
}

for (const whose of /** @type {const} */ (['alice', 'bob']))
  test(`ghost_as_a_device_of_${whose}_is_removed_before_messages`, async () => {
    const { alice, id, caught, failures } = await ghostJoinsBeforeMessages(whose);
    assert.deepEqual(failures, []);
    assert.equal((await alice.client.mls.members(id)).length, 2, 'alice and bob');
    await until(() => caught.length >= 3, 'all three go out');
  });

for (const whose of /** @type {const} */ (['alice', 'bob', 'a third user']))
  test(`ghost_as_a_device_of_${whose.replaceAll(' ', '_')}_that_stays_reads_nothing`, async () => {
    const { alice, failures, commits } = await ghostJoinsBeforeMessages(whose, true);
    assert.deepEqual(failures, Array(3).fill(whose === 'a third user' ? 'stranger' : 'unlisted_device'));
    assert.equal(alice.told('failed').length, 3, 'alice learns it of each');
    const tried = commits.refused;
    await alice.client.emitAndWait('agreed', {}); // she tries to send once more
    assert.equal(commits.refused, tried, 'and does not try to remove it again in this epoch');
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
    refuseCommits(alice);
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
