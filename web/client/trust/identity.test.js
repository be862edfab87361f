// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expected, isExpected, withList, withRemoved } from './identity.js';

const KEY = 'key';
const NEVER = 1e12;

/** @param {number} counter @param {Record<string, string>} thumbprints */
function listOf(counter, thumbprints) {
  return { signed: { account_key: KEY, device_list: 'x', signature: '' }, counter, notAfter: NEVER, thumbprints };
}

test('identity_that_is_expected_takes_the_list_with_its_counter_and_no_older_one', () => {
  const known = expected(KEY, 5, []);
  assert.ok(isExpected(known));
  const older = withList(known, listOf(4, { a: 'stolen' }), false);
  assert.deepEqual([older.devices, isExpected(older)], [{}, true]);
  const newest = withList(known, listOf(5, { a: 'laptop' }), false);
  assert.deepEqual([newest.devices, isExpected(newest)], [{ a: 'laptop' }, false]);
  assert.deepEqual(withList(newest, listOf(5, { a: 'other' }), false).devices, { a: 'laptop' });
});

test('identity_does_not_count_devices_that_another_device_has_seen_removed', () => {
  const thumbprints = { a: 'laptop', b: 'stolen' };
  assert.deepEqual(withList(expected(KEY, 5, ['stolen']), listOf(6, thumbprints), false).devices, { a: 'laptop' });
  const known = withList(expected(KEY, 5, []), listOf(5, thumbprints), false);
  const after = withRemoved(known, ['stolen']);
  assert.deepEqual([after.devices, after.removed], [{ a: 'laptop' }, ['stolen']]);
  assert.deepEqual(withList(after, listOf(6, thumbprints), false).devices, { a: 'laptop' });
});
