// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConversation } from '../conversations/changes.js';
import { heardFrom, isSilent, SILENT_MS } from './silence.js';

const HOUR_MS = 3600_000;
const leaf = (/** @type {string} */ device) => ({ user: device, device, thumbprint: device });

test('device_is_silent_90_days_after_it_was_heard', () => {
  const group = { ...emptyConversation('c'), members: [leaf('bob'), leaf('carol')] };
  const start = 1_800_000_000_000;
  const first = heardFrom(group, 'bob', start);
  assert.deepEqual(first, { bob: start, carol: start }, 'nothing is known of the time before');
  const soon = heardFrom({ ...group, heard: first }, 'bob', start + HOUR_MS);
  assert.deepEqual(soon, first, 'to a day');
  const heard = heardFrom({ ...group, heard: first }, 'bob', start + 25 * HOUR_MS);
  assert.deepEqual(heard, { bob: start + 25 * HOUR_MS, carol: start });
  const later = { ...group, heard };
  assert.equal(isSilent(later, 'carol', start + SILENT_MS), false);
  assert.equal(isSilent(later, 'carol', start + SILENT_MS + 1), true);
  assert.equal(isSilent(later, 'bob', start + SILENT_MS + 1), false);
  assert.equal(isSilent(later, 'dave', start + SILENT_MS + 1), false, 'one that is new');
  assert.deepEqual(Object.keys(heardFrom({ ...later, members: [leaf('bob')] }, 'bob', start)), ['bob']);
});
