// @ts-check
/** Attacks of a server that shows one device a group of its own, in which it makes any commit that it likes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trustIn } from '../client/trust/trust-in.js';
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import { friends, ghostJoins, known, NOW, settled } from './attacks.js';
import { PrivateLog } from './private-log.js';
import { Ghost } from './tampering.js';
import { another, conversation, deceived, people, until } from './users.js';

/** @typedef {import('./attacks.js').Deceived} Deceived */

const STRANGER = 'deadbeef-0000-4000-8000-0000000000ca';
const random = () => crypto.randomUUID().replaceAll('-', '');

/** Why the texts of a device wait. @param {Deceived} device */
async function waitsFor(device) {
  return (await device.client.outbox.waiting()).flatMap(({ failure }) => failure?.code ?? []);
}

/**
 * Commits that the device applies because the server shows them late, behind an entry that does not fit, or before a page
 * that it refuses. The device cannot join again.
 * @param {Deceived} device @param {string} id @param {string[]} commits @param {number} epoch @param {boolean} isCut
 */
async function showMissed(device, id, commits, epoch, isCut = false) {
  const { cursor } = await known(device, id);
  const entry = { type: 'entry', conversation: id, at: NOW(), kind: 'commit', sender: '00000000000000aa' };
  const log = commits.map((data, nth) => ({ ...entry, seq: cursor, epoch: epoch + nth, data }));
  device.lies.answerRequest.unshift(({ path }) => {
    if (isCut && log.length && path === `conversations/${id}/log?after=${cursor}`)
      return new Response('{}', { status: 403 });
    if (path.startsWith(`conversations/${id}/log`)) return log;
    return path === `conversations/${id}/group-info` ? new Response('{}', { status: 403 }) : undefined;
  });
  device.lies.inject({ ...entry, seq: cursor + 1, epoch: epoch + commits.length });
  await settled(device);
  log.length = 0;
}

for (const how of ['', '_that_are_cut_off'])
  test(`twin_that_came_by_missed_commits${how}_says_nothing_as_the_contact`, async () => {
    const { alice, bob, id } = await friends();
    await bob.says(id, 'meet me at nine');
    await alice.hears('meet me at nine');
    await settled(alice);
    const log = new PrivateLog(alice, id);
    const { ghost, entry } = await ghostJoins(alice, id, bob.user);
    const removal = await ghost.commit(id, { remove: [{ user: bob.user, device: bob.client.me.device }] });
    const twin = await Ghost.open(bob.user, bob.client.me.device);
    await showMissed(
      alice,
      id,
      [entry.data, removal.commit, await twin.join(removal.groupInfo)],
      entry.epoch,
      how !== '',
    );
    const [{ id: of }] = (await alice.client.store.items(id, {})).filter(({ text }) => text !== undefined);
    for (const content of [
      { kind: 'text', id: random(), text: 'I am bob' },
      { kind: 'edit', id: random(), of, text: 'meet me at midnight' },
      { kind: 'delete', id: random(), of },
    ]) {
      const data = await twin.say(id, content);
      await log.show({ kind: 'application', epoch: entry.epoch + 3, sender: twin.device, data });
      await settled(alice);
    }
    const texts = (await alice.client.store.items(id, {})).filter(({ text }) => text !== undefined);
    assert.deepEqual(texts.map(({ text, isForeign }) => [text, isForeign === true]), [['meet me at nine', false], ['I am bob', true]]); // prettier-ignore
    assert.notEqual(trustIn(await known(alice, id), bob.user), 'verified');
  });

for (const how of ['', '_that_is_cut_off'])
  test(`stranger_that_came_by_a_missed_commit${how}_reads_nothing`, async () => {
    const { alice, id } = await friends();
    const log = new PrivateLog(alice, id);
    const { ghost, entry } = await ghostJoins(alice, id, STRANGER);
    await showMissed(alice, id, [entry.data], entry.epoch, how !== '');
    log.hidesCommits = true;
    await alice.updates(id); // as healing does
    await settled(alice);
    assert.deepEqual((await known(alice, id)).strangers, [STRANGER]);
    await alice.says(id, 'only for bob');
    await settled(alice);
    assert.deepEqual(await waitsFor(alice), ['stranger']);
    assert.deepEqual(await log.readBy(ghost), []);
  });

test('stranger_that_an_unlisted_ghost_adds_reads_nothing', async () => {
  const { alice, bob, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const carol = await Ghost.open(STRANGER);
  const { commit, welcome } = await ghost.commit(id, { add: [await carol.keyPackage()] });
  assert.ok(welcome);
  await carol.accept(welcome);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  await log.show({ epoch: entry.epoch + 1, kind: 'commit', sender: ghost.device, data: commit });
  await settled(alice);
  assert.deepEqual((await known(alice, id)).strangers, [STRANGER]);
  await alice.says(id, 'only for bob');
  await settled(alice);
  await settled(alice);
  assert.deepEqual(await waitsFor(alice), ['stranger'], 'alice has removed the ghost, and not the other one');
  assert.deepEqual([...(await log.readBy(carol)), ...(await log.readBy(ghost))], []);
});

test('group_from_which_a_ghost_removes_the_contact_gets_no_message', async () => {
  const { alice, bob, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  let { epoch } = entry;
  for (const change of [{ remove: [{ user: bob.user, device: bob.client.me.device }] }, {}, {}, {}]) {
    const { commit } = await ghost.commit(id, change);
    await log.show({ epoch: ++epoch, kind: 'commit', sender: ghost.device, data: commit });
    await settled(alice);
  }
  await alice.says(id, 'only for bob');
  await settled(alice);
  assert.equal((await alice.client.outbox.waiting()).filter(({ content }) => content.kind === 'text').length, 1);
  await log.end();
  await until(async () => (await known(alice, id)).members.length === 2, 'alice is back');
  await alice.client.membership.acceptStrangers(id, [bob.user]); // the ghost had removed bob, so the client asks alice about him
  await bob.hears('only for bob');
  await bob.says(id, 'I never left');
  await alice.hears('I never left');
});

test('device_that_was_led_into_a_group_of_the_server_comes_back', async () => {
  const { alice, bob, id } = await friends();
  const log = new PrivateLog(alice, id);
  const [ghost, helper] = [await Ghost.open(STRANGER), await Ghost.open('deadbeef-0000-4000-8000-0000000000cb')];
  await ghost.create(id, 40, [await helper.keyPackage()]);
  const offered = { epoch: 41, group_info: toBase64(ghost.groupInfo) };
  alice.lies.answerRequest.push(({ path }) => (path === `conversations/${id}/group-info` ? offered : undefined));
  await log.show({ kind: 'commit', sender: alice.client.me.device, epoch: (await known(alice, id)).epoch ?? 0 });
  await settled(alice);
  assert.equal((await known(alice, id)).strangers?.length, 2);
  await log.end();
  await until(async () => (await known(alice, id)).members.some(({ user }) => user === bob.user), 'alice is back');
  await alice.client.membership.acceptStrangers(id, [bob.user]); // bob was not in the server's group, so the client asks alice about him
  await alice.says(id, 'only for bob');
  await bob.hears('only for bob');
  await bob.says(id, 'from bob');
  await alice.hears('from bob');
});

test('ghost_of_a_contact_verified_by_device_keys_reads_nothing', async () => {
  const [alice, bob] = await deceived('alice', 'bob');
  const none = () => Response.json({ code: 'no_device_list', error: 'none' }, { status: 404 });
  for (const [one, other] of [
    [alice, bob],
    [bob, alice],
  ])
    // prettier-ignore
    one.lies.answerRequest.push(({ path }) => (path === `users/${other.user}/device-list` ? none() : undefined));
  const id = await conversation(alice, bob);
  await settled(alice);
  const compared = await alice.client.trust.safetyNumber(id, bob.user);
  assert.equal(compared.key, undefined, 'the server withholds the list');
  await alice.client.identities.verify(bob.user, compared, bob.username);
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  await alice.says(id, 'only for bob');
  await settled(alice);
  assert.deepEqual(await waitsFor(alice), ['unlisted_device']);
  assert.deepEqual(await log.readBy(ghost), []);
});

for (const how of ['a commit', 'a group info'])
  test(`removed_device_let_in_again_by_${how.replaceAll(' ', '_')}_changes_nothing`, async () => {
    const [bob] = await deceived('bob');
    const [alice] = await people('alice');
    const phone = await another(alice);
    const id = await conversation(alice, bob, phone);
    await alice.says(id, 'meet me at nine');
    await bob.hears('meet me at nine');
    const stolen = phone.client;
    await alice.client.ownList.remove(stolen.me.device);
    await alice.client.api.call('DELETE', `devices/${stolen.me.device}`);
    await until(async () => (await bob.client.mls.members(id)).length === 2, 'the phone is out');
    await settled(bob);
    const log = new PrivateLog(bob, id);
    const { epoch = 0 } = await known(bob, id);
    /** @type {import('../client/mls/transactions.js').Bundle[]} */
    const bundles = [];
    await stolen.mls.join(id, await bob.client.api.groupInfo(id), async (bundle) => void bundles.push(bundle));
    const [{ commit, groupInfo }] = bundles;
    if (how === 'a commit') {
      await log.show({ kind: 'commit', epoch, sender: stolen.me.device, data: toBase64(commit) });
    } else {
      bob.lies.answerRequest.unshift(({ path }) =>
        path === `conversations/${id}/group-info` ? { epoch: epoch + 1, group_info: toBase64(groupInfo) } : undefined,
      );
      await bob.client.inTurn(() => bob.client.joining.join(id));
      const own = log.entries.find(({ sender }) => sender === bob.client.me.device);
      await stolen.mls.decrypt(id, fromBase64(own?.data), async () => {});
    }
    await settled(bob);
    const [{ id: of }] = (await bob.client.store.items(id, {})).filter(({ text }) => text !== undefined);
    for (const content of [
      { kind: 'edit', id: random(), of, text: 'meet me at midnight' },
      { kind: 'text', id: random(), text: 'it is me' },
    ]) {
      const { epoch: now, data } = await stolen.mls.encrypt(id, new TextEncoder().encode(JSON.stringify(content)));
      await log.show({ kind: 'application', epoch: now, sender: stolen.me.device, data: toBase64(data) });
      await settled(bob);
    }
    const texts = (await bob.client.store.items(id, {})).filter(({ text }) => text !== undefined);
    assert.deepEqual(texts.map(({ text, isForeign }) => [text, isForeign === true]), [['meet me at nine', false], ['it is me', true]]); // prettier-ignore
  });
