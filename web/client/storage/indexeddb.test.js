// @ts-check
import 'fake-indexeddb/auto';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IndexedDbStorage, StorageBlocked, StorageOutdated, UPGRADES } from './indexeddb.js';

let databases = 0;
const newName = () => `upgrade ${databases++}`;

/** A second version, which adds a collection. @type {import('./indexeddb.js').Upgrade[]} */
const NEXT = [...UPGRADES, (database) => void database.createObjectStore('blobs')];
const blobs = /** @type {import('./storage.js').Collection} */ (/** @type {unknown} */ ('blobs'));

/**
 * A connection of the first release, which ignores `versionchange`.
 * @param {string} name @returns {Promise<IDBDatabase>}
 */
function openFirstRelease(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    for (const collection of ['state', 'conversations', 'items', 'ids', 'outbox'])
      request.result.createObjectStore(collection);
  };
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

test('upgrade_of_first_release_keeps_its_data', async () => {
  const name = newName();
  const database = await openFirstRelease(name);
  const transaction = database.transaction('items', 'readwrite');
  transaction.objectStore('items').put({ text: 'kept' }, 'c/1');
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  database.close();
  assert.deepEqual(await new IndexedDbStorage(name).get('items', 'c/1'), { text: 'kept' }, 'a later step keeps it');
  const next = new IndexedDbStorage(name, { upgrades: NEXT });
  await next.write([[blobs, 'b', 1]]);
  assert.deepEqual([await next.get('items', 'c/1'), await next.get(blobs, 'b')], [{ text: 'kept' }, 1]);
});

test('upgrade_of_new_database_runs_every_step', async () => {
  const storage = new IndexedDbStorage(newName(), { upgrades: NEXT });
  await storage.write([
    ['state', 'a', 1],
    [blobs, 'b', 2],
  ]);
  assert.deepEqual([await storage.get('state', 'a'), await storage.get(blobs, 'b')], [1, 2]);
});

test('upgrade_runs_only_the_steps_that_are_missing', async () => {
  const name = newName();
  await new IndexedDbStorage(name, { upgrades: NEXT }).write([[blobs, 'b', 1]]);
  const third = [
    ...NEXT,
    (/** @type {import('./indexeddb.js').Database} */ database) => void database.createObjectStore('third'),
  ];
  assert.equal(await new IndexedDbStorage(name, { upgrades: third }).get(blobs, 'b'), 1);
});

test('old_tab_beside_a_new_one_closes_and_asks_to_reload', async () => {
  const name = newName();
  let outdated = 0;
  const old = new IndexedDbStorage(name, { onOutdated: () => outdated++ });
  await old.write([['items', 'c/1', 'from the old tab']]);
  const next = new IndexedDbStorage(name, { upgrades: NEXT });
  assert.equal(await next.get('items', 'c/1'), 'from the old tab', 'the old connection does not block the upgrade');
  assert.equal(outdated, 1);
  for (const operation of [() => old.get('items', 'c/1'), () => old.write([['items', 'c/1', 'lost']])]) {
    await assert.rejects(
      operation,
      (error) => error instanceof StorageOutdated && /Reload this page/.test(error.message),
    );
  }
  assert.equal(await next.get('items', 'c/1'), 'from the old tab');
});

test('old_tab_that_never_closes_makes_the_new_one_give_up', async () => {
  const name = newName();
  const old = await openFirstRelease(name);
  const next = new IndexedDbStorage(name, { upgrades: NEXT, blockedMs: 20 });
  await assert.rejects(next.get('state', 'a'), StorageBlocked);
  old.close();
  await next.write([[blobs, 'b', 1]]);
  assert.equal(await next.get(blobs, 'b'), 1, 'the next operation tries again');
});

test('wipe_beside_an_open_tab_deletes_the_data', async () => {
  const name = newName();
  let outdated = 0;
  const other = new IndexedDbStorage(name, { onOutdated: () => outdated++ });
  await other.write([['state', 'me', 1]]);
  await new IndexedDbStorage(name).wipe();
  assert.equal(outdated, 0, 'no newer release is there');
  assert.equal(await other.get('state', 'me'), undefined);
});

test('failed_upgrade_leaves_the_old_version', async () => {
  const name = newName();
  await new IndexedDbStorage(name).write([['state', 'me', 1]]);
  const failing = new IndexedDbStorage(name, {
    upgrades: [
      ...UPGRADES,
      () => {
        throw new Error('a mistake in the step');
      },
    ],
  });
  await assert.rejects(failing.get('state', 'me'), /a mistake in the step/);
  const next = new IndexedDbStorage(name, { upgrades: NEXT });
  assert.equal(await next.get('state', 'me'), 1);
});
