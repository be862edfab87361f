// @ts-check
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { randomBytes, toBase64 } from '../util/bytes.js';
import { importKey, decryptText, encryptText } from './cipher.js';

const conversation = '3f94f62e-d48f-4428-8165-4f311033e101';
const another = '11111111-2222-4333-8444-555555555555';
const aKey = () => importKey(toBase64(randomBytes(32)));

test('decryptText_needs_the_key_and_the_conversation', async () => {
  const key = await aKey();
  const sealed = await encryptText(key, conversation, 'Tea at five? 🙂');
  assert.match(sealed, /^aes1\.[A-Za-z0-9+/]+=*$/);
  assert.deepEqual(await decryptText(key, conversation, sealed), { text: 'Tea at five? 🙂', how: 'key' });
  assert.notEqual(
    await encryptText(key, conversation, 'Tea at five? 🙂'),
    sealed,
    'equal texts have different ciphertexts',
  );
  for (const [with_, where] of /** @type {const} */ ([
    [await aKey(), conversation],
    [null, conversation],
    [key, another],
  ])) {
    assert.deepEqual(await decryptText(with_, where, sealed), { text: '', how: 'unreadable' });
  }
});

test('decryptText_of_the_documented_example', async () => {
  const key = await importKey(toBase64(new Uint8Array(32)));
  const page = await readFile(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
  const [, text] = /^ {4}(aes1\.\S+)$/m.exec(page) ?? [];
  assert.deepEqual(await decryptText(key, 'f82c7b2c-8a2c-4b0f-88d4-b0d5fe9d2c41', text), {
    text: 'Tea at five?',
    how: 'key',
  });
});

test('decryptText_of_plain_or_changed_text', async () => {
  const key = await aKey();
  assert.deepEqual(await decryptText(key, conversation, 'hello aes1.'), { text: 'hello aes1.', how: 'plain' });
  const sealed = await encryptText(key, conversation, 'hello');
  for (const wrong of [
    sealed.slice(0, -4),
    'aes1.',
    'aes1.!!!',
    sealed.replace(/.(?=.{3}$)/, (char) => (char === 'A' ? 'B' : 'A')),
  ]) {
    assert.equal((await decryptText(key, conversation, wrong)).how, 'unreadable', wrong);
  }
});
