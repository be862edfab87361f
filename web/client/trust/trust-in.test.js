// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../conversations/changes.js';
import { trustIn } from './trust-in.js';

const leaf = { user: 'bob', device: '1', thumbprint: 'key' };
/** @param {Partial<import('../conversations/reducer.js').Conversation>} changes */
const trusted = (changes) => trustIn({ ...emptyConversation('c'), ...changes }, 'bob');

test('user_is_verified_if_each_of_their_devices_is', () => {
  assert.equal(trusted({ members: [leaf] }), 'unknown');
  assert.equal(trusted({ members: [leaf], verified: { bob: ['key'] } }), 'verified');
  assert.equal(trusted({ members: [leaf], verified: { bob: ['other'] } }), 'changed');
  assert.equal(trusted({ members: [leaf], verified: { bob: ['key'] }, changedKeys: ['bob'] }), 'changed');
});

test('user_without_a_device_is_absent_unless_a_verified_one_vanished', () => {
  assert.equal(trusted({}), 'absent', 'the server alone names them');
  assert.equal(
    trusted({ verified: { bob: ['key'] }, absent: ['bob'] }),
    'absent',
    'their last device said that it leaves',
  );
  assert.equal(trusted({ verified: { bob: ['key'] } }), 'changed', 'another user may be in their place');
  assert.equal(trusted({ kind: 'direct' }), 'unknown', 'a direct conversation has no devices');
});
