// @ts-check
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fromBase64 } from '../util/bytes.js';
import { MistypedCode, WrongCode, authenticate, codeOf, newSecret, secretOf, unwrap, wrap } from './secret-code.js';

const PROTOCOL = await readFile(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const about = new Uint8Array([1, 2, 3]);
const bytes = new TextEncoder().encode('the account key');

test('secret_code_is_28_letters_that_give_the_secret_back', async () => {
  for (const secret of [newSecret(), new Uint8Array(16), new Uint8Array(16).fill(255)]) {
    const code = await codeOf(secret);
    assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/);
    assert.deepEqual(await secretOf(code), secret);
  }
  const [, json] = /** @type {RegExpExecArray} */ (/```json code\n(.*?)\n```/s.exec(PROTOCOL));
  const vector = /** @type {{ secret: string, code: string }} */ (JSON.parse(json));
  assert.equal(await codeOf(fromBase64(vector.secret)), vector.code);
});

test('secret_code_may_be_typed_as_people_type', async () => {
  const secret = Uint8Array.from({ length: 16 }, (_, nth) => nth);
  const code = await codeOf(secret);
  const typed = [code.toLowerCase(), code.replaceAll('-', ' '), code.replaceAll('0', 'o'), code.replaceAll('1', 'l')];
  for (const one of typed) assert.deepEqual(await secretOf(one), secret);
});

test('secret_code_with_a_wrong_letter_is_mistyped', async () => {
  const code = await codeOf(new Uint8Array(16).fill(7));
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '-') continue;
    const wrong = `${code.slice(0, at)}${code[at] === 'Z' ? 'Y' : 'Z'}${code.slice(at + 1)}`;
    await assert.rejects(secretOf(wrong), MistypedCode, wrong);
  }
  for (const wrong of ['', code.slice(1), `${code}0`, code.replace(/^./, 'U'), code.replace(/^./, '!')])
    await assert.rejects(secretOf(wrong), MistypedCode, wrong);
});

test('wrapped_bytes_open_with_their_code_purpose_and_place', async () => {
  const secret = newSecret();
  const wrapped = await wrap(secret, 'link', about, bytes);
  assert.deepEqual(await unwrap(secret, 'link', about, wrapped), bytes);
  assert.notDeepEqual(await wrap(secret, 'link', about, bytes), wrapped, 'a new nonce each time');
  await assert.rejects(unwrap(newSecret(), 'link', about, wrapped), WrongCode);
  await assert.rejects(unwrap(secret, 'recovery', about, wrapped), WrongCode);
  await assert.rejects(unwrap(secret, 'link', new Uint8Array([1, 2]), wrapped), WrongCode);
  await assert.rejects(
    unwrap(
      secret,
      'link',
      about,
      wrapped.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
    ),
    WrongCode,
  );
  await assert.rejects(unwrap(secret, 'link', about, new Uint8Array()), WrongCode);
});

test('authentication_depends_on_secret_purpose_and_bytes', async () => {
  const secret = newSecret();
  const right = await authenticate(secret, 'link', bytes);
  assert.equal(right.length, 32);
  assert.deepEqual(await authenticate(secret, 'link', bytes), right);
  for (const other of [
    await authenticate(newSecret(), 'link', bytes),
    await authenticate(secret, 'other', bytes),
    await authenticate(secret, 'link', about),
  ])
    assert.notDeepEqual(other, right);
});
