// @ts-check
/** Attacks that a server prepares over several commits, lists or places, and what a device does when it is honest again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountKey } from '../client/trust/account-key.js';
import { signDeviceList } from '../client/trust/device-list.js';
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import { STRANGER, friends, ghostJoins, known, random, settled } from './attacks.js';
import { PrivateLog } from './private-log.js';
import { Ghost, Tampering } from './tampering.js';
import { conversation, deceived, people, refused, unlinked, until } from './users.js';

/** @typedef {import('./attacks.js').Deceived} Deceived */

const ANOTHER = 'deadbeef-0000-4000-8000-0000000000cb';
const none = () => Response.json({ code: 'no_device_list', error: 'none' }, { status: 404 });

/**
 * What alice writes for bob waits for this reason, and no ghost reads it.
 * @param {Deceived} alice @param {string} id @param {PrivateLog} log @param {Ghost} ghost @param {string[]} codes
 */
async function isHeld(alice, id, log, ghost, codes) {
  await alice.says(id, 'only for bob');
  await settled(alice);
  await settled(alice);
  const texts = (await alice.client.outbox.waiting()).filter(({ content }) => content.kind === 'text');
  assert.deepEqual(texts.map(({ failure }) => failure?.code ?? ''), codes); // prettier-ignore
  assert.deepEqual(await log.readBy(ghost), []);
}

test('user_whom_a_stranger_adds_is_a_stranger', async () => {
  const { alice, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, STRANGER);
  const other = await Ghost.open(ANOTHER);
  const { commit, welcome } = await ghost.commit(id, { add: [await other.keyPackage()] });
  await other.accept(/** @type {NonNullable<typeof welcome>} */ (welcome));
  const removal = await other.commit(id, { remove: [{ user: ghost.user, device: ghost.device }] });
  const log = new PrivateLog(alice, id);
  for (const [nth, one] of [
    entry,
    { sender: ghost.device, data: commit },
    { sender: other.device, data: removal.commit },
  ].entries()) {
    // prettier-ignore
    await log.show({ kind: 'commit', epoch: entry.epoch + nth, sender: one.sender, data: one.data });
    await settled(alice);
  }
  assert.deepEqual((await known(alice, id)).strangers, [ANOTHER]);
  await isHeld(alice, id, log, other, ['stranger']);
});

test('stranger_who_says_that_they_leave_comes_back_as_a_stranger', async () => {
  const { alice, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, STRANGER);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  const data = await ghost.say(id, { kind: 'leave', id: random(), who: 'device' });
  await log.show({ epoch: entry.epoch + 1, kind: 'application', sender: ghost.device, data });
  await settled(alice);
  let groupInfo = '';
  alice.lies.answerRequest.unshift(({ method, path, body }) => {
    if (method === 'POST' && path.endsWith('/commits')) groupInfo = body.group_info;
    return path === `conversations/${id}/removals` ? { devices: [ghost.device] } : undefined;
  });
  await alice.client.inTurn(() => alice.client.removals.removeDue(id));
  await settled(alice);
  alice.lies.answerRequest.shift();
  const again = await Ghost.open(STRANGER);
  const commit = await again.join(fromBase64(groupInfo));
  await log.show({ kind: 'commit', epoch: (await known(alice, id)).epoch, sender: again.device, data: commit });
  await settled(alice);
  await isHeld(alice, id, log, again, ['stranger']);
});

test('stranger_in_a_group_that_a_client_joined_and_stopped_is_one', async () => {
  const { alice, id } = await friends();
  const { ghost } = await ghostJoins(alice, id, STRANGER);
  const log = new PrivateLog(alice, id);
  await alice.updates(id); // to the epoch in which the stranger is, in another branch
  await settled(alice);
  const offered = { epoch: (await known(alice, id)).epoch, group_info: toBase64(ghost.groupInfo) };
  alice.lies.answerRequest.unshift(({ path }) => (path === `conversations/${id}/group-info` ? offered : undefined));
  const { store, joining, roster } = alice.client;
  const rewind = store.rewind.bind(store);
  store.rewind = async () => assert.fail('the client stops here');
  await assert.rejects(
    alice.client.inTurn(() => joining.join(id)),
    /stops here/,
  );
  store.rewind = rewind;
  await ghost.read(log.entries.slice(-1)); // it follows
  await alice.client.inTurn(() => roster.read(id)); // as before the next entry
  assert.deepEqual((await known(alice, id)).strangers, [STRANGER]);
  await isHeld(alice, id, log, ghost, ['stranger']);
});

test('contact_whom_a_ghost_removed_gets_no_message_after_a_hidden_commit', async () => {
  const { alice, bob, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const log = new PrivateLog(alice, id);
  log.hidesCommits = true;
  await log.show(entry);
  await settled(alice);
  const { commit } = await ghost.commit(id, { remove: [{ user: bob.user, device: bob.client.me.device }] });
  await log.show({ epoch: entry.epoch + 1, kind: 'commit', sender: ghost.device, data: commit });
  await settled(alice);
  await isHeld(alice, id, log, ghost, ['removal_asked']);
});

test('number_of_devices_verifies_no_account_key', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(bob, alice);
  await settled(alice);
  await alice.client.identities.forget(alice.user); // the server has withheld her own list from the start
  const compared = await alice.client.trust.safetyNumber(id, bob.user);
  assert.equal(compared.key, undefined);
  await refused(alice.client.identities.verify(bob.user, compared, bob.username), 'number_changed');
});

test('device_that_does_not_know_its_own_list_starts_and_sends_nothing', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const lies = new Tampering();
  lies.answerRequest.push(({ path }) =>
    path === `users/${alice.user}/device-list`
      ? Response.json({ code: 'forbidden', error: 'x' }, { status: 403 })
      : undefined,
  );
  const laptop = await unlinked(alice, { fetch: lies.fetch, WebSocket: lies.WebSocket });
  await laptop.client.settled();
  assert.equal(laptop.client.enrolment.standing, 'unknown');
  await refused(laptop.client.membership.start([bob.username]), 'not_listed');
  const [carol] = await deceived('carol');
  const id = await conversation(carol, bob);
  await refused(laptop.client.membership.add(id, [bob.username]), 'not_listed');
  await carol.client.identities.forget(carol.user);
  await carol.client.storage.write([['state', 'account-key']]);
  await carol.says(id, 'from which devices?');
  await settled(carol);
  assert.deepEqual((await carol.client.outbox.waiting()).map(({ failure }) => failure?.code), ['unlisted_device']); // prettier-ignore
});

test('device_comes_back_from_a_group_with_a_ghost_of_a_contact_without_a_list', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  alice.lies.answerRequest.push(({ path }) => (path === `users/${bob.user}/device-list` ? none() : undefined));
  const id = await conversation(bob, alice);
  await settled(alice);
  const log = new PrivateLog(alice, id);
  const [ghost, helper] = [await Ghost.open(bob.user), await Ghost.open(STRANGER)];
  await ghost.create(id, 40, [await helper.keyPackage()]);
  const offered = { epoch: 41, group_info: toBase64(ghost.groupInfo) };
  alice.lies.answerRequest.push(({ path }) => (path === `conversations/${id}/group-info` ? offered : undefined));
  const epoch = (await known(alice, id)).epoch ?? 0;
  await log.show({ kind: 'commit', sender: alice.client.me.device, epoch });
  await settled(alice);
  assert.equal((await known(alice, id)).epoch, 42);
  await log.end();
  const isThere = async () => (await known(alice, id)).members.some(({ device }) => device === bob.client.me.device);
  await until(isThere, 'alice is back');
});

test('edit_and_reaction_after_lies_about_places_count', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(bob, alice);
  await settled(alice);
  /** @type {import('./tampering.js').Frame[]} */
  const entries = [];
  alice.lies.changeFrame.push((frame) => void (frame.type === 'entry' && entries.push(frame)));
  const log = new PrivateLog(alice, id);
  const of = random();
  await bob.client.outbox.send(id, { kind: 'text', id: of, text: 'meet at nine' });
  await bob.client.outbox.send(id, { kind: 'edit', of, text: 'meet at ten' });
  await bob.client.outbox.send(id, { kind: 'reaction', of, emoji: '👍' });
  await bob.client.outbox.allSent();
  for (let nth = 0; nth < 30; nth++) await log.show({ kind: 'later', epoch: 1, sender: bob.client.me.device });
  for (const { kind, epoch, sender, data } of entries) {
    await log.show({ kind, epoch, sender, data });
    await settled(alice);
  }
  assert.deepEqual(await alice.kept(id), ['meet at ten']);
  await log.end();
  await until(async () => (await known(alice, id)).cursor < 30, 'alice is back');
  await bob.client.outbox.send(id, { kind: 'edit', of, text: 'meet at eleven' });
  await bob.client.outbox.send(id, { kind: 'reaction', of, emoji: '🎉' });
  await bob.says(id, 'after');
  await alice.hears('after');
  const [item] = (await alice.client.store.items(id, {})).filter((one) => one.id === of);
  assert.deepEqual([item.text, item.reactions?.[bob.user].emoji], ['meet at eleven', '🎉']);
});

test('group_that_the_server_called_a_direct_conversation_is_joined', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = crypto.randomUUID();
  const user = { id: bob.user, username: bob.username, bio: '', picture: '' };
  const lie = {
    id,
    user,
    last_seq: 0,
    last_message_at: null,
    key_fingerprint: null,
    key_waiting: false,
    blocked: false,
  };
  alice.lies.changeAnswer.push(({ path }, answer) => (path === 'direct' ? [...answer, lie] : undefined));
  await alice.client.inTurn(() => alice.client.direct.catchUp());
  assert.equal((await known(alice, id)).kind, 'direct');
  await bob.client.membership.start([alice.username], id);
  await alice.client.settled();
  assert.equal((await known(alice, id)).kind, 'direct');
  alice.lies.changeAnswer.length = 0; // honest, from now on
  alice.leaves();
  await alice.returns();
  await until(async () => (await alice.client.store.get(id))?.epoch, 'alice has joined the group');
  await bob.says(id, 'for alice');
  await alice.hears('for alice');
  await alice.says(id, 'for bob');
  await bob.hears('for bob');
});

for (const when of ['before any list', 'where there is one'])
  test(`lie_about_the_list_${when.replaceAll(' ', '_')}_destroys_no_new_account_key`, async () => {
    const [bob] = await people('bob');
    const lies = new Tampering();
    const phone = await unlinked(bob, { fetch: lies.fetch, WebSocket: lies.WebSocket });
    await phone.client.settled();
    const key = AccountKey.generate();
    const own = { [phone.client.me.device]: await phone.client.mls.signatureKey() };
    const list = signDeviceList(key, { user: bob.user, counter: 1, devices: own });
    await phone.client.storage.write([['state', 'next-account-key', toBase64(key.seed)]]); // and the client stopped
    const lie = when === 'before any list' ? none : () => undefined;
    lies.answerRequest.push(({ method, path }) => {
      if (`${method} ${path}` === 'PUT account/device-list') return Response.json({ code: 'account_key_exists', error: 'x' }, { status: 503 }); // prettier-ignore
      return path.endsWith('/device-list') ? lie() : undefined;
    });
    await phone.client.inTurn(() => phone.client.enrolment.bringUpToDate()).catch(() => {});
    lies.answerRequest.length = 0;
    lies.answerRequest.push(({ path }) => (path.endsWith('/device-list') ? list : undefined)); // honest, from now on
    await phone.client.inTurn(() => phone.client.enrolment.bringUpToDate());
    assert.ok(phone.client.enrolment.isListed);
    assert.equal((await phone.client.ownKey.need()).publicKey, key.publicKey);
  });

test('message_after_a_false_place_of_an_own_commit_is_read_once_in_its_place', async () => {
  const { alice, bob, id } = await friends();
  await bob.says(id, 'before');
  await alice.hears('before');
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    method === 'POST' && path.endsWith('/commits') ? { ...answer, seq: 1000 } : undefined,
  );
  await alice.client.inTurn(() => alice.client.emitAndWait('state lost', { conversation: id, reason: 'a test' }));
  assert.equal((await known(alice, id)).cursor, 1000);
  alice.lies.changeAnswer.length = 0;
  await settled(bob);
  for (const text of ['one', 'two']) await bob.says(id, text);
  await alice.hears('two');
  const shown = await alice.client.store.items(id, {});
  assert.deepEqual(shown.flatMap(({ text, notice }) => text ?? (notice?.what === 'rejoined' ? 'rejoined' : [])), ['before', 'rejoined', 'one', 'two']); // prettier-ignore
  const { unread, since, joined = 0, cursor } = await known(alice, id);
  assert.deepEqual([unread.length, since < cursor, joined < cursor], [3, true, true]);
  await alice.says(id, 'and on');
  await bob.hears('and on');
});
