// @ts-check
import 'fake-indexeddb/auto';
import assert from 'node:assert/strict';
import { appendFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileStorage } from '../node/files.js';
import { IndexedDbStorage } from './indexeddb.js';
import { CachedStorage } from './cached.js';
import { EncryptedStorage } from './encrypted.js';
import { MemoryStorage } from './memory.js';
import { COLLECTIONS } from './storage.js';

const folder = () => mkdtemp(join(tmpdir(), 'sottovoce-storage-'));
let databases = 0;

/** @type {[string, () => Promise<import('./storage.js').Storage>][]} */
const kinds = [
  ['memory_storage', async () => new MemoryStorage()],
  ['file_storage', async () => FileStorage.open(await folder())],
  ['indexeddb_storage', async () => new IndexedDbStorage(`test ${databases++}`)],
  ['encrypted_storage', async () => new EncryptedStorage(new MemoryStorage(), EncryptedStorage.makeKey)],
  ['cached_storage', async () => new CachedStorage(new MemoryStorage())],
];

for (const [name, open] of kinds) {
  test(`${name}_keeps_values_by_collection_in_key_order`, async () => {
    const storage = await open();
    assert.equal(await storage.get('state', 'me'), undefined);
    await storage.write([['items', 'b/2', { text: 'é🙂' }]]);
    await storage.write([
      ['items', 'b/1', { text: 'one' }],
      ['items', 'a/9', { text: 'another conversation' }],
      ['outbox', 'b/1', { text: 'another collection' }],
    ]);
    assert.deepEqual(await storage.get('items', 'b/2'), { text: 'é🙂' });
    assert.deepEqual(await storage.all('items', 'b/'), [
      ['b/1', { text: 'one' }],
      ['b/2', { text: 'é🙂' }],
    ]);
    assert.equal((await storage.all('items')).length, 3);
    await storage.write([
      ['items', 'b/1', { text: 'two' }],
      ['items', 'b/2'],
    ]);
    assert.deepEqual(await storage.all('items', 'b/'), [['b/1', { text: 'two' }]]);
    await storage.wipe();
  });

  test(`${name}_returns_first_and_last_of_a_range`, async () => {
    const storage = await open();
    const keys = ['a/1', 'b/1', 'b/2', 'b/3', 'b/4', 'c/1'];
    await storage.write(keys.map((key) => ['items', key, key]));
    const pairs = ['b/2', 'b/3'].map((key) => [key, key]);
    assert.deepEqual(await storage.last('items', 'b/', 'b/4', 2), pairs);
    assert.deepEqual(await storage.first('items', 'b/2', 'b/:', 2), pairs);
    for (const [from, to] of [
      ['d/', 'd/:'],
      ['b/2', 'b/2'],
      ['b/3', 'b/1'],
    ]) {
      assert.deepEqual([await storage.last('items', from, to, 2), await storage.first('items', from, to, 2)], [[], []]);
    }
  });

  test(`${name}_returns_copies`, async () => {
    const storage = await open();
    const given = { list: [1] };
    await storage.write([['conversations', 'x', /** @type {any} */ (given)]]);
    given.list.push(2);
    /** @type {typeof given} */ (/** @type {unknown} */ (await storage.get('conversations', 'x'))).list.push(3);
    assert.deepEqual(await storage.get('conversations', 'x'), { list: [1] });
  });
}

test('file_storage_ignores_a_line_cut_off_by_a_crash', async () => {
  const place = await folder();
  const first = await FileStorage.open(place);
  await first.write([['state', 'me', { name: 'kim' }]]);
  await first.write([['state', 'gone', 1]]);
  await first.write([['state', 'gone']]);
  await appendFile(join(place, 'journal.jsonl'), '["state","torn",{"na');
  const second = await FileStorage.open(place);
  assert.deepEqual(await second.all('state'), [['me', { name: 'kim' }]]);
  await second.write([['state', 'after', true]]);
  const third = await FileStorage.open(place);
  assert.deepEqual((await third.all('state')).length, 2);
});

test('encrypted_value_opens_only_in_its_collection_with_its_key', async () => {
  const inner = new MemoryStorage();
  const storage = new EncryptedStorage(inner, EncryptedStorage.makeKey);
  await storage.write([['items', 'a/1', { text: 'a secret' }]]);
  const [[name, stored]] = await inner.all('items');
  const lies = /** @type {{ data: ArrayBuffer }} */ (/** @type {unknown} */ (stored));
  assert.ok(!Buffer.from(lies.data).includes('secret'));
  const other = `${name.split('/')[0]}/2`;
  await inner.write([
    ['outbox', name, lies],
    ['items', other, lies],
  ]);
  await assert.rejects(storage.get('outbox', 'a/1'));
  await assert.rejects(storage.get('items', 'a/2'));
  await assert.rejects(storage.all('items'));
  await assert.rejects(storage.first('items', 'a/', 'a/:', 5));
  await assert.rejects(storage.last('items', 'a/', 'a/:', 5));
  await assert.rejects(new EncryptedStorage(inner, EncryptedStorage.makeKey).get('items', 'a/1'));
});

test('encrypted_keys_hide_names_and_keep_numbers', async () => {
  const inner = new MemoryStorage();
  const key = await EncryptedStorage.makeKey();
  const storage = new EncryptedStorage(inner, async () => key);
  await storage.write([
    ['state', 'draft/3f94f62e', 'hello'],
    ['items', '3f94f62e/000000000012', 1],
    ['items', '3f94f62e/000000000002', 2],
  ]);
  const names = (await Promise.all(COLLECTIONS.map((one) => inner.all(one)))).flat().map(([name]) => name);
  assert.ok(!names.some((name) => /draft|3f94f62e/.test(name)), names.join());
  assert.ok(names.some((name) => name.endsWith('/000000000012')));
  const again = new EncryptedStorage(inner, async () => key);
  assert.deepEqual(await again.all('state', 'draft/'), [['draft/3f94f62e', 'hello']]);
  assert.deepEqual((await again.all('items', '3f94f62e/')).map(([, value]) => value), [2, 1]); // prettier-ignore
  const elsewhere = new MemoryStorage();
  await new EncryptedStorage(elsewhere, async () => key).write([['state', 'draft/3f94f62e', 'hello']]);
  assert.equal((await elsewhere.all('state')).filter(([name]) => names.includes(name)).length, 1, 'only `names`');
});

/** What earlier releases stored. */
async function earlier() {
  const inner = new MemoryStorage();
  const key = await EncryptedStorage.makeKey();
  /** @param {string} bound the associated data @param {object} more @param {unknown} value */
  const old = async (bound, more, value) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const parameters = { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(bound) };
    const plain = new TextEncoder().encode(JSON.stringify(value));
    return { ...more, iv, data: await crypto.subtle.encrypt(parameters, key, plain) };
  };
  return { inner, key, old, storage: new EncryptedStorage(inner, async () => key) };
}

test('encrypted_storage_upgrades_values_of_the_first_format_once', async () => {
  const { inner, old, storage } = await earlier();
  const many = await Promise.all(
    Array.from(
      { length: 450 },
      async (_, at) => /** @type {const} */ (['items', `a/${at}`, await old('items', {}, at)]),
    ),
  );
  await inner.write([['state', 'me', await old('state', {}, { name: 'kim' })], ...many.map((one) => /** @type {import('./storage.js').Change} */ ([...one]))]); // prettier-ignore
  await storage.upgrade();
  assert.deepEqual(await storage.get('state', 'me'), { name: 'kim' });
  assert.equal((await storage.all('items', 'a/')).length, 450);
  assert.equal((await inner.all('items')).length, 450, 'none is left under its name');
  await inner.write([['items', 'a/1', await old('items', {}, 'another')]]);
  await storage.upgrade();
  assert.equal(await storage.get('items', 'a/1'), 1, 'a value of the first format is refused after the upgrade');
});

test('encrypted_storage_upgrades_values_of_the_second_format', async () => {
  const { inner, old, storage } = await earlier();
  const second = (/** @type {string} */ path, /** @type {unknown} */ value) => old(`2/${path}`, { format: 2 }, value);
  await inner.write([
    ['state', 'format', await second('state/format', 2)],
    ['state', 'me', await second('state/me', 'kim')],
    ['state', 'draft/a', await second('state/draft/b', 'of another conversation')],
    ['state', 'draft/b', await old('state', {}, 'of the first format')],
    ['items', 'a/1', { format: 2, iv: new Uint8Array(12), data: new ArrayBuffer(20) }],
  ]);
  await storage.upgrade();
  assert.equal(await storage.get('state', 'me'), 'kim');
  assert.deepEqual(await storage.all('state', 'draft/'), [], 'values under another key, or of the first format');
  assert.deepEqual(await storage.all('items'), [], 'a value that does not open stops nothing');
});

test('upgrade_that_was_interrupted_accepts_no_earlier_format', async () => {
  const { inner, old, storage } = await earlier();
  await inner.write([
    ['state', 'format', await old('2/state/format', { format: 2 }, 2)],
    ['state', 'me', await old('2/state/me', { format: 2 }, 'kim')],
  ]);
  const { write } = inner;
  let writes = 0;
  inner.write = async (changes) => {
    if (++writes === 3) throw new Error('a crash'); // after the secret and the first collection
    return write.call(inner, changes);
  };
  await assert.rejects(storage.upgrade(), /a crash/);
  inner.write = write;
  await inner.write([['state', 'draft/a', await old('state', {}, 'of the first format')]]);
  await storage.upgrade();
  assert.equal(await storage.get('state', 'me'), 'kim');
  assert.deepEqual(await storage.all('state', 'draft/'), []);
});

test('cached_storage_reads_a_value_once_until_it_is_written', async () => {
  const inner = new MemoryStorage();
  let reads = 0;
  const read = inner.get.bind(inner);
  inner.get = async (...given) => {
    reads += 1;
    return read(...given);
  };
  const storage = new CachedStorage(inner);
  for (let nth = 0; nth < 3; nth++) assert.equal(await storage.get('state', 'draft/a'), undefined);
  assert.equal(reads, 1);
  await storage.write([['state', 'draft/a', 'hello']]);
  for (let nth = 0; nth < 3; nth++) assert.equal(await storage.get('state', 'draft/a'), 'hello');
  assert.equal(reads, 2);
  await storage.wipe();
  assert.equal(await storage.get('state', 'draft/a'), undefined);
  await storage.write([['items', 'a/1', 'one']]);
  for (let nth = 0; nth < 2; nth++) assert.equal(await storage.get('items', 'a/1'), 'one');
  assert.equal(reads, 5);
});

test('cached_storage_keeps_nothing_that_was_read_during_a_write', async () => {
  const inner = new MemoryStorage();
  const storage = new CachedStorage(inner);
  await storage.write([['state', 'draft/a', 'old']]);
  const [read, write] = [inner.get.bind(inner), inner.write.bind(inner)];
  inner.get = async (...given) => {
    const value = await read(...given);
    await new Promise((resolve) => setTimeout(resolve, 20)); // longer than the write
    return value;
  };
  const early = storage.get('state', 'draft/a');
  await storage.write([['state', 'draft/a', 'new']]);
  await early;
  assert.equal(await storage.get('state', 'draft/a'), 'new');
  inner.get = read;
  inner.write = async (changes) => {
    await storage.get('state', 'draft/a'); // ends before the write does
    await write(changes);
  };
  await storage.write([['state', 'draft/a', 'newest']]);
  assert.equal(await storage.get('state', 'draft/a'), 'newest');
});

test('cached_storage_gives_values_that_nobody_can_change', async () => {
  const storage = new CachedStorage(new MemoryStorage());
  await storage.write([['state', 'verified/a', ['one']]]);
  const value = /** @type {string[]} */ (await storage.get('state', 'verified/a'));
  assert.throws(() => value.push('two'), TypeError);
});

test('key_that_could_not_be_opened_is_asked_for_again', async () => {
  let tries = 0;
  const storage = new EncryptedStorage(new MemoryStorage(), async () => {
    if (++tries === 1) throw new Error('the database is locked');
    return EncryptedStorage.makeKey();
  });
  await assert.rejects(storage.write([['state', 'a', 1]]), /locked/);
  await storage.write([['state', 'a', 1]]);
  assert.equal(await storage.get('state', 'a'), 1);
});
