// @ts-check
/**
 * What is shown of a lie.
 *
 * @typedef {import('../client/mls/joining.js').Shown} Listed
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostOf, lockOf, nameOfOther } from '../app/state/selectors.js';
import { receivedBy } from '../client/conversations/reducer.js';
import { trustIn } from '../client/trust/trust-in.js';
import { NOW, STRANGER, friends, ghostJoins, known, random, reconnects, settled, verifies } from './attacks.js';
import { PrivateLog } from './private-log.js';
import { conversation, deceived, people, refused, until } from './users.js';

test('message_is_not_shown_as_read_by_all_where_the_server_leaves_a_member_out', async () => {
  const [alice] = await deceived('alice');
  const [bob, carol] = await people('bob', 'carol');
  const id = await conversation(alice, bob, carol);
  await settled(alice);
  for (const one of [bob, carol]) await verifies(alice, id, one);
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? answer.map((/** @type {Listed} */ one) => ({
          ...one,
          members: one.members.filter((member) => member.id !== bob.user),
        }))
      : undefined,
  );
  carol.client.receipts.isEnabled = true;
  await carol.client.membership.answer(id, 'joined');
  bob.leaves();
  await alice.says(id, 'for both');
  await carol.hears('for both');
  const seq = async () => (await alice.client.store.items(id, {})).find(({ text }) => text === 'for both')?.seq;
  await until(seq, 'stored');
  await carol.client.receipts.read(id, Infinity);
  await until(async () => (await known(alice, id)).marks[carol.user]?.read, 'carol has read');
  await alice.client.membership.refresh();
  const now = await known(alice, id);
  assert.notEqual(receivedBy(now, (await seq()) ?? 0, alice.user), 'read', 'bob has not read it');
});

test('contact_whom_a_ghost_adds_again_has_not_read_anything', async () => {
  const { alice, bob, id } = await friends();
  bob.leaves();
  await alice.says(id, 'unread');
  await alice.client.outbox.allSent();
  await settled(alice);
  const seq = async () => (await alice.client.store.items(id, {})).find(({ text }) => text === 'unread')?.seq ?? 0;
  assert.notEqual(receivedBy(await known(alice, id), await seq(), alice.user), 'read');
  const [{ key_package }] = await alice.client.api.call('POST', `users/${bob.user}/key-packages/claim`, {});
  const log = new PrivateLog(alice, id);
  const { ghost, entry } = await ghostJoins(alice, id, STRANGER);
  let { epoch } = entry;
  const show = async (/** @type {string} */ data) => {
    await log.show({ kind: 'commit', epoch: epoch++, sender: ghost.device, data });
    await settled(alice);
  };
  await show(entry.data);
  await log.show({ kind: 'left', epoch, sender: bob.client.me.device });
  await settled(alice);
  await show((await ghost.commit(id, { remove: [{ user: bob.user, device: bob.client.me.device }] })).commit);
  await show((await ghost.commit(id, { add: [key_package] })).commit);
  await log.end();
  await reconnects(alice);
  await until(async () => (await known(alice, id)).members.length === 2, 'she is back');
  const now = await known(alice, id);
  assert.notEqual(receivedBy(now, await seq(), alice.user), 'read', 'bob was never connected');
});

test('text_of_a_ghost_is_marked_wherever_it_is_shown', async () => {
  const { alice, bob, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  const data = await ghost.say(id, { kind: 'text', id: random(), text: 'send the money to account 7' });
  await log.show({ kind: 'application', epoch: entry.epoch + 1, sender: ghost.device, data });
  await settled(alice);
  const { last } = await known(alice, id);
  assert.ok(
    last?.text !== 'send the money to account 7' || last.isForeign,
    'the list of conversations shows it as a text of bob',
  );
});

test('name_of_a_verified_person_opens_no_conversation_with_another', async () => {
  const { startConversation } = await import('../app/features/new-conversation/actions.js');
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(bob, alice);
  const other = await conversation(mallory, alice);
  await settled(alice);
  await verifies(alice, id, bob);
  await mallory.says(other, 'newest');
  await alice.hears('newest');
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? answer.map((/** @type {Listed} */ one) => ({
          ...one,
          state: 'joined',
          members: one.members.map((member) =>
            member.id === mallory.user ? { ...member, username: bob.username } : member,
          ),
        }))
      : undefined,
  );
  await alice.client.membership.refresh();
  const conversations = Object.fromEntries((await alice.client.store.list()).map((one) => [one.id, one]));
  /** @type {string | null} */
  let opened = null;
  const context = {
    rpc: { contacts: { find: () => Promise.resolve({ id: bob.user }) } },
    store: { state: { me: { id: alice.user, username: alice.username }, conversations } },
    page: { close() {}, open: (/** @type {string} */ one) => (opened = one) },
  };
  await startConversation(/** @type {any} */ (context), { names: [bob.username] });
  assert.equal(opened, id, 'the conversation of the verified person');
});

test('verified_person_whom_the_server_names_in_a_request_has_no_device_in_it', async () => {
  const { alice, bob } = await friends();
  const [mallory] = await people('mallory');
  const request = await conversation(mallory, alice);
  await settled(alice);
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? answer.map((/** @type {Listed} */ one) =>
          one.id === request
            ? {
                ...one,
                members: [
                  { id: bob.user, username: bob.username, role: 'owner' },
                  { id: alice.user, username: alice.username, role: 'member' },
                  { id: mallory.user, username: '\u200b', role: 'member' },
                ],
              }
            : one,
        )
      : undefined,
  );
  await alice.client.membership.refresh();
  const now = await known(alice, request);
  assert.deepEqual([now.state, now.people[0].id], ['requested', bob.user], 'as the server says');
  assert.equal(trustIn(now, bob.user), 'absent');
  assert.equal(hostOf(now, alice.user)?.id, mallory.user, 'the request is from whom it encrypts to');
  assert.notEqual(lockOf(now, alice.user), 'verified');
});

test('server_puts_no_deletion_into_the_mouth_of_a_contact', async () => {
  const { alice, bob, id } = await friends();
  alice.lies.inject({
    type: 'entry',
    conversation: id,
    seq: (await known(alice, id)).cursor + 1,
    epoch: 1,
    kind: 'application',
    sender: bob.client.me.device,
    at: NOW(),
  });
  await settled(alice);
  const items = (await alice.client.store.items(id, {})).filter(({ isDeleted }) => isDeleted);
  assert.deepEqual(items, []);
});

test('stranger_under_the_name_of_a_verified_person_is_not_agreed_to', async () => {
  const { alice, id } = await friends();
  const [carol] = await people('carol');
  const other = await conversation(carol, alice);
  await settled(alice);
  await verifies(alice, other, carol);
  const log = new PrivateLog(alice, id);
  let posing = carol.username;
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? answer.map((/** @type {Listed} */ one) =>
          one.id === id
            ? { ...one, members: [...one.members, { id: STRANGER, username: posing, role: 'member' }] }
            : one,
        )
      : undefined,
  );
  const { ghost, entry } = await ghostJoins(alice, id, STRANGER);
  await log.show(entry);
  await settled(alice);
  await alice.client.membership.refresh();
  await alice.says(id, 'only for bob');
  await settled(alice);
  const looksAlike = [`${carol.username}\u200b`, carol.username.toUpperCase(), carol.username.replace('c', 'ｃ')];
  for (posing of [carol.username, ...looksAlike]) {
    await alice.client.membership.refresh();
    await refused(alice.client.membership.acceptStrangers(id, [STRANGER]), 'other_person');
    assert.match(nameOfOther(await known(alice, id), STRANGER), /^carol_\w+ \(not the carol_\w+ you verified\)$/i);
  }
  await settled(alice);
  await alice.says(id, 'hello carol and bob');
  await settled(alice);
  const read = await log.readBy(ghost);
  assert.deepEqual(read, []);
});

test('screen_reader_is_told_that_a_text_is_of_an_unlisted_device', async () => {
  const listens = { addEventListener() {}, hasFocus: () => true, visibilityState: 'visible' };
  Object.assign(globalThis, { document: listens, window: listens });
  const { notifyOf } = await import('../app/notifications.js');
  const { alice, bob, id } = await friends();
  await alice.client.membership.refresh();
  const conversations = { [id]: { ...(await known(alice, id)), state: 'joined' } };
  /** @type {string[]} */
  const said = [];
  const context = {
    store: { state: { me: { id: alice.user }, open: id, settings: {}, conversations } },
    page: { announce: (/** @type {string} */ text) => said.push(text), toast() {} },
  };
  const sender = { user: bob.user, device: '00000000000000aa' };
  const content = { kind: /** @type {const} */ ('text'), id: random(), text: 'send the money' };
  for (const isForeign of [true, undefined])
    notifyOf(/** @type {any} */ (context), {
      conversation: id,
      message: { seq: 9, at: NOW(), sender, content, isForeign },
    });
  assert.deepEqual(said, [
    `${bob.username}, from an unconfirmed device: send the money`,
    `${bob.username}: send the money`,
  ]);
});

test('stranger_names_no_group', async () => {
  const { alice, bob, id } = await friends();
  const [mallory] = await people('mallory');
  await bob.client.outbox.send(id, { kind: 'group', name: 'The two of us' });
  await bob.client.outbox.allSent();
  await settled(alice);
  const { ghost, entry } = await ghostJoins(alice, id, mallory.user);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  assert.deepEqual((await known(alice, id)).strangers, [mallory.user]);
  const data = await ghost.say(id, { kind: 'group', id: random(), name: 'Moved: write to +49 666' });
  await log.show({ kind: 'application', epoch: entry.epoch + 1, sender: ghost.device, data });
  await settled(alice);
  assert.equal((await known(alice, id)).name, 'The two of us');
});

test('member_of_any_conversation_is_not_shown_under_the_name_of_a_verified_person', async () => {
  const { alice, bob } = await friends();
  const [mallory] = await people('mallory');
  const group = await conversation(mallory, alice);
  const direct = await mallory.client.direct.open(alice.user);
  await settled(alice);
  const posing = (/** @type {{ id: string }} */ one) =>
    one.id === mallory.user ? { ...one, username: bob.username } : one;
  alice.lies.changeAnswer.push(({ method, path }, answer) => {
    if (`${method} ${path}` === 'GET direct')
      return answer.map((/** @type {{ user: { id: string } }} */ one) => ({ ...one, user: posing(one.user) }));
    if (`${method} ${path}` !== 'GET conversations') return undefined;
    return answer.map((/** @type {Listed} */ one) => ({ ...one, members: one.members.map(posing) }));
  });
  await reconnects(alice);
  await alice.client.membership.refresh();
  for (const id of [group, direct])
    assert.match(nameOfOther(await known(alice, id), mallory.user), /^bob_\w+ \(not the bob_\w+ you verified\)$/);
  const compared = await alice.client.trust.safetyNumber(group, mallory.user);
  await refused(alice.client.identities.verify(mallory.user, compared, bob.username), 'other_person');
});

test('person_who_is_verified_later_lends_the_name_to_nobody', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const id = await conversation(bob, alice);
  const group = await conversation(mallory, alice);
  const direct = await mallory.client.direct.open(alice.user);
  await settled(alice);
  await verifies(alice, id, bob);
  for (const one of [group, direct]) assert.equal((await known(alice, one)).knownAs?.[bob.user], bob.username);
});

test('conversation_of_its_user_never_becomes_a_request_again', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const accepted = await conversation(bob, alice);
  const started = await conversation(alice, bob);
  const state = async (/** @type {string} */ id) => (await known(alice, id)).state;
  await until(
    async () => (await state(accepted)) === 'requested' && (await known(alice, accepted)).people.length,
    'it is',
  );
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? answer.map((/** @type {Listed} */ one) => ({ ...one, state: 'requested' }))
      : undefined,
  );
  await alice.client.membership.refresh();
  assert.equal(await state(accepted), 'requested', 'nobody has accepted it');
  await alice.client.membership.answer(accepted, 'joined');
  await reconnects(alice);
  await alice.client.membership.refresh();
  assert.deepEqual([await state(accepted), await state(started)], ['joined', 'joined']);
});

test('conversation_that_its_user_has_left_can_become_a_request', async () => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await conversation(bob, alice);
  await alice.client.membership.answer(id, 'joined');
  await bob.client.membership.add(id, [carol.username]); // who is no contact of hers
  await carol.isIn(id);
  await bob.client.membership.setRole(id, carol.user, 'admin');
  await alice.client.farewell.leave(id);
  await alice.isOut(id);
  await settled(bob);
  await settled(carol);
  await carol.client.membership.add(id, [alice.username]);
  await alice.isIn(id);
  await settled(alice);
  await alice.client.membership.refresh();
  assert.equal((await known(alice, id)).state, 'requested');
});

test('other_key_of_a_verified_person_is_not_accepted_under_the_name_of_another', async () => {
  const { conversationCalls } = await import('../worker/calls/conversations.js');
  const { alice, bob } = await friends();
  const [carol] = await people('carol');
  const { trust } = conversationCalls(/** @type {any} */ ({ client: alice.client, page: {} }));
  /** @type {string[]} */
  const accepted = [];
  alice.client.identities.acceptChanged = async (user) => void accepted.push(user);
  await trust.acceptKeys({ usernames: [carol.username, bob.username] });
  assert.deepEqual(accepted, [carol.user, bob.user]);
  alice.lies.answerRequest.push(({ path }) =>
    path === `users/${carol.username}` ? { id: bob.user, username: carol.username } : undefined,
  );
  await refused(trust.acceptKeys({ usernames: [carol.username] }), 'other_person');
  assert.equal(accepted.length, 2);
});
