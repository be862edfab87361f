// @ts-check
/** Rejected messages, and two tabs that retry and discard the same one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInNode } from '../node/platform.js';
import { MemoryStorage } from '../storage/memory.js';
import { emptyConversation } from './changes.js';

await startInNode();
const { Client } = await import('../client.js');

const GROUP = '0f8fad5b-d9cb-469f-a165-70867728950e';
const content = { kind: /** @type {const} */ ('text'), id: '0'.repeat(32), text: 'hello' };

/** One message that was rejected; `sent` are the ids that go to the server. */
async function refused() {
  const storage = new MemoryStorage();
  const client = new Client('http://127.0.0.1:9', {
    storage,
    openDatabase: async () => assert.fail('it needs no keys'),
  });
  const sent = /** @type {string[]} */ ([]);
  client.connection = /** @type {any} */ ({ isReady: true, send: (/** @type {any} */ frame) => sent.push(frame.id) });
  client.me = /** @type {any} */ ({ user: { id: 'me', username: 'me' }, device: '00' });
  client.mls = /** @type {any} */ ({ encrypt: async () => ({ epoch: 1, data: new Uint8Array(1) }) });
  client.enrolment.knowsOwnList = async () => true;
  await storage.write([
    ['conversations', GROUP, { ...emptyConversation(GROUP), isActive: true, state: 'joined' }],
    ['state', `leaf/${GROUP}`, { at: Date.now(), sent: 0 }],
    ['outbox', content.id, { id: content.id, order: 1, at: '', conversation: GROUP, isDirect: false, content }],
  ]);
  await client.groupSender.onRefused({ id: content.id, code: 'forbidden', error: 'no' });
  await client.settled();
  assert.deepEqual(sent, [], 'it is not sent again without its author');
  return { client, sent };
}

test('rejected_text_waits_until_its_author_retries', async () => {
  const { client, sent } = await refused();
  assert.equal((await client.outbox.waiting())[0].failure?.code, 'forbidden');
  await client.outbox.retry(content.id, []);
  assert.deepEqual(sent, [content.id]);
  assert.equal((await client.outbox.waiting())[0].failure, undefined);
});

test('discard_after_retry_leaves_the_message_in_flight', async () => {
  const { client, sent } = await refused();
  await Promise.all([client.outbox.retry(content.id, []), client.outbox.discard(content.id)]);
  assert.deepEqual(sent, [content.id]);
  assert.equal((await client.outbox.waiting()).length, 1);
});

test('retry_after_discard_sends_nothing', async () => {
  const { client, sent } = await refused();
  await Promise.all([client.outbox.discard(content.id), client.outbox.retry(content.id, [])]);
  assert.deepEqual(sent, []);
  assert.deepEqual(await client.outbox.waiting(), []);
});

/** @param {import('../content/index.js').Draft} draft @param {string} code with which the server refuses it */
async function afterRefusal(draft, code) {
  const { client } = await refused();
  client.mls.encrypt = async () => ({ epoch: 1, data: new Uint8Array(1) });
  client.removals.removeDue = async () => 'asked';
  await client.storage.write([['state', `stated/${GROUP}`, STATED]]);
  await client.outbox.discard(content.id);
  const id = await client.outbox.send(GROUP, draft);
  await client.settled();
  await client.groupSender.onRefused({ id, code, error: 'no' });
  const stated = await client.storage.get('state', `stated/${GROUP}`);
  return { client, id, stated, failures: (await client.outbox.waiting()).map(({ failure }) => failure?.code) };
}

const STATED = { signature: 's', joined: 0, readers: [] };
const LIST = {
  kind: /** @type {const} */ ('device_list'),
  account_key: 'aaaa',
  device_list: 'aaaa',
  signature: 'aaaa',
};
const DELETE = { kind: /** @type {const} */ ('delete'), of: content.id };

for (const draft of [LIST, DELETE, { kind: /** @type {const} */ ('leave'), who: /** @type {const} */ ('user') }])
  test(`${draft.kind}_waits_for_a_removal_like_a_message`, async () => {
    const { client, id, failures, stated } = await afterRefusal(draft, 'commit_needed');
    assert.deepEqual([failures, stated], [['removal_asked'], STATED]);
    const sent = /** @type {string[]} */ ([]);
    client.connection.send = (frame) => sent.push(/** @type {{ id: string }} */ (frame).id);
    await client.emitAndWait('agreed', {});
    assert.deepEqual(sent, [id]);
  });

test('refused_statement_is_made_again_before_the_next_message', async () => {
  const { failures, stated } = await afterRefusal(LIST, 'forbidden');
  assert.deepEqual([failures, stated], [[], undefined]);
});

test('refused_deletion_does_not_wait', async () => {
  const { failures, stated } = await afterRefusal(DELETE, 'forbidden');
  assert.deepEqual([failures, stated], [[], STATED]);
});

for (const code of ['stale_epoch', 'commit_needed'])
  test(`message_is_sent_again_after_${code}_also_where_the_remedy_fails`, async () => {
    const { client, sent } = await refused();
    client.sync.catchUp = client.removals.removeDue = async () => {
      throw new Error('the server lies');
    };
    await client.outbox.retry(content.id, []);
    client.connection.send = (frame) => {
      sent.push(/** @type {never} */ (frame));
      void client.later(() => client.groupSender.onRefused({ id: content.id, code, error: 'no' }));
    };
    await client.groupSender.onRefused({ id: content.id, code, error: 'no' });
    await sleep(1500);
    assert.ok(sent.length >= 2 && sent.length <= 5, `${sent.length} times, at growing intervals`);
  });

test('burst_that_a_busy_server_refuses_is_sent_again_soon', async () => {
  const { client, sent } = await refused();
  await client.outbox.discard(content.id);
  const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => client.outbox.sendText(GROUP, `text ${n}`)));
  await client.settled();
  assert.equal(sent.length, ids.length);
  for (const id of ids) await client.groupSender.onRefused({ id, code: 'busy', error: 'busy' });
  await sleep(1000);
  assert.equal(sent.length, 2 * ids.length);
});

test('text_is_held_from_readers_that_its_author_did_not_see', async () => {
  const { client, sent } = await refused();
  const leaf = (/** @type {string} */ thumbprint) => ({ user: 'u', device: thumbprint, thumbprint });
  const join = (/** @type {string[]} */ ...leaves) =>
    client.storage.write([['conversations', GROUP, { ...emptyConversation(GROUP), isActive: true, members: leaves.map(leaf) }]]); // prettier-ignore
  const asked = /** @type {unknown[]} */ ([]);
  client.mls.encrypt = async (_, __, check) => {
    asked.push(check !== undefined);
    check?.([leaf('1'), leaf('2')]);
    return { epoch: 1, data: new Uint8Array(1) };
  };
  await join('1');
  for (const draft of [
    { kind: /** @type {const} */ ('text'), text: 'for one' },
    { kind: /** @type {const} */ ('reaction'), of: content.id, emoji: '👍' },
    { kind: /** @type {const} */ ('edit'), of: content.id, text: 'for one' },
    { kind: /** @type {const} */ ('group'), name: 'For one' },
    { kind: /** @type {const} */ ('receipt'), of: [content.id], state: /** @type {const} */ ('read') },
    { kind: /** @type {const} */ ('delete'), of: content.id },
  ])
    await client.outbox.send(GROUP, draft);
  await client.settled();
  assert.deepEqual(asked, [true, true, true, true, false, false]);
  assert.equal(sent.length, 2, 'the receipt and the deletion');
  const held = (await client.outbox.waiting()).filter(({ failure }) => failure?.code === 'new_readers');
  assert.deepEqual(held.map((one) => one.content.kind), ['text'], 'the others are dropped, with a reason'); // prettier-ignore
  await join('1', '2');
  await client.outbox.retry(held[0].id, [leaf('1')]);
  assert.equal(sent.length, 2, 'its author was not shown the second one when they agreed');
  await client.outbox.retry(held[0].id, [leaf('1'), leaf('2')]);
  assert.equal(sent.length, 3, 'its author agrees');
});

test('content_with_control_characters_is_not_sent', async () => {
  const { client } = await refused();
  await assert.rejects(client.outbox.send(GROUP, { kind: 'group', name: 'a\u202eb' }), /cannot be sent/);
  await client.outbox.send(GROUP, { kind: 'group', name: 'Family 👨‍👩‍👧' });
});
