// @ts-check
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fromBase64, toBase64 } from '../util/bytes.js';
import { AccountKey } from './account-key.js';
import { BadDeviceList, devicesInBoth, encodeDeviceList, openDeviceList, parseDeviceList } from './device-list.js';

const PROTOCOL = await readFile(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const VECTORS = [...PROTOCOL.matchAll(/```json device list\n(.*?)\n```/gs)].map(
  ([, json]) =>
    /** @type {import('./device-list.js').SignedList & { account_key_seed: string, user: string, counter: number,
     *   not_after: number, devices: Record<string, string> }} */ (JSON.parse(json)),
);

test('device_list_of_the_protocol_is_encoded_and_signed', () => {
  assert.ok(VECTORS.length);
  for (const vector of VECTORS) {
    const devices = Object.fromEntries(Object.entries(vector.devices).map(([id, key]) => [id, fromBase64(key)]));
    const list = { user: vector.user, counter: vector.counter, notAfter: vector.not_after, devices };
    const key = new AccountKey(fromBase64(vector.account_key_seed));
    assert.equal(key.publicKey, vector.account_key);
    assert.equal(toBase64(encodeDeviceList(list)), vector.device_list);
    assert.equal(toBase64(key.sign(fromBase64(vector.device_list))), vector.signature);
    assert.deepEqual(openDeviceList(vector, vector.user), list);
  }
});

test('device_list_of_another_user_or_signer_is_refused', () => {
  const [vector] = VECTORS;
  const other = AccountKey.generate();
  const forgeries = [
    { ...vector, account_key: other.publicKey },
    { ...vector, account_key: 'AAAA' },
    { ...vector, signature: toBase64(other.sign(fromBase64(vector.device_list))) },
    { ...vector, signature: '' },
  ];
  for (const forgery of forgeries) assert.throws(() => openDeviceList(forgery, vector.user), BadDeviceList);
  assert.throws(() => openDeviceList(vector, '21111111-2222-4333-8444-555555555555'), BadDeviceList);
});

test('device_list_that_is_malformed_is_refused', () => {
  const right = fromBase64(VECTORS[0].device_list);
  const head = right.slice(0, 55);
  const [first, second] = [right.slice(55, 95), right.slice(95)];
  const wrong = [
    head,
    right.slice(0, -1),
    new Uint8Array(),
    Uint8Array.from([...head, ...second, ...first]),
    Uint8Array.from([...head, ...first, ...first]),
    Uint8Array.from(right, (byte, at) => (at === 0 ? 0 : byte)),
    Uint8Array.from(right, (byte, at) => (at === 39 ? 0xff : byte)), // the counter
    Uint8Array.from([
      ...head,
      ...Array.from({ length: 17 }, (_, nth) => [0, 0, 0, 0, 0, 0, 0, nth + 1, ...first.slice(8)]).flat(),
    ]),
  ];
  for (const bytes of wrong) assert.throws(() => parseDeviceList(bytes), BadDeviceList);
  assert.equal(Object.keys(parseDeviceList(right).devices).length, 2);
});

test('devices_in_both_lists_are_those_that_neither_omits', () => {
  const list = (/** @type {string} */ devices) => ({
    ...{ user: VECTORS[0].user, counter: 7, notAfter: 0 },
    devices: Object.fromEntries([...devices].map((one) => [one, new Uint8Array(32)])),
  });
  assert.deepEqual(Object.keys(devicesInBoth(list('abc'), list('bcd'))), ['b', 'c']);
});
