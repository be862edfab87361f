// @ts-check
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromBase64, fromHex, toBase64, toHex } from '../util/bytes.js';
import { MalformedFrame, identityText, parseGroupInfo, parseHead, parseIdentity, parseKeyPackage } from './frames.js';

/** CoreCrypto made these. @type {{ group_id: string, key_package: string, message: string, steps: { commit: string, group_info: string }[] }} */
const frames = JSON.parse(readFileSync(new URL('../../../tests/mls/frames.json', import.meta.url), 'utf8'));
const keyPackage = fromBase64(frames.key_package);
const bob = { user: '21111111-2222-4333-8444-555555555555', device: '0000000000000002' };
const encoder = new TextEncoder();

test('key_package_tells_its_device_key_and_lifetime', () => {
  const { signatureKey, notBefore, notAfter, ...name } = parseKeyPackage(keyPackage);
  assert.deepEqual(name, bob);
  assert.equal(toBase64(signatureKey), '8I00eGvgXzEYcZcM5fz0xY5DWLxLHa2VdbDpCZmGlwA=');
  assert.ok(notBefore > 1.7e9 && notAfter > notBefore);
});

test('key_package_whose_keys_nobody_can_encrypt_to_is_malformed', () => {
  const lowOrder = 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'; // order 8
  const keys = [new Uint8Array(32), new Uint8Array(32).fill(1, 0, 1), fromHex(lowOrder)];
  for (const at of [5, 38])
    // init key, encryption key
    for (const key of keys) {
      const changed = keyPackage.slice();
      changed.set(key, at);
      assert.throws(() => parseKeyPackage(changed), /is not a usable X25519 public key/, `${toHex(key)} at ${at}`);
    }
  const short = Uint8Array.from([...keyPackage.slice(0, 4), 31, ...keyPackage.slice(5, 36), ...keyPackage.slice(37)]);
  assert.throws(() => parseKeyPackage(short), /init key is not a usable X25519 public key/);
});

/** The devices in the tree after each commit. */
const LEAVES = [
  [1, 2],
  [1, 2],
  [1, 2, 3],
  [1, 3],
];

test('group_info_tells_its_group_and_epoch', () => {
  frames.steps.forEach(({ group_info }, at) => {
    const { conversation, epoch, leaves } = parseGroupInfo(fromBase64(group_info));
    assert.deepEqual([conversation, epoch], ['01234567-89ab-cdef-0123-456789abcdef', at + 1]);
    assert.deepEqual(
      leaves.map(({ device, signatureKey }) => [Number(device), signatureKey.length]),
      LEAVES[at].map((device) => [device, 32]),
    );
  });
});

test('head_of_a_commit_and_of_a_message_names_group_and_epoch', () => {
  const { group_id: id, steps, message } = frames;
  const dashed = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  assert.deepEqual(
    steps.map(({ commit }) => parseHead(fromBase64(commit))),
    steps.map((_, epoch) => ({ conversation: dashed, epoch, isPublic: true, isExternal: epoch === 2 })),
  );
  const { conversation, isPublic, isExternal } = parseHead(fromBase64(message));
  assert.deepEqual([conversation, isPublic, isExternal], [dashed, false, false]);
  const commit = fromBase64(steps[1].commit);
  for (let length = 0; length < 30; length++)
    assert.throws(() => parseHead(commit.slice(0, length)), MalformedFrame, `${length} bytes`);
  assert.throws(() => parseHead(fromBase64(steps[0].group_info)), MalformedFrame);
});

test('frame_that_is_cut_off_or_another_is_malformed', () => {
  const groupInfo = fromBase64(frames.steps[0].group_info);
  for (let length = 0; length < 192; length++)
    assert.throws(() => parseKeyPackage(keyPackage.slice(0, length)), MalformedFrame, `${length} bytes`);
  for (let length = 0; length < 30; length++)
    assert.throws(() => parseGroupInfo(groupInfo.slice(0, length)), MalformedFrame, `${length} bytes`);
  assert.throws(() => parseGroupInfo(keyPackage), MalformedFrame);
  assert.throws(() => parseKeyPackage(groupInfo), MalformedFrame);
});

test('identity_has_one_spelling', () => {
  assert.deepEqual(parseIdentity(encoder.encode(identityText(bob))), bob);
  const wrong = [
    `${bob.user}:02@sottovoce`,
    `${bob.user.replace('2', 'A')}:2@sottovoce`,
    `${bob.user}:2@sottovoce `,
    `${bob.user}:2@example.com`,
    `${bob.user}:2@sottovoce\n`,
    `${bob.user.slice(1)}:2@sottovoce`,
    `${bob.user}:@sottovoce`,
    '',
  ];
  for (const text of wrong) assert.throws(() => parseIdentity(encoder.encode(text)), MalformedFrame, text);
});
