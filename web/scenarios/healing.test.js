// @ts-check
/** New keys for a device's leaf at intervals, and what a thief of its state can read until then. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { DAY_MS } from '../client/util/time.js';
import { another, conversation, deceived, deviceIn, people, until } from './users.js';

const { OWN_MESSAGES_MAX } = await import('../client/mls/healing.js');

/** @typedef {import('./users.js').Device} Device */

/** @param {Device} device @param {string} id */
const ageOf = async (device, id) =>
  (await device.client.storage.get('state', `leaf/${id}`)) ?? assert.fail('the age of the leaf is not known');

/** @param {Device} device @param {string} id @param {Partial<import('../client/mls/healing.js').LeafAge>} age */
async function pretend(device, id, age) {
  await device.client.storage.write([['state', `leaf/${id}`, { ...(await ageOf(device, id)), ...age }]]);
}

/** @param {string} id @param {Device} by @param {Device} to @param {string} text */
async function reaches(id, by, to, text) {
  await by.says(id, text);
  await to.hears(text);
  await by.client.outbox.allSent();
  await by.client.settled();
}

/** The log as the server gives it to a device. @param {Device} device @param {string} id @param {number} after */
async function logOf(device, id, after) {
  /** @type {import('../client/transport/frames.d.ts').LogEntry[]} */
  const log = [];
  for (;;) {
    const more = await device.client.api.call('GET', `conversations/${id}/log?after=${log.at(-1)?.seq ?? after}`);
    if (!more.length) return log;
    log.push(...more);
  }
}

/** What the keys of a copied folder can read. @param {object} workerData @returns {Promise<string[]>} texts */
function readByThief(workerData) {
  const thread = new Worker(new URL('./stolen-thread.js', import.meta.url), { workerData });
  return new Promise((resolve, reject) => thread.on('message', resolve).on('error', reject)).finally(() =>
    thread.terminate(),
  );
}

test('leaf_is_updated_before_the_first_message_after_a_day', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await reaches(id, alice, bob, 'new keys');
  assert.equal(await alice.client.mls.epoch(id), 1);
  await pretend(alice, id, { at: Date.now() - DAY_MS + 60_000 });
  await reaches(id, alice, bob, 'almost a day');
  assert.equal(await alice.client.mls.epoch(id), 1);
  await pretend(alice, id, { at: Date.now() - DAY_MS });
  await Promise.all(['after a day', 'and one more'].map((text) => reaches(id, alice, bob, text)));
  assert.deepEqual([await alice.client.mls.epoch(id), await bob.client.mls.epoch(id)], [2, 2], 'once');
  assert.deepEqual(bob.heard, ['new keys', 'almost a day', 'after a day', 'and one more']);
  [alice, bob].forEach((one) => one.isFine());
});

test('leaf_is_updated_after_a_hundred_own_messages', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await reaches(id, alice, bob, 'with the list of devices');
  const { sent } = await ageOf(alice, id);
  await reaches(id, alice, bob, 'counted');
  assert.equal((await ageOf(alice, id)).sent, sent + 1);
  await pretend(alice, id, { sent: OWN_MESSAGES_MAX - 1 });
  await reaches(id, alice, bob, 'the hundredth');
  assert.equal(await alice.client.mls.epoch(id), 1);
  await reaches(id, alice, bob, 'the next');
  assert.equal(await bob.client.mls.epoch(id), 2);
  assert.equal((await ageOf(alice, id)).sent, 1);
  [alice, bob].forEach((one) => one.isFine());
});

test('leaf_is_updated_soon_after_joining_and_after_an_own_removal', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await another(bob);
  const id = await conversation(alice, bob);
  await phone.isIn(id);
  await bob.client.membership.answer(id, 'joined');
  const { due = 0 } = await ageOf(bob, id);
  assert.ok(due > Date.now() && due < Date.now() + 10 * 60_000, 'minutes after it joined');
  assert.equal((await ageOf(alice, id)).due, undefined, 'who created it has new keys');
  await pretend(bob, id, { due: Date.now() });
  await bob.client.inTurn(() => bob.client.healing.updateDue());
  await bob.client.inTurn(() => bob.client.healing.updateDue());
  await until(async () => (await alice.client.mls.epoch(id)) === 2, 'bob updates, once');
  assert.equal((await ageOf(bob, id)).due, undefined);

  await bob.client.api.call('DELETE', `devices/${phone.client.me.device}`);
  await until(async () => (await ageOf(bob, id)).due !== undefined, 'bob has lost a device');
  await pretend(alice, id, { at: Date.now() - 8 * DAY_MS });
  await alice.client.inTurn(() => alice.client.healing.updateDue());
  assert.ok((await ageOf(alice, id)).at > Date.now() - DAY_MS, 'after a week without a message');
});

test('refused_update_holds_no_message_back', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  await reaches(id, alice, bob, 'with the list of devices');
  const before = { at: Date.now() - 2 * DAY_MS, sent: 7 };
  await pretend(alice, id, before);
  const refusal = { error: { code: 'stale_epoch', message: 'Another commit came first' } };
  alice.lies.answerRequest.push(({ method, path }) =>
    method === 'POST' && path.endsWith('/commits') ? Response.json(refusal, { status: 409 }) : undefined,
  );
  await reaches(id, alice, bob, 'without an update');
  assert.equal(await alice.client.mls.epoch(id), 1);
  const { at, sent } = await ageOf(alice, id);
  assert.deepEqual({ at, sent }, { ...before, sent: 8 }, 'it is still due');
  alice.lies.answerRequest.length = 0;
  await reaches(id, alice, bob, 'with one');
  assert.equal(await bob.client.mls.epoch(id), 2);
});

test('update_is_due_until_the_server_has_its_commit', async () => {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(alice, bob);
  await reaches(id, alice, bob, 'with the list of devices');
  const before = { at: Date.now() - 2 * DAY_MS, sent: 7, due: Date.now() };
  await pretend(alice, id, before);
  /** @type {unknown[]} */
  const during = [];
  alice.lies.answerRequest.push(async ({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/commits')) return;
    during.push(await ageOf(alice, id)); // what a crash now would leave
    await pretend(alice, id, { due: before.due + DAY_MS }); // another device of alice is removed
  });
  await alice.client.inTurn(() => alice.client.healing.updateDue());
  assert.deepEqual(during, [before]);
  const { sent, due } = await ageOf(alice, id);
  assert.deepEqual({ sent, due }, { sent: 0, due: before.due + DAY_MS }, 'the new reason stays');
});

test('stolen_state_reads_until_the_next_update', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sottovoce-stolen-'));
  try {
    const [alice] = await people('alice');
    const bob = await deviceIn(join(folder, 'bob'), 'bob');
    const id = await conversation(alice, bob);
    await reaches(id, bob, alice, 'before the theft');
    await cp(join(folder, 'bob'), join(folder, 'stolen'), { recursive: true });
    const { me } = bob.client;
    const { seq: since } = (await alice.client.store.items(id, { limit: Infinity })).at(-1) ?? { seq: 0 };
    for (let n = 2; n <= OWN_MESSAGES_MAX + 5; n++) {
      await reaches(id, bob, alice, `bob ${n}`);
      if (n % 5 === 0) await reaches(id, alice, bob, `alice ${n}`);
      if (n % 10 === 0) await alice.updates(id); // another member's does not help
    }
    await reaches(id, alice, bob, 'after the update');

    const log = await logOf(bob, id, since);
    const read = await readByThief({ folder: join(folder, 'stolen'), me, conversation: id, log });
    console.log(
      `# figures ${JSON.stringify({ read: read.length, written: bob.heard.filter((text) => text.startsWith('alice')).length })}`,
    );
    // Bob's list of devices counts as a message, too.
    const readable = Array.from({ length: 19 }, (_, n) => `alice ${5 * (n + 1)}`);
    assert.deepEqual(read, readable, 'it follows the updates of others, and not that of its own leaf');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('leaf_is_updated_before_the_first_message_after_a_welcome', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  await reaches(id, alice, bob, 'from its creator');
  assert.equal(await alice.client.mls.epoch(id), 1);
  await reaches(id, bob, alice, 'the first');
  await reaches(id, bob, alice, 'the second');
  assert.equal(await alice.client.mls.epoch(id), 2, 'once');
});

test('leaf_in_a_message_request_is_not_updated', async () => {
  const [stranger, bob] = await people('stranger', 'bob');
  const id = await conversation(stranger, bob);
  await pretend(bob, id, { due: Date.now() - 1000 });
  const updates = () => bob.client.inTurn(() => bob.client.healing.updateDue());
  await updates();
  assert.equal(await bob.client.mls.epoch(id), 1);
  await bob.client.membership.answer(id, 'joined');
  await updates();
  assert.equal(await bob.client.mls.epoch(id), 2);
});
