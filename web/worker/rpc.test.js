// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rpcThrough } from '../app/link.js';
import { startInNode } from '../client/node/platform.js';
import { MemoryStorage } from '../client/storage/memory.js';
import { createRpc, runCall } from './rpc.js';

await startInNode();
const { Client } = await import('../client/client.js');

/** A page's proxy on the table of a client that never connects; arguments are copied as a channel copies them. */
function connected() {
  const storage = new MemoryStorage();
  const client = new Client('http://127.0.0.1:9', { storage, openDatabase: async () => assert.fail('no keys needed') });
  /** @type {[string, object][]} */
  const events = [];
  const page = {
    emit: (/** @type {string} */ event, /** @type {object} */ detail) => events.push([event, detail]),
    emitSnapshot: async () => {},
  };
  const { rpc: table } = createRpc(client, page);
  const rpc = rpcThrough(({ group, method, args }) => runCall(table, group, method, structuredClone(args)));
  return { rpc, table, client, storage, events };
}

test('rpc_call_with_named_arguments_reaches_the_client', async () => {
  const { rpc, storage, events } = connected();
  await rpc.conversations.saveDraft({ conversation: 'c', text: 'hello' });
  assert.equal(await storage.get('state', 'draft/c'), 'hello');
  await rpc.conversations.saveDraft({ conversation: 'c', text: '' });
  assert.equal(await storage.get('state', 'draft/c'), undefined);
  await rpc.settings.change({ changes: { theme: 'dark' } });
  const settings = { theme: 'dark', language: 'system', receipts: true, typing: true, notices: false };
  assert.deepEqual(events, [['settings', settings]]);
  assert.equal((await rpc.page.snapshot()).settings.theme, 'dark');
});

test('rpc_synchronous_call_returns_a_promise', async () => {
  const { rpc } = connected();
  await rpc.connection.check();
});

test('rpc_failing_call_rejects_with_its_error', async () => {
  const { rpc } = connected();
  await assert.rejects(rpc.conversations.renewKey({ conversation: 'c' }), /no conversation c/);
});

test('rpc_call_outside_of_the_table_is_rejected', async () => {
  const { table } = connected();
  for (const [group, method] of [
    ['nothing', 'list'],
    ['messages', 'nothing'],
    ['messages', 'toString'],
    ['__proto__', 'toString'],
    ['constructor', 'create'],
  ]) {
    await assert.rejects(runCall(table, group, method, {}), {
      name: 'TypeError',
      message: `there is no call ${group}.${method}`,
    });
  }
});
