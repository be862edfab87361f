// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountSafetyNumber, safetyNumber } from './safety-number.js';

const alice = { user: '11111111-2222-4333-8444-555555555555', thumbprints: ['key A', 'key B'] };
const bob = { user: '21111111-2222-4333-8444-555555555555', thumbprints: ['key C'] };

test('safety_number_has_sixty_digits_and_is_symmetric', async () => {
  const one = await safetyNumber(alice, bob);
  assert.match(one.digits, /^(\d{5} ){11}\d{5}$/);
  assert.deepEqual(await safetyNumber(bob, alice), one);
  assert.deepEqual(await safetyNumber({ ...alice, thumbprints: ['key B', 'key A'] }, bob), one, 'in any order');
  assert.ok(
    one.qr.startsWith(`SOTTOVOCE:1:${alice.user}:${bob.user}:`) && one.qr.endsWith(one.digits.replaceAll(' ', '')),
  );
});

test('safety_number_half_changes_with_its_users_keys', async () => {
  const { digits } = await safetyNumber(alice, bob);
  const others = [
    { ...bob, thumbprints: ['key D'] },
    { ...bob, thumbprints: [] },
    { ...bob, thumbprints: ['key C', 'key D'] },
    { ...bob, user: '31111111-2222-4333-8444-555555555555' },
  ];
  for (const other of others) {
    const changed = (await safetyNumber(alice, other)).digits;
    assert.equal(changed.slice(0, 36), digits.slice(0, 36));
    assert.notEqual(changed.slice(36), digits.slice(36));
  }
});

test('safety_number_of_account_keys_is_symmetric_and_of_its_own_version', async () => {
  const [one, other] = [alice, bob].map(({ user }, nth) => ({ user, key: `key ${nth}` }));
  const number = await accountSafetyNumber(one, other);
  assert.deepEqual(await accountSafetyNumber(other, one), number);
  assert.ok(number.qr.startsWith(`SOTTOVOCE:2:${alice.user}:${bob.user}:`));
  const changed = await accountSafetyNumber(one, { ...other, key: 'another key' });
  assert.equal(changed.digits.slice(0, 36), number.digits.slice(0, 36));
  assert.notEqual(changed.digits.slice(36), number.digits.slice(36));
});
