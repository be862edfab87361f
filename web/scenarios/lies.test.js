// @ts-check
/** False entries, frames and names of a server that lies, and anything that a member sends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOfOther } from '../app/state/selectors.js';
import { toBase64 } from '../client/util/bytes.js';
import { entryAfter, GARBAGE, honest, known, NOW, reconnects, settled } from './attacks.js';
import { conversation, deceived, people, refused, until } from './users.js';

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

test('name_of_a_verified_person_given_to_another_is_noticed', async () => {
  const [alice] = await deceived('alice');
  const [bob, mallory] = await people('bob', 'mallory');
  const [id, other] = [await conversation(alice, bob), await conversation(alice, mallory)];
  const compared = await alice.client.trust.safetyNumber(id, bob.user);
  await alice.client.identities.verify(bob.user, compared, bob.username);
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
  assert.match(nameOfOther(await known(alice, other), mallory.user), /not the bob_\w+ you verified/);
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

test('known_person_without_key_packages_is_offered_no_unencrypted_conversation', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  await conversation(alice, bob);
  alice.lies.answerRequest.push(({ path }) => (path === `users/${bob.user}/key-packages/claim` ? [] : undefined));
  await refused(alice.client.membership.start([bob.username]), 'has_no_device_now');
});

test('statement_of_any_form_stops_nothing', async () => {
  const [owner, mallory] = await people('owner', 'mallory');
  const id = await conversation(owner, mallory);
  for (const [n, short] of ['A', 'AAAA', 'A===', '='].entries()) {
    const list = { kind: 'device_list', account_key: short, device_list: short, signature: short };
    const content = JSON.stringify({ ...list, id: String(n).repeat(32) });
    const { epoch, data } = await mallory.client.mls.encrypt(id, new TextEncoder().encode(content));
    const body = { id: String(n).repeat(32), epoch, data: toBase64(data) };
    await mallory.client.api.call('POST', `conversations/${id}/messages`, body);
  }
  await mallory.says(id, 'still here');
  await owner.hears('still here');
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

for (const kind of ['commit', 'of a later version'])
  test(`message_that_the_server_calls_${kind.replaceAll(' ', '_')}_is_not_lost_silently`, async () => {
    const [alice] = await deceived('alice');
    const [bob] = await people('bob');
    const id = await conversation(alice, bob);
    alice.lies.changeFrame.push((frame) =>
      frame.type === 'entry' && frame.kind === 'application' ? { ...frame, kind } : undefined,
    );
    await bob.says(id, 'it is a trap');
    await settled(alice);
    alice.lies.changeFrame.length = 0;
    await bob.says(id, 'come');
    await alice.hears('come');
    const shown = (await alice.client.store.items(id, {})).map(({ text, notice }) => text ?? notice?.what);
    assert.deepEqual(shown.slice(-2), [kind === 'commit' ? 'it is a trap' : 'unreadable', 'come']);
  });

test('deletion_after_a_lie_about_places_deletes_no_other_message', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  await alice.says(id, 'hello');
  await bob.hears('hello');
  bob.leaves();
  /** @type {import('./tampering.js').Frame[]} */
  const held = [];
  alice.lies.changeFrame.push((frame) => {
    if (frame.type === 'sent') return null;
    if (frame.type !== 'entry' || frame.kind !== 'application') return undefined;
    held.push(frame);
    if (held.length < 2) return null;
    const [one, two] = held;
    return [
      { ...two, seq: one.seq },
      { ...one, seq: two.seq },
    ];
  });
  await alice.says(id, 'a mistake');
  await alice.says(id, 'an important text');
  await until(async () => (await alice.client.outbox.waiting()).length === 0, 'both are confirmed');
  honest(alice);
  await reconnects(alice);
  const [item] = (await alice.client.store.items(id, { limit: Infinity })).filter(({ text }) => text === 'a mistake');
  await alice.client.deleteForEveryone(id, item.seq);
  await alice.client.outbox.allSent();
  await bob.returns();
  await bob.hears('an important text');
  await until(async () => !(await bob.kept(id)).includes('a mistake'), 'the right one is deleted');
});
