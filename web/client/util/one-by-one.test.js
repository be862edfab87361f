// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../transport/api.js';
import { oneByOne } from './one-by-one.js';

test('work_is_done_in_order_also_behind_work_that_fails', async () => {
  const run = oneByOne();
  /** @type {string[]} */
  const done = [];
  const work = (/** @type {string} */ name, /** @type {number} */ ms) => async () => {
    await sleep(ms);
    done.push(name);
    if (name === 'fails') throw new Error(name);
    return name;
  };
  const results = await Promise.allSettled([run(work('slow', 20)), run(work('fails', 10)), run(work('quick', 0))]);
  assert.deepEqual(done, ['slow', 'fails', 'quick']);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});
