// @ts-check
/** Users whom the server lets into a group, and whom no member has added. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBase64 } from '../client/util/bytes.js';
import {
  entryAfter,
  friends,
  ghostJoins,
  known,
  leadsToGhost,
  no,
  NOW,
  reconnects,
  secrets,
  settled,
} from './attacks.js';
import { conversation, deceived, people, refused, unlinked, until } from './users.js';

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
  await alice.client.membership.acceptStrangers(id, [bob.user]); // the client had asked about the ghost, not about bob
  await settled(alice);
  assert.deepEqual(await codes(), ['stranger']);
  await alice.client.membership.acceptStrangers(id, [ghost.user]);
  await settled(alice);
  assert.deepEqual(await codes(), []);
  assert.match(String(secrets(await ghost.read(caught))), /written while the ghost is shown/, 'alice agrees');
});

/** Bob removes mallory, whom the server then lets in again; alice learns of both. @param {{ saysGoodbye: boolean }} before */
async function isStranger({ saysGoodbye }) {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(bob, alice, mallory);
  if (saysGoodbye)
    await mallory.client.outbox.sendNow([{ conversation: id, content: { kind: 'leave', who: 'device' } }], 60_000);
  await bob.client.membership.remove(id, mallory.user);
  await bob.client.outbox.allSent();
  await until(async () => (await known(alice, id)).members.length === 2, 'alice knows it');
  await settled(alice);
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
  await mallory.client.inTurn(() => mallory.client.joining.join(id));
  alice.lies.answerRequest.push(({ path }) =>
    // and keeps alice from joining the true group again
    path === `conversations/${id}/group-info` ? new Response('{}', { status: 403 }) : undefined,
  );
  const sender = mallory.client.me.device;
  alice.lies.inject(await entryAfter(alice, id, { kind: 'commit', epoch, sender, data: commits[0] }));
  await settled(alice);
  assert.deepEqual((await known(alice, id)).strangers, [mallory.user]);
  await alice.says(id, 'without mallory');
  await settled(alice);
  const codes = (await alice.client.outbox.waiting()).flatMap(({ failure }) => failure?.code ?? []);
  assert.deepEqual(codes, ['stranger']);
}

test('removed_member_whom_the_server_lets_in_again_is_a_stranger', () => isStranger({ saysGoodbye: false }));

test('removed_member_who_said_before_that_the_device_leaves_is_a_stranger', () => isStranger({ saysGoodbye: true }));

test('removal_that_its_author_could_not_say_is_said_at_the_next_start', async () => {
  const [bob, alice, mallory] = await people('bob', 'alice', 'mallory');
  const id = await conversation(bob, alice, mallory);
  const leaves = { kind: /** @type {const} */ ('leave'), who: /** @type {const} */ ('device') };
  await mallory.client.outbox.sendNow([{ conversation: id, content: leaves }], 60_000);
  const { send } = bob.client.outbox;
  bob.client.outbox.send = () => Promise.reject(new Error('stopped'));
  await assert.rejects(bob.client.membership.remove(id, mallory.user), /stopped/);
  await until(
    async () => (await known(alice, id)).absent?.[0] === mallory.user,
    'mallory passes for one who logged out',
  );
  bob.client.outbox.send = send;
  await reconnects(bob);
  await until(async () => (await known(alice, id)).absent?.length === 0, 'alice knows that bob has removed mallory');
});

for (const isVerified of [true, false])
  test(`user_who_is_there_after_joining_again_is_${isVerified ? 'a' : 'no'}_stranger_where_${isVerified ? 'a_member' : 'nobody'}_is_verified`, async () => {
    const [alice] = await deceived('alice');
    const [bob, carol] = await people('bob', 'carol');
    const id = await conversation(bob, alice);
    await alice.client.settled(); // it has bob's account key
    const compared = await alice.client.trust.safetyNumber(id, bob.user);
    if (isVerified) await alice.client.identities.verify(bob.user, compared, bob.username);
    alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? null : undefined));
    await bob.client.membership.add(id, [carol.username]);
    await alice.client.inTurn(() => alice.client.joining.join(id));
    const { members, strangers } = await known(alice, id);
    assert.deepEqual([members.length, strangers], [3, isVerified ? [carol.user] : []]);
  });

test('member_who_logs_out_and_comes_back_is_no_stranger', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const key = await bob.client.recoveryKey.make();
  await bob.client.farewell.logOut();
  await until(async () => (await alice.client.mls.members(id)).length === 1, 'bob has logged out');
  const back = await unlinked(bob);
  await back.client.recoveryKey.use(key);
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
  // What bob writes before he knows of carol waits for him.
  await until(async () => (await known(bob, id)).members.length === 3, 'bob knows of carol');
  await bob.says(id, 'welcome');
  await carol.hears('welcome');
  await carol.client.mls.forget(id);
  await carol.client.inTurn(() => carol.client.joining.join(id));
  await bob.says(id, 'welcome back');
  await carol.hears('welcome back');
  for (const device of [alice, bob, carol]) assert.deepEqual((await known(device, id)).strangers ?? [], []);
  [alice, bob].forEach((device) => device.isFine());
});

test('user_whom_the_server_adds_to_a_group_that_this_device_started_reads_nothing', async () => {
  const { alice, bob } = await friends();
  const [eve] = await people('eve');
  /** @type {string[]} */
  const groupInfos = [];
  // The server stores the group, and says that it did not.
  alice.lies.changeAnswer.push(({ method, path, body }) => {
    if (method !== 'POST' || path !== 'conversations') return undefined;
    groupInfos.push(body.group_info);
    return { seq: 'none' };
  });
  const id = crypto.randomUUID();
  await refused(alice.client.membership.start([bob.username], id), 'malformed');
  const read = await leadsToGhost(alice, id, eve, { epoch: 1, groupInfo: fromBase64(groupInfos[0]) });
  await reconnects(alice);
  await alice.client.membership.start([bob.username], id); // the page tries again
  await alice.says(id, 'only for bob');
  await settled(alice);
  await settled(alice);
  assert.deepEqual(await read(), []);
  assert.deepEqual((await known(alice, id)).strangers, [eve.user]);
});

test('conversation_that_was_started_becomes_no_direct_one', async () => {
  const { alice, bob } = await friends();
  const id = crypto.randomUUID();
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'POST' && path === 'conversations' ? no('busy', 403) : undefined,
  );
  await refused(alice.client.membership.start([bob.username], id), 'busy');
  const user = { id: bob.user, username: bob.username };
  const shown = {
    id,
    user,
    last_seq: 0,
    last_message_at: null,
    key_fingerprint: null,
    key_waiting: false,
    blocked: false,
  };
  alice.lies.answerRequest.push(({ method, path }) => (`${method} ${path}` === 'GET direct' ? [shown] : undefined));
  alice.lies.inject({ type: 'direct_changed', conversation: id });
  await until(
    async () => (await alice.client.store.get(id))?.kind === 'direct',
    'alice is shown a direct conversation',
  );
  await refused(alice.client.membership.start([bob.username], id), 'not_a_group');
});
