// @ts-check
import 'fake-indexeddb/auto';
import assert from 'node:assert/strict';
import { appendFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileStorage } from './node/files.js';
import { IndexedDbStorage } from './storage-idb.js';
import { MemoryStorage } from './storage.js';

const folder = () => mkdtemp(join(tmpdir(), 'sottovoce-storage-'));
let databases = 0;

/** @type {[string, () => Promise<import('./storage.js').Storage>][]} */
const kinds = [
  ['memory', async () => new MemoryStorage()],
  ['a file', async () => FileStorage.open(await folder())],
  ['IndexedDB', () => IndexedDbStorage.open(`test ${databases++}`)],
];

for (const [name, open] of kinds) {
  test(`${name} keeps values by collection and key, in the order of the keys`, async () => {
    const storage = await open();
    assert.equal(await storage.get('state', 'me'), undefined);
    await storage.put('messages', 'b/2', { text: 'é🙂' });
    await storage.put('messages', 'b/1', { text: 'one' });
    await storage.put('messages', 'a/9', { text: 'another conversation' });
    await storage.put('outbox', 'b/1', { text: 'another collection' });
    assert.deepEqual(await storage.get('messages', 'b/2'), { text: 'é🙂' });
    assert.deepEqual(await storage.all('messages', 'b/'), [
      ['b/1', { text: 'one' }],
      ['b/2', { text: 'é🙂' }],
    ]);
    assert.equal((await storage.all('messages')).length, 3);
    await storage.put('messages', 'b/1', { text: 'two' });
    await storage.delete('messages', 'b/2');
    assert.deepEqual(await storage.all('messages', 'b/'), [['b/1', { text: 'two' }]]);
    await storage.wipe();
  });

  test(`what is got from ${name} is one's own`, async () => {
    const storage = await open();
    const given = { list: [1] };
    await storage.put('state', 'x', given);
    given.list.push(2);
    (await storage.get('state', 'x')).list.push(3);
    assert.deepEqual(await storage.get('state', 'x'), { list: [1] });
  });
}

test('a file is read again, but for a line that a crash has torn', async () => {
  const place = await folder();
  const first = await FileStorage.open(place);
  await first.put('state', 'me', { name: 'kim' });
  await first.put('state', 'gone', 1);
  await first.delete('state', 'gone');
  await appendFile(join(place, 'journal.jsonl'), '["state","torn",{"na');
  const second = await FileStorage.open(place);
  assert.deepEqual(await second.all('state'), [['me', { name: 'kim' }]]);
  await second.put('state', 'after', true);
  const third = await FileStorage.open(place);
  assert.deepEqual((await third.all('state')).length, 2);
});
