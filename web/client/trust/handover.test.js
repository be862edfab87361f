// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64, toBase64url } from '../util/bytes.js';
import { AccountKey } from './account-key.js';
import { signDeviceList } from './device-list.js';
import { encodeHandover, parseHandover } from './handover.js';

const USER = '0f8fad5b-d9cb-469f-a165-70867728950e';
const GROUP = '3f94f62e-d48f-4428-8165-4f311033e101';
const STORED_MAX_BYTES = 64 * 1024; // by the server
const key = AccountKey.generate();
const list = signDeviceList(key, { user: USER, counter: 3, devices: { '00000000000000aa': new Uint8Array(32) } });

/** @param {number} count */
function thumbprints(count) {
  return Array.from({ length: count }, (_, number) => toBase64url(new Uint8Array(32).fill(250 + number)));
}

/** @param {number} number @param {string} name */
function contact(number, name) {
  const user = `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  const key = toBase64(new Uint8Array(32).fill(7));
  return { user, key, counter: 2 ** 40 + number, removed: thumbprints(number % 3), isVerified: number < 2, name };
}

test('handover_is_read_as_it_was_written', () => {
  const contacts = [contact(0, 'Bob 🐢'), contact(1, ''), contact(2, 'x'.repeat(255))];
  const groups = [
    { id: GROUP, users: [USER, contacts[0].user] },
    { id: USER, users: [] },
  ];
  const { key: read, ...rest } = parseHandover(encodeHandover({ key, list, contacts, groups }));
  assert.deepEqual([read.publicKey, rest], [key.publicKey, { list, contacts, groups }]);
});

test('handover_without_a_list_is_the_account_key', () => {
  const bytes = encodeHandover({ key, list: null, contacts: [], groups: [] });
  assert.deepEqual(bytes, key.seed);
  assert.deepEqual(parseHandover(bytes), { key, list: null, contacts: [], groups: [] });
});

test('handover_has_the_last_eight_removed_devices_of_a_contact', () => {
  const removed = Array.from({ length: 12 }, (_, number) => toBase64url(new Uint8Array(32).fill(number)));
  const contacts = [{ ...contact(0, 'bob'), removed }, contact(1, 'carol')];
  const read = parseHandover(encodeHandover({ key, list, contacts, groups: [] }));
  assert.deepEqual(read.contacts, [{ ...contacts[0], removed: removed.slice(-8) }, contacts[1]]);
});

test('handover_of_a_large_account_fits_and_begins_with_the_first', () => {
  const contacts = Array.from({ length: 2000 }, (_, number) => ({ ...contact(number, 'a name'), removed: [] }));
  const groups = Array.from({ length: 200 }, () => ({
    id: GROUP,
    users: contacts.slice(0, 20).map(({ user }) => user),
  }));
  const bytes = encodeHandover({ key, list, contacts, groups });
  assert.ok(bytes.length < STORED_MAX_BYTES - 1000, `${bytes.length} bytes`);
  const read = parseHandover(bytes);
  assert.deepEqual(read.contacts, contacts.slice(0, read.contacts.length));
  assert.ok(read.contacts.length > 500 && read.groups.length > 50);
});
