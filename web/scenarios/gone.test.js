// @ts-check
/** Verified members of whom only the server, or an intruder, says that they are gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64 } from '../client/util/bytes.js';
import { friends, ghostJoins, known, no, settled, verifies } from './attacks.js';
import { PrivateLog } from './private-log.js';
import { conversation, deceived, people, until } from './users.js';

/** Carol has made the group; alice has verified both. */
async function three() {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(carol, alice, bob);
  await settled(alice);
  for (const one of [bob, carol]) await verifies(alice, id, one);
  return { alice, bob, carol, id };
}

/** What alice writes waits for her answer. @param {import('./attacks.js').Deceived} alice @param {string} id */
async function isAsked(alice, id) {
  await alice.says(id, 'for bob and carol');
  await settled(alice);
  await settled(alice);
  const texts = (await alice.client.outbox.waiting()).filter(({ content }) => content.kind === 'text');
  assert.deepEqual(
    texts.map(({ failure }) => failure?.code),
    ['removal_asked'],
  );
}

test('claim_of_leaving_hides_no_later_removal', async () => {
  const { alice, bob, carol, id } = await three();
  const log = new PrivateLog(alice, id);
  await log.show({ kind: 'left', epoch: (await known(alice, id)).epoch, sender: bob.client.me.device });
  await settled(alice);
  await log.end();
  await settled(alice);
  await bob.says(id, 'I am here');
  await alice.hears('I am here');
  await carol.client.membership.remove(id, bob.user);
  await until(async () => (await known(alice, id)).members.length === 2, 'removed');
  await settled(alice);
  const notices = (await alice.client.store.items(id, {})).flatMap(({ notice }) =>
    notice?.what === 'members' ? notice.removed : [],
  );
  assert.deepEqual(notices, [bob.user]);
});

test('verified_member_whom_a_ghost_of_another_member_removes_gets_what_alice_writes_or_she_is_asked', async () => {
  const { alice, bob, carol, id } = await three();
  const log = new PrivateLog(alice, id);
  const { ghost, entry } = await ghostJoins(alice, id, carol.user);
  let { epoch } = entry;
  await log.show({ kind: 'left', epoch, sender: bob.client.me.device });
  await settled(alice);
  await log.show(entry);
  await log.show({
    kind: 'commit',
    epoch: epoch + 1,
    sender: ghost.device,
    data: (await ghost.commit(id, { remove: [{ user: bob.user, device: bob.client.me.device }] })).commit,
  });
  await settled(alice);
  await isAsked(alice, id);
});

test('verified_member_whom_a_ghost_removes_is_not_gone_after_joining_the_same_fork_again', async () => {
  const { alice, bob, carol, id } = await three();
  const log = new PrivateLog(alice, id);
  const { ghost, entry } = await ghostJoins(alice, id, carol.user);
  const removal = await ghost.commit(id, { remove: [{ user: bob.user, device: bob.client.me.device }] });
  alice.lies.answerRequest.push(({ path }) =>
    path === `conversations/${id}/group-info`
      ? { epoch: entry.epoch + 2, group_info: toBase64(removal.groupInfo) }
      : undefined,
  );
  await log.show(entry);
  await log.show({ kind: 'commit', epoch: entry.epoch + 1, sender: ghost.device, data: removal.commit });
  await settled(alice);
  await settled(alice);
  await isAsked(alice, id);
});

test('removal_of_a_verified_person_whose_list_is_over_is_asked', async () => {
  const { alice, bob, id } = await friends();
  const now = Date.now();
  const identity = await alice.client.identities.of(bob.user);
  await alice.client.storage.write([
    ['state', `identity/${bob.user}`, { ...identity, notAfter: Math.floor(now / 1000) - 7200 }],
  ]);
  alice.lies.answerRequest.push(({ path }) =>
    path.endsWith('/removals')
      ? { devices: [bob.client.me.device] }
      : path === `users/${bob.user}/device-list`
        ? no('no_device_list', 404)
        : undefined,
  );
  const done = await alice.client
    .inTurn(() => alice.client.removals.removeDue(id))
    .catch((e) => `committed without a question: ${e.code}`);
  assert.equal(done, 'asked');
});

test('leave_of_before_a_member_came_back_does_not_remove_them', async () => {
  const { alice, bob, carol, id } = await three();
  /** @type {import('./tampering.js').Frame[]} */
  const held = [];
  alice.lies.changeFrame.push((frame) => {
    if (frame.type !== 'entry' || frame.conversation !== id) return undefined;
    held.push(frame);
    return null;
  });
  const log = new PrivateLog(alice, id);
  alice.lies.changeFrame.pop();
  await bob.client.farewell.leave(id);
  await bob.isOut(id);
  await until(async () => (await carol.client.mls.members(id)).length === 2, 'bob is removed');
  await carol.client.membership.add(id, [bob.username]);
  await bob.isIn(id);
  await bob.says(id, 'I am back');
  await carol.hears('I am back');
  await settled(alice);
  const farewell = held.find(({ kind, sender }) => kind === 'application' && sender === bob.client.me.device);
  assert.ok(farewell);
  const others = held.filter((one) => one !== farewell && one.kind !== 'left');
  for (const { kind, epoch, sender, data } of [...others, farewell]) {
    await log.show({ kind, epoch, sender, data });
    await settled(alice);
  }
  assert.ok(alice.heard.includes('I am back'));
  alice.lies.answerRequest.unshift(({ path }) =>
    path === `conversations/${id}/removals` ? { devices: [bob.client.me.device] } : undefined,
  );
  assert.equal(await alice.client.inTurn(() => alice.client.removals.removeDue(id)), 'asked');
});
