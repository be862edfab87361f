// @ts-check
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lock } from './lock.js';

const DEAD = 99;

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'lock-'))));
afterEach(() => rm(folder, { recursive: true }));

/** Processes that start at once. @param {number} count */
async function started(count) {
  const pids = Array.from({ length: count }, (_, number) => 1000 + number);
  const tries = await Promise.allSettled(pids.map((pid) => lock(join(folder, 'lock'), pid, (one) => one >= 1000)));
  return pids.filter((_, number) => tries[number].status === 'fulfilled');
}

for (const before of ['no lock', 'the lock of a dead process'])
  test(`lock_of_many_processes_is_taken_by_one_where_there_was_${before.replaceAll(' ', '_')}`, async () => {
    for (let round = 0; round < 20; round++) {
      if (before !== 'no lock') await writeFile(join(folder, 'lock'), String(DEAD));
      const [holder, ...others] = await started(5);
      assert.deepEqual([typeof holder, others], ['number', []]);
      assert.equal(await readFile(join(folder, 'lock'), 'utf8'), String(holder));
      assert.deepEqual(await readdir(folder), ['lock'], 'nothing else is left');
      await rm(join(folder, 'lock'));
    }
  });

test('lock_is_taken_again_by_its_process_and_refused_to_another', async () => {
  const path = join(folder, 'lock');
  await lock(path, 1000, () => true);
  await lock(path, 1000, () => true);
  await assert.rejects(
    lock(path, 1001, () => true),
    /in use by process 1000/,
  );
});

test('lock_without_a_process_is_taken_over', async () => {
  await writeFile(join(folder, 'lock'), '');
  assert.deepEqual(await started(1), [1000]);
});
