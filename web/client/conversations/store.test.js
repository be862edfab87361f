// @ts-check
/** Places of items where the server's log ends before what this device has read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../storage/memory.js';
import { emptyConversation } from './changes.js';

const { Client } = await import('../client.js');
const { startInNode } = await import('../node/platform.js');
await startInNode();

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e';

/** A conversation with a text at each of these places. @param {number[]} places */
async function withTexts(...places) {
  const client = new Client('http://127.0.0.1:9', {
    storage: new MemoryStorage(),
    openDatabase: async () => assert.fail('it needs no keys'),
  });
  client.me = /** @type {any} */ ({ user: { id: 'me', username: 'me' }, device: '00' });
  const cursor = Math.floor(Math.max(...places));
  for (const seq of places) {
    const id = String(seq).replace('.', '').padStart(32, '0');
    const conversation = { ...emptyConversation(ID), isActive: true, cursor, unread: places };
    await client.store.write(conversation, { seq, at: '', user: 'u', id, text: `at ${seq}` });
  }
  return client.store;
}

/** @param {Awaited<ReturnType<typeof withTexts>>} store */
async function placesOf(store) {
  const items = await store.items(ID, { limit: Infinity });
  for (const { id = '', seq } of items) assert.equal((await store.itemOf(ID, id))?.seq, seq, 'found by its id');
  return items.map(({ seq, text }) => [seq, text]);
}

test('items_beyond_the_log_stay_in_their_order_before_what_follows', async () => {
  const store = await withTexts(9, 10, 11, 100);
  await store.rewind(ID, 9);
  assert.deepEqual(await placesOf(store), [
    [9, 'at 9'],
    [9.125, 'at 10'],
    [9.25, 'at 11'],
    [9.375, 'at 100'],
  ]);
  const { cursor, unread } = (await store.get(ID)) ?? {};
  assert.deepEqual([cursor, unread], [9, [9]]);
  await store.rewind(ID, 8);
  assert.deepEqual(
    (await placesOf(store)).map(([, text]) => text),
    ['at 9', 'at 10', 'at 11', 'at 100'],
  );
  assert.ok((await store.items(ID)).every(({ seq }) => seq > 8 && seq < 9));
});

test('log_that_is_as_long_as_what_was_read_moves_nothing', async () => {
  const store = await withTexts(1, 2);
  await store.rewind(ID, 2);
  await store.rewind(ID, 7);
  assert.deepEqual((await placesOf(store)).map(([seq]) => seq), [1, 2]); // prettier-ignore
  assert.equal((await store.get(ID))?.cursor, 2);
});

test('free_place_is_after_the_item_and_before_the_next', async () => {
  const store = await withTexts(1, 2, 2.5, 3);
  assert.deepEqual(
    await Promise.all([1, 2, 3, 4].map((seq) => store.freePlace(ID, seq))),
    [1.000001, 2.500001, 3.000001, 4],
  );
});

test('thousand_own_messages_find_places_before_the_next_entry', async () => {
  const store = await withTexts(1, 2);
  await store.rewind(ID, 1);
  for (let n = 0; n < 1000; n++) {
    const seq = await store.freePlace(ID, 1);
    const known = await store.get(ID);
    if (known) await store.write(known, { seq, at: '', user: 'me', id: String(n).padStart(32, 'a'), text: `own ${n}` });
  }
  const places = await placesOf(store);
  assert.deepEqual(places.map(([, text]) => text), ['at 1', 'at 2', ...Array.from({ length: 1000 }, (_, n) => `own ${n}`)]); // prettier-ignore
  assert.ok(places.every(([seq]) => Number(seq) < 2));
});

test('log_that_begins_again_keeps_the_order_of_what_was_read', async () => {
  const store = await withTexts(1, 2, 3);
  await store.rewind(ID, 0);
  assert.deepEqual((await placesOf(store)).map(([, text]) => text), ['at 1', 'at 2', 'at 3']); // prettier-ignore
});

test('rewind_moves_marks_back_too', async () => {
  const store = await withTexts(1, 2, 9);
  const known = await store.get(ID);
  assert.ok(known);
  const mark = { delivered: 9, read: 2 };
  await store.write({ ...known, marks: { bob: mark }, told: mark, namedAt: 9 });
  await store.rewind(ID, 3);
  const { marks, told, namedAt } = (await store.get(ID)) ?? {};
  assert.deepEqual([marks, told, namedAt], [{ bob: { delivered: 3, read: 2 } }, { delivered: 3, read: 2 }, 3]);
});
