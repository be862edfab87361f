// @ts-check
/** What a server can do with the order of messages, and with their ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, friends, ghostJoins, known, none, random, settled, texts } from './attacks.js';
import { PrivateLog } from './private-log.js';

for (const whose of ['herself', 'the contact'])
  test(`own_message_whose_id_a_ghost_of_${whose.replace(' ', '_')}_has_used_first_stays_in_the_history`, async () => {
    const { alice, bob, id } = await friends();
    await alice.says(id, 'hello');
    await bob.hears('hello');
    await alice.client.outbox.allSent();
    await settled(alice);
    const { ghost, entry } = await ghostJoins(alice, id, whose === 'herself' ? alice.user : bob.user);
    let isHolding = true;
    alice.lies.changeFrame.push((frame) =>
      isHolding && (frame.type === 'entry' || frame.type === 'sent') ? null : undefined,
    );
    const message = random();
    await alice.client.outbox.send(id, { kind: 'text', id: message, text: 'I owe you 10' });
    await bob.hears('I owe you 10'); // it is stored; alice is not told yet
    await settled(alice);
    isHolding = false;
    const log = new PrivateLog(alice, id);
    alice.lies.answerRequest.unshift(({ method, path }) =>
      method === 'POST' && path.endsWith('/commits') ? none() : undefined,
    );
    await log.show(entry);
    await settled(alice);
    const data = await ghost.say(id, { kind: 'text', id: message, text: 'I owe you 10000' });
    await log.show({ kind: 'application', epoch: entry.epoch + 1, sender: ghost.device, data });
    await settled(alice);
    await log.show({ kind: 'application', epoch: entry.epoch, sender: alice.client.me.device, id: message });
    await settled(alice);
    await log.end();
    await settled(alice);
    const items = (await alice.client.store.items(id, {})).filter(({ text }) => text === 'I owe you 10');
    assert.equal(items.length, 1, 'her message is in her own history');
    assert.equal(items[0].id, message, 'she can edit and delete it');
  });

test('message_of_a_contact_whose_id_a_ghost_has_used_first_arrives', async () => {
  const { alice, bob, id } = await friends();
  const { ghost, entry } = await ghostJoins(alice, id, bob.user);
  const held = /** @type {import('./tampering.js').Frame[]} */ ([]);
  alice.lies.changeFrame.push((frame) => {
    if (frame.type === 'entry' && frame.kind === 'application') {
      held.push(frame);
      return null;
    }
  });
  const message = random();
  await bob.client.outbox.send(id, { kind: 'text', id: message, text: 'meet at nine' });
  await bob.client.outbox.allSent();
  await settled(alice);
  const log = new PrivateLog(alice, id);
  await log.show(entry);
  await settled(alice);
  const data = await ghost.say(id, { kind: 'text', id: message, text: 'meet at midnight' });
  await log.show({ kind: 'application', epoch: entry.epoch + 1, sender: ghost.device, data });
  await settled(alice);
  for (const one of held) {
    await log.show({ kind: 'application', epoch: one.epoch, sender: one.sender, data: one.data });
    await settled(alice);
  }
  assert.ok(
    (await texts(alice, id)).some(([text]) => text === 'meet at nine'),
    'the message of bob is there',
  );
});

for (const how of ['in one epoch', 'of an earlier epoch'])
  test(`edit_that_the_server_shows_after_a_later_one_${how.replaceAll(' ', '_')}_changes_nothing`, async () => {
    const { alice, bob, id } = await friends();
    const of = random();
    await bob.client.outbox.send(id, { kind: 'text', id: of, text: 'meet at nine' });
    await bob.client.outbox.allSent();
    await settled(alice);
    const held = /** @type {import('./tampering.js').Frame[]} */ ([]);
    alice.lies.changeFrame.push((frame) => {
      if (frame.type !== 'entry') return undefined;
      held.push(frame);
      return null;
    });
    const log = new PrivateLog(alice, id);
    await bob.client.outbox.send(id, { kind: 'edit', of, text: 'meet at ten' });
    await bob.client.outbox.allSent();
    if (how !== 'in one epoch') await bob.updates(id);
    await bob.client.outbox.send(id, { kind: 'edit', of, text: 'meet at eleven' });
    await bob.client.outbox.allSent();
    await settled(alice);
    const [first, ...rest] = held;
    for (const { kind, epoch, sender, data } of [...rest, first]) {
      await log.show({ kind, epoch, sender, data });
      await settled(alice);
    }
    assert.deepEqual(await alice.kept(id), ['meet at eleven']);
  });

test('reaction_taken_back_does_not_come_back', async () => {
  const { alice, bob, id } = await friends();
  await alice.says(id, 'will you marry me?');
  await bob.hears('will you marry me?');
  await settled(alice);
  const of = await idOf(alice, id, 'will you marry me?');
  const held = /** @type {import('./tampering.js').Frame[]} */ ([]);
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? (held.push(frame), null) : undefined));
  const log = new PrivateLog(alice, id);
  await bob.client.outbox.send(id, { kind: 'reaction', of, emoji: '👍' });
  await bob.client.outbox.send(id, { kind: 'reaction', of, emoji: '' });
  await bob.client.outbox.allSent();
  await settled(alice);
  for (const { kind, epoch, sender, data } of held.reverse()) {
    await log.show({ kind, epoch, sender, data });
    await settled(alice);
  }
  const item = await alice.client.store.itemOf(id, of);
  assert.equal(item?.reactions?.[bob.user].emoji, '');
});

test('text_that_its_author_has_deleted_does_not_come_after_its_deletion', async () => {
  const { alice, bob, id } = await friends();
  const held = /** @type {import('./tampering.js').Frame[]} */ ([]);
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? (held.push(frame), null) : undefined));
  const log = new PrivateLog(alice, id);
  const of = random();
  await bob.client.outbox.send(id, { kind: 'text', id: of, text: 'a mistake' });
  await bob.client.outbox.allSent();
  await bob.client.outbox.send(id, { kind: 'delete', of });
  await bob.client.outbox.allSent();
  await settled(alice);
  const apps = held.filter(({ kind }) => kind === 'application');
  for (const { kind, epoch, sender, data } of apps.reverse()) {
    await log.show({ kind, epoch, sender, data });
    await settled(alice);
  }
  assert.ok(!(await alice.kept(id)).includes('a mistake'));
});

test('name_of_a_group_that_was_changed_does_not_come_back', async () => {
  const { alice, bob, id } = await friends();
  const held = /** @type {import('./tampering.js').Frame[]} */ ([]);
  alice.lies.changeFrame.push((frame) => (frame.type === 'entry' ? (held.push(frame), null) : undefined));
  const log = new PrivateLog(alice, id);
  await bob.client.outbox.send(id, { kind: 'group', name: 'Old' });
  await bob.client.outbox.send(id, { kind: 'group', name: 'New' });
  await bob.client.outbox.allSent();
  await settled(alice);
  for (const { kind, epoch, sender, data } of held.filter(({ kind }) => kind === 'application').reverse()) {
    await log.show({ kind, epoch, sender, data });
    await settled(alice);
  }
  assert.equal((await known(alice, id)).name, 'New');
});
