// @ts-check
/** Rejected messages, and two tabs that retry and discard the same one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  client.mls = /** @type {any} */ ({ encrypt: async () => ({ epoch: 1, data: new Uint8Array(1) }) });
  await storage.write([
    ['conversations', GROUP, { ...emptyConversation(GROUP), isActive: true, state: 'joined' }],
    ['outbox', content.id, { id: content.id, order: 1, at: '', conversation: GROUP, isDirect: false, content }],
  ]);
  await client.outbox.onRefused({ id: content.id, code: 'forbidden', error: 'no' });
  await client.settled();
  assert.deepEqual(sent, [], 'it is not sent again without its author');
  return { client, sent };
}

test('rejected_text_waits_until_its_author_retries', async () => {
  const { client, sent } = await refused();
  assert.equal((await client.outbox.waiting())[0].failure?.code, 'forbidden');
  await client.outbox.retry(content.id);
  assert.deepEqual(sent, [content.id]);
  assert.equal((await client.outbox.waiting())[0].failure, undefined);
});

test('discard_after_retry_leaves_the_message_in_flight', async () => {
  const { client, sent } = await refused();
  await Promise.all([client.outbox.retry(content.id), client.outbox.discard(content.id)]);
  assert.deepEqual(sent, [content.id]);
  assert.equal((await client.outbox.waiting()).length, 1);
});

test('retry_after_discard_sends_nothing', async () => {
  const { client, sent } = await refused();
  await Promise.all([client.outbox.discard(content.id), client.outbox.retry(content.id)]);
  assert.deepEqual(sent, []);
  assert.deepEqual(await client.outbox.waiting(), []);
});

test('text_is_held_after_verified_keys_changed', async () => {
  const { client, sent } = await refused();
  await client.outbox.retry(content.id);
  await client.outbox.hold(GROUP);
  assert.equal((await client.outbox.waiting())[0].failure?.code, 'keys_changed');
  await client.outbox.onRefused({ id: content.id, code: 'busy', error: 'it had been in flight' });
  assert.deepEqual(sent, [content.id], 'not once more');
  await client.outbox.retry(content.id);
  assert.deepEqual(sent, [content.id, content.id], 'but after its author retries');
});

test('content_with_control_characters_is_not_sent', async () => {
  const { client } = await refused();
  await assert.rejects(client.outbox.send(GROUP, { kind: 'group', name: 'a\u202eb' }), /cannot be sent/);
  await client.outbox.send(GROUP, { kind: 'group', name: 'Family 👨‍👩‍👧' });
});
