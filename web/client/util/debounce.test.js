// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../transport/api.js';
import { debounce } from './debounce.js';

test('debounce_runs_once_more_for_calls_during_the_work', async () => {
  let [running, most, times] = [0, 0, 0];
  const call = debounce(async () => {
    times++;
    most = Math.max(most, ++running);
    await sleep(300);
    running--;
  });
  for (let calls = 0; calls < 40; calls++) {
    call();
    await sleep(20);
  }
  await sleep(1000);
  assert.equal(most, 1);
  assert.ok(times >= 2 && times <= 4, `${times} times`);
  const before = times;
  call();
  await sleep(600);
  assert.equal(times, before + 1, 'and what is called for later is done too');
});
