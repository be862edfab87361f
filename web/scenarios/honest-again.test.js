// @ts-check
/** Lies that must not stop a device for good: each is followed by an honest server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trustIn } from '../client/trust/trust-in.js';
import { toBase64 } from '../client/util/bytes.js';
import { idOf, NOW, STRANGER, friends, honest, known, listOfGhost, no, reconnects, settled } from './attacks.js';
import { PASSWORD } from './password.js';
import { PrivateLog } from './private-log.js';
import { Ghost } from './tampering.js';
import { another, conversation, deceived, people, until } from './users.js';

test('token_that_no_header_can_have_stops_no_device', async () => {
  const { alice, bob, id } = await friends();
  alice.client.me.renewedAt = 0; // a day has passed
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'PUT sessions/current' ? { ...answer, token: 'a→\nb' } : undefined,
  );
  alice.leaves();
  await until(() => !alice.client.connection.isReady, 'offline');
  alice.client.me.renewedAt = 0;
  await Promise.race([alice.returns(), new Promise((resolve) => setTimeout(resolve, 4000))]).catch(() => {});
  honest(alice);
  alice.leaves();
  const again = await alice.client.account.logInAgain(PASSWORD).then(
    () => 'logged in',
    (e) => `cannot log in again: ${e.message}`,
  );
  assert.equal(again, 'logged in');
  await reconnects(alice);
  await bob.says(id, 'hello');
  await alice.hears('hello');
});

/** Alice and bob, with a direct conversation. */
async function withoutEncryption() {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const { code } = await bob.client.api.call('POST', 'codes');
  await alice.client.api.call('POST', 'contacts', { code });
  const id = await alice.client.direct.open(bob.user);
  await bob.client.direct.open(alice.user);
  return { alice, bob, id };
}

test('place_that_a_server_makes_up_stops_no_direct_conversation', async () => {
  const { alice, bob, id } = await withoutEncryption();
  await bob.says(id, 'one');
  await alice.hears('one');
  alice.lies.changeAnswer.push(({ method, path }, answer) => {
    if (method === 'GET' && /^direct\/.*messages/.test(path))
      return answer.length || !path.includes('after=1&')
        ? answer
        : [{ seq: 4000000000, sender: bob.user, text: 'lie', at: NOW() }];
    if (path === 'direct') return answer.map((/** @type {object} */ one) => ({ ...one, last_seq: 4000000000 }));
  });
  await reconnects(alice);
  honest(alice);
  await reconnects(alice);
  await bob.says(id, 'two');
  await alice.says(id, 'three');
  await bob.hears('three');
  await settled(alice);
  assert.ok(alice.heard.includes('two'));
});

test('key_of_a_wrong_length_stops_no_direct_conversation', async () => {
  const { alice, bob, id } = await withoutEncryption();
  alice.lies.changeAnswer.push(({ path }, answer) =>
    path === 'direct' ? answer.map((/** @type {object} */ one) => ({ ...one, key_waiting: true })) : undefined,
  );
  alice.lies.answerRequest.push(({ path }) => (path.endsWith('/key/claim') ? { key: 'AAAA' } : undefined));
  await reconnects(alice);
  honest(alice);
  await reconnects(alice);
  await bob.says(id, 'two');
  await alice.says(id, 'three');
  await settled(alice);
  await settled(alice);
  assert.ok(alice.heard.includes('two'));
});

test('message_held_by_a_false_removal_is_sent_as_soon_as_the_server_is_honest', async () => {
  const { alice, bob, id } = await friends();
  await alice.says(id, 'zero');
  await bob.hears('zero');
  alice.lies.changeSent.push((frame) => {
    if (frame.type !== 'send') return undefined;
    setTimeout(() => alice.lies.inject({ type: 'refused', id: frame.id, code: 'commit_needed', error: 'x' }), 5);
    return null;
  });
  alice.lies.answerRequest.push(({ path }) =>
    path.endsWith('/removals') ? { devices: [bob.client.me.device] } : undefined,
  );
  await alice.says(id, 'one');
  await until(
    async () => (await alice.client.outbox.waiting()).some(({ failure }) => failure?.code === 'removal_asked'),
    'asked',
  );
  honest(alice);
  await reconnects(alice);
  await alice.says(id, 'two');
  await bob.hears('two');
  await reconnects(alice);
  assert.ok(bob.heard.includes('one'));
});

for (const code of ['unlisted_device', 'stranger'])
  test(`message_that_the_server_refuses_as_${code}_is_sent_or_shown`, async () => {
    const { alice, bob, id } = await friends();
    await alice.says(id, 'zero');
    await bob.hears('zero');
    const of = await idOf(alice, id, 'zero');
    await alice.client.outbox.allSent();
    alice.lies.changeSent.push((frame) => {
      if (frame.type !== 'send') return undefined;
      setTimeout(() => alice.lies.inject({ type: 'refused', id: frame.id, code, error: 'x' }), 5);
      return null;
    });
    await alice.client.outbox.send(id, { kind: 'delete', of });
    await settled(alice);
    honest(alice);
    await reconnects(alice);
    await alice.says(id, 'two');
    await bob.hears('two');
    await settled(bob);
    assert.ok(!(await bob.kept(id)).includes('zero'));
  });

test('alarm_of_a_false_account_key_ends_when_the_server_is_honest', async () => {
  const { alice, bob, id } = await friends();
  const fake = listOfGhost(bob.user);
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'GET' && path === `users/${bob.user}/device-list` ? fake : undefined,
  );
  alice.lies.inject({ type: 'devices_changed', user: bob.user });
  await until(async () => (await known(alice, id)).changedKeys?.includes(bob.user), 'alarm');
  honest(alice);
  await reconnects(alice);
  await bob.says(id, 'hello');
  await alice.hears('hello');
  await alice.says(id, 'hi');
  await bob.hears('hi');
  await settled(alice);
  assert.equal(trustIn(await known(alice, id), bob.user), 'verified');
});

test('names_that_a_server_makes_up_are_not_kept_for_good', async () => {
  const { alice, id } = await friends();
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? answer.map((/** @type {import('../client/mls/joining.js').Shown} */ one) => ({
          ...one,
          members: [
            ...one.members,
            ...Array.from({ length: 20000 }, () => ({
              id: crypto.randomUUID(),
              username: 'x'.repeat(200),
              role: 'member',
            })),
          ],
        }))
      : undefined,
  );
  for (let n = 0; n < 5; n++) await alice.client.membership.refresh();
  honest(alice);
  await reconnects(alice);
  await alice.client.membership.refresh();
  const size = JSON.stringify(await known(alice, id)).length;
  assert.ok(size < 100_000, `${size} characters are written with each message`);
});

test('answer_that_asks_for_a_long_wait_stops_no_device', async () => {
  const { alice, bob, id } = await friends();
  await settled(alice);
  let isOnce = true;
  alice.lies.answerRequest.push(({ path }) => {
    if (!isOnce || path !== 'conversations') return undefined;
    isOnce = false;
    return new Response('{"code":"too_many","error":"wait"}', { status: 429, headers: { 'Retry-After': '1000000' } });
  });
  alice.lies.inject({ type: 'members_changed', conversation: id });
  await until(() => !isOnce, 'it has asked');
  honest(alice);
  alice.leaves();
  await until(() => !alice.client.connection.isReady, 'offline');
  void alice.returns().catch(() => {});
  await bob.says(id, 'are you there?');
  await until(() => alice.heard.includes('are you there?'), 'it goes on', 30000);
});

test('group_that_a_server_makes_up_can_be_left_and_deleted', async () => {
  const { alice } = await friends();
  const fake = crypto.randomUUID();
  const ghost = await Ghost.open(STRANGER);
  const helper = await Ghost.open('deadbeef-0000-4000-8000-0000000000cb');
  await ghost.create(fake, 2, [await helper.keyPackage()]);
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'GET conversations'
      ? [
          ...answer,
          {
            id: fake,
            epoch: 4,
            last_seq: 3,
            state: 'joined',
            members: [
              { id: alice.user, username: 'alice', role: 'member' },
              { id: STRANGER, username: 'spam', role: 'owner' },
            ],
          },
        ]
      : undefined,
  );
  alice.lies.answerRequest.push(({ method, path }) => {
    if (path === `conversations/${fake}/group-info`) return { epoch: 3, group_info: toBase64(ghost.groupInfo) };
    if (method === 'POST' && path === `conversations/${fake}/commits`) return { seq: 3, epoch: 4, at: NOW() };
    if (path === `conversations/${fake}/removals`) return { devices: [] };
  });
  await reconnects(alice);
  assert.ok((await known(alice, fake)).isActive);
  honest(alice);
  await reconnects(alice);
  await alice.client.farewell.leave(fake).then(
    () => 'left',
    (e) => e.code,
  );
  await alice.client.store.forget(fake).then(
    () => 'gone',
    (e) => e.message,
  );
  assert.equal(await alice.client.store.get(fake), undefined);
});

test('device_that_was_led_astray_comes_back_although_a_contact_without_a_list_has_a_new_device', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const withheld = (/** @type {{ path: string }} */ { path }) =>
    path === `users/${bob.user}/device-list` ? no('no_device_list', 404) : undefined; // as of another client
  alice.lies.answerRequest.push(withheld);
  const id = await conversation(bob, alice);
  await settled(alice);
  const log = new PrivateLog(alice, id);
  const [ghost, helper] = [await Ghost.open(bob.user), await Ghost.open(STRANGER)];
  await ghost.create(id, 40, [await helper.keyPackage()]);
  alice.lies.answerRequest.push(({ path }) =>
    path === `conversations/${id}/group-info` ? { epoch: 41, group_info: toBase64(ghost.groupInfo) } : undefined,
  );
  await log.show({ kind: 'commit', sender: alice.client.me.device, epoch: (await known(alice, id)).epoch });
  await settled(alice);
  const phone = await another(bob);
  await settled(phone);
  honest(alice);
  alice.lies.answerRequest.push(withheld);
  await reconnects(alice);
  await settled(alice);
  await bob.says(id, 'hello');
  await until(() => alice.heard.includes('hello'), 'alice hears', 8000);
});

test('token_of_another_session_stops_no_device', async () => {
  const { alice, bob, id } = await friends();
  const [carol] = await people('carol');
  alice.lies.changeAnswer.push(({ method, path }, answer) =>
    `${method} ${path}` === 'PUT sessions/current' ? { ...answer, token: carol.client.api.token } : undefined,
  );
  alice.leaves();
  await until(() => !alice.client.connection.isReady, 'offline');
  alice.client.me.renewedAt = 0;
  let isOver = false;
  alice.client.addEventListener('logged out', () => (isOver = true));
  /** @type {Set<string>} */
  const asked = new Set();
  alice.lies.answerRequest.push(({ method, path }) => {
    if (alice.client.api.token === carol.client.api.token) asked.add(`${method} ${path}`);
  });
  await Promise.race([alice.returns(), new Promise((resolve) => setTimeout(resolve, 5000))]).catch(() => {});
  assert.deepEqual([...asked], ['GET account'], 'it does nothing in the name of carol');
  honest(alice);
  await reconnects(alice).catch(() => {});
  await bob.says(id, 'are you there?');
  await settled(alice);
  assert.ok(isOver || alice.heard.includes('are you there?'), 'she gets messages, or is asked to log in');
});

test('own_message_and_its_place_are_stored_together', async () => {
  const { alice, id } = await friends();
  await alice.says(id, 'first');
  await alice.client.outbox.allSent();
  await settled(alice);
  const { storage } = alice.client;
  const write = storage.write.bind(storage);
  /** @type {boolean[]} */
  const whole = [];
  storage.write = async (changes) => {
    const names = changes.map(([collection]) => collection);
    if (names.includes('items')) {
      const stored = changes.find(([collection]) => collection === 'conversations')?.[2];
      const item = changes.find(([collection]) => collection === 'items')?.[2];
      const { cursor } = /** @type {import('../client/conversations/reducer.js').Conversation} */ (stored);
      whole.push(cursor === /** @type {import('../client/conversations/reducer.js').Item} */ (item).seq);
    }
    return write(changes);
  };
  await alice.says(id, 'keep me');
  await alice.client.outbox.allSent();
  await settled(alice);
  assert.deepEqual(whole, [true]);
});

test('thief_of_a_session_who_acknowledges_hides_no_message', async () => {
  const { alice, bob, id } = await friends();
  await bob.says(id, 'zero');
  await alice.hears('zero');
  await settled(alice);
  alice.leaves();
  await until(() => !alice.client.connection.isReady, 'offline');
  await bob.says(id, 'one');
  await bob.client.outbox.allSent();
  const { token } = alice.client.api;
  await fetch(`${alice.client.api.server}/v2/conversations/${id}/ack`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ seq: 100000 }),
  });
  await reconnects(alice);
  await settled(alice);
  await alice.doesNotHear('nothing', 3000);
  assert.ok(alice.heard.includes('one'), 'the server is honest');
});

test('message_refused_as_not_a_leaf_once_is_sent', async () => {
  const { alice, bob, id } = await friends();
  await alice.says(id, 'zero');
  await bob.hears('zero');
  let isOnce = true;
  alice.lies.changeSent.push((frame) => {
    if (frame.type !== 'send' || !isOnce) return undefined;
    isOnce = false;
    setTimeout(() => alice.lies.inject({ type: 'refused', id: frame.id, code: 'not_a_leaf', error: 'x' }), 5);
    return null;
  });
  await alice.says(id, 'one');
  await until(() => bob.heard.includes('one'), 'bob hears it without another message', 15000);
});

test('message_after_a_false_entry_of_leaving_is_not_lost', async () => {
  const { alice, bob, id } = await friends();
  await alice.says(id, 'zero');
  await bob.hears('zero');
  await settled(alice);
  alice.lies.inject({
    type: 'entry',
    conversation: id,
    seq: (await known(alice, id)).cursor + 1,
    epoch: 1,
    kind: 'left',
    sender: alice.client.me.device,
    at: NOW(),
  });
  await settled(alice);
  await bob.says(id, 'one'); // the server is honest again
  await bob.client.outbox.allSent();
  await settled(alice);
  await reconnects(alice);
  await bob.says(id, 'two');
  await alice.hears('two');
  assert.ok(alice.heard.includes('one'));
});
