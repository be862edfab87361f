// @ts-check
/** Devices that a server has left behind, once it is honest again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { friends, ghostJoins, honest, known, NOW, reconnects, settled } from './attacks.js';
import { Tampering } from './tampering.js';
import { conversation, deceived, linked, people, unlinked } from './users.js';

/** @typedef {import('./tampering.js').Frame} Frame */

/**
 * Both hear each other again.
 * @param {import('./attacks.js').Deceived} device @param {import('./users.js').Device} other @param {string} id
 */
async function goOn(device, other, id) {
  honest(device);
  await reconnects(device);
  await other.says(id, 'are you there?');
  await device.hears('are you there?');
  await device.says(id, 'here I am');
  await other.hears('here I am');
  await device.client.outbox.allSent();
}

/** @param {import('./users.js').Device} by @param {string} id @param {import('./users.js').Device} to */
async function talks(by, id, to) {
  for (const text of ['one', 'two', 'three']) {
    await by.says(id, text);
    await to.hears(text);
  }
}

for (const isSpoken of [true, false])
  test(
    `device_that_was_removed_and_not_told_comes_back_${isSpoken ? 'behind others' : 'in silence'}`.replaceAll(' ', '_'),
    async () => {
      const [alice] = await deceived('alice');
      const [bob] = await people('bob');
      const lies = new Tampering();
      const phone = Object.assign(await unlinked(alice, { fetch: lies.fetch, WebSocket: lies.WebSocket }), { lies });
      await linked(phone, alice);
      const id = await conversation(bob, alice, phone);
      await settled(phone);
      const hidden = (/** @type {Frame} */ entry) =>
        entry.kind === 'commit' ? { ...entry, kind: 'of a later version' } : entry;
      lies.changeFrame.push((frame) => (frame.type === 'entry' ? hidden(frame) : undefined));
      lies.changeAnswer.push(({ path }, answer) =>
        path.startsWith(`conversations/${id}/log`) ? answer.map(hidden) : undefined,
      );
      alice.lies.answerRequest.push(({ path }) =>
        path === `conversations/${id}/removals` ? { devices: [phone.client.me.device] } : undefined,
      );
      assert.equal(await alice.client.inTurn(() => alice.client.removals.removeDue(id)), 'removed');
      await settled(phone);
      honest(alice);
      if (isSpoken) {
        await bob.says(id, 'hello');
        await bob.client.outbox.allSent();
      }
      await settled(phone);
      await goOn(phone, bob, id);
    },
  );

test('device_that_joined_again_at_a_place_that_is_too_early_comes_back', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(bob, alice);
  await talks(bob, id, alice);
  await settled(alice);
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    method === 'POST' && path === `conversations/${id}/commits` ? { ...answer, seq: 1 } : undefined,
  );
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? null : undefined));
  await alice.client.inTurn(() => alice.client.emitAndWait('state lost', { conversation: id, reason: 'a test' }));
  assert.equal((await known(alice, id)).cursor, 1);
  await goOn(alice, bob, id);
});

test('device_that_was_welcomed_at_a_place_that_is_too_early_comes_back', async () => {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(bob, carol);
  await talks(bob, id, carol);
  alice.lies.changeFrame.push((frame) => {
    if (frame.type === 'welcome') return { ...frame, seq: 1 };
    return frame.type === 'entry' ? null : undefined;
  });
  alice.lies.changeAnswer.push(({ path }) => (path.startsWith(`conversations/${id}/log`) ? [] : undefined));
  await bob.client.membership.add(id, [alice.username]);
  await alice.isIn(id);
  await settled(alice);
  await goOn(alice, bob, id);
});

test('device_in_a_fork_of_the_same_length_comes_back_before_it_sends', async () => {
  const { alice, bob, id } = await friends();
  await alice.says(id, 'before');
  await bob.hears('before');
  await settled(alice);
  const { cursor, epoch = 0 } = await known(alice, id);
  // The server swallows an update of alice, and stores one of bob in its place.
  let commit = '';
  alice.lies.answerRequest.push(({ method, path, body }) => {
    if (method !== 'POST' || path !== `conversations/${id}/commits`) return undefined;
    commit = body.commit;
    return { seq: cursor + 1, epoch: epoch + 1, at: NOW() };
  });
  const inItsPlace = (/** @type {Frame} */ entry) =>
    entry.seq === cursor + 1 ? { ...entry, sender: alice.client.me.device, data: commit } : entry;
  alice.lies.changeFrame.push((frame) => {
    if (frame.type !== 'entry') return undefined;
    return commit ? inItsPlace(frame) : null;
  });
  alice.lies.changeAnswer.push(({ path }, answer) => {
    if (!path.startsWith(`conversations/${id}/log`)) return undefined;
    return commit ? answer.map(inItsPlace) : [];
  });
  await bob.updates(id);
  await alice.updates(id);
  await settled(alice);
  const epochs = await Promise.all([alice, bob].map((one) => one.client.mls.epoch(id)));
  assert.deepEqual([epochs, (await known(alice, id)).cursor], [[epoch + 1, epoch + 1], (await known(bob, id)).cursor]);
  honest(alice);
  await reconnects(alice);
  await alice.says(id, 'can you read me?');
  await bob.hears('can you read me?');
});

test('device_in_a_fork_with_a_ghost_of_the_same_length_comes_back', async () => {
  const { alice, bob, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const inItsPlace = (/** @type {Frame} */ one) =>
    one.kind === 'commit' && one.sender === bob.client.me.device
      ? { ...one, sender: ghost.device, data: entry.data }
      : one;
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? inItsPlace(frame) : undefined));
  alice.lies.changeAnswer.push(({ path }, answer) =>
    path.startsWith(`conversations/${id}/log`) ? answer.map(inItsPlace) : undefined,
  );
  await bob.updates(id);
  await settled(alice);
  assert.deepEqual(await Promise.all([alice, bob].map((one) => one.client.mls.epoch(id))), [2, 2]);
  honest(alice);
  await reconnects(alice);
  await alice.says(id, 'can you read me?');
  await bob.hears('can you read me?');
});
