// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation, withListed } from './changes.js';

/** @param {Partial<import('./reducer.js').Conversation>} changes @param {import('./reducer.js').Conversation['state']} state */
const stateOf = (changes, state) => withListed({ ...emptyConversation('c'), ...changes }, state, []).state;

test('server_makes_no_request_of_a_conversation_that_was_joined', () => {
  assert.equal(stateOf({ state: 'joined' }, 'requested'), 'joined');
  for (const state of /** @type {const} */ (['requested', 'ignored', 'blocked']))
    assert.equal(stateOf({ state }, 'requested'), 'requested', state);
  assert.equal(
    stateOf({ state: 'requested', verified: { bob: [] } }, 'requested'),
    'requested',
    'a request of another',
  );
  for (const state of /** @type {const} */ (['joined', 'ignored', 'blocked']))
    assert.equal(stateOf({ state: 'joined' }, state), state);
});

test('conversation_that_this_device_was_out_of_can_be_a_request', () => {
  assert.equal(stateOf({ state: 'joined', hasLeft: true }, 'requested'), 'requested');
  assert.equal(stateOf({ state: 'joined', hasLeft: true, verified: { bob: [] } }, 'requested'), 'joined');
  const joined = withListed({ ...emptyConversation('c'), state: 'joined', hasLeft: true }, 'joined', []);
  assert.equal(withListed(joined, 'requested', []).state, 'joined', 'it was joined since');
});
