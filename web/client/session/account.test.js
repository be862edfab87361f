// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../client.js';
import { MemoryStorage } from '../storage/memory.js';

test('account_that_is_left_leaves_nothing_in_storage_or_memory', async () => {
  const storage = new MemoryStorage();
  let hasErased = false;
  const erase = async () => void (hasErased = true);
  const client = new Client('http://server', {
    storage,
    openDatabase: () => assert.fail('there is no account'),
    erase,
  });
  const me = /** @type {any} */ ({ user: { id: 'me', username: 'me' }, device: '00', token: 'token', isLeaving: true });
  await client.storage.write([
    ['state', 'me', me],
    ['state', 'draft/a', 'a secret'],
  ]);
  assert.equal(await client.storage.get('state', 'draft/a'), 'a secret');
  assert.equal(await client.account.resume(), false);
  for (const one of [client.storage, storage]) assert.equal(await one.get('state', 'draft/a'), undefined);
  assert.ok(hasErased);
  const rest = await storage.all('state');
  assert.deepEqual(rest, [['left', [{ token: 'token', device: '00' }]]], 'what ends the session is kept');
});

test('session_that_ends_late_deletes_nothing_of_the_next_one', async () => {
  const storage = new MemoryStorage();
  const me = /** @type {any} */ ({ user: { id: 'me', username: 'me' }, device: '01', token: 'new' });
  /** @type {string[]} */
  const ended = [];
  const client = new Client('http://server', {
    storage,
    openDatabase: () => assert.fail('there is no account'),
    fetch: async (url, { method } = {}) => {
      ended.push(`${method} ${String(url).replace('http://server/v2/', '')}`);
      await client.storage.write([['state', 'me', me]]); // another user logs in here meanwhile
      return new Response(null, { status: 204 });
    },
  });
  await client.storage.write([['state', 'left', [{ token: 'old', device: '00' }]]]);
  await client.account.resume();
  await client.account.endLeft();
  assert.deepEqual(ended, ['DELETE devices/00', 'DELETE sessions/current']);
  assert.deepEqual(await client.storage.all('state'), [['me', me]]);
});
