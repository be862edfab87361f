// @ts-check
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromBase64, fromHex, toBase64, toHex, uuidBytes } from '../util/bytes.js';
import { KINDS, decodeContent, encodeContent, isMessage, previewOf } from './index.js';

const protocol = readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const examples = [...protocol.matchAll(/```json content\n(.*?)```/gs)].map(([, json]) => JSON.parse(json));

test('documented_content_of_every_kind_decodes_to_itself', () => {
  const kinds = new Set(examples.map((content) => content.kind));
  assert.deepEqual([...kinds].sort(), Object.keys(KINDS).sort());
  for (const content of examples) assert.deepEqual(decodeContent(encodeContent(content)), content);
});

test('content_of_unknown_kind_is_kept_as_it_is', () => {
  const newer = JSON.stringify({ kind: 'kind of a newer client', id: '0'.repeat(32), question: 'tea?' });
  const read = decodeContent(new TextEncoder().encode(newer));
  assert.deepEqual(read, { kind: 'unknown', id: '', raw: newer });
  assert.deepEqual(decodeContent(encodeContent(read)), read);
});

test('only_a_message_has_a_preview_before_and_after_it_is_sent', () => {
  for (const content of examples) {
    assert.equal(previewOf(content), isMessage(content) ? content.text : undefined);
  }
  assert.equal(previewOf({ seq: 1, at: '', user: 'u', text: 'hello' }), 'hello');
  assert.equal(previewOf({ seq: 1, at: '', user: 'u', isDeleted: true }), undefined);
});

test('content_of_known_kind_keeps_its_known_fields_only', () => {
  const text = { kind: 'text', id: '0'.repeat(32), text: 'hello' };
  const more = { ...text, isDeleted: true, how: 'key', nested: [[1]] };
  assert.deepEqual(decodeContent(new TextEncoder().encode(JSON.stringify(more))), text);
});

test('content_that_is_nested_too_deeply_is_stored_as_text', () => {
  const nested = (/** @type {number} */ levels) => '['.repeat(levels) + ']'.repeat(levels);
  for (const levels of [16, 5000, 40_000]) {
    const nestedText = `{"kind":"text","id":"${'0'.repeat(32)}","text":"hi","more":${nested(levels)}}`;
    const read = decodeContent(new TextEncoder().encode(nestedText));
    assert.deepEqual(read, { kind: 'unknown', id: '', raw: levels < 30_000 ? nestedText : '' });
    assert.deepEqual(JSON.parse(JSON.stringify(structuredClone(read))), read);
  }
  /** @type {import('./index.js').Content} */
  const brackets = { kind: 'text', id: '0'.repeat(32), text: `${nested(200)} "\\" ["` };
  assert.deepEqual(decodeContent(encodeContent(brackets)), brackets, 'brackets in a text do not count');
});

test('malformed_content_decodes_as_unknown', () => {
  const id = '0'.repeat(32);
  const wrong = [
    {},
    { kind: 'text' },
    { kind: 'text', id, text: 7 },
    { kind: 'text', id: 1, text: 'x' },
    { kind: 'text', id: '1', text: 'x' },
    { kind: 'text', id: '__proto__', text: 'x' },
    { kind: 'text', id, text: 'x', reply_to: [] },
    { kind: 'edit', id, of: 'x', text: 'x' },
    { kind: 'receipt', id, of: 'x', state: 'read' },
    { kind: 'receipt', id, of: [1], state: 'read' },
    { kind: 'receipt', id, of: [], state: 'seen' },
    { kind: 'receipt', id, of: Array(51).fill(id), state: 'read' },
    { kind: 'reaction', id, of: id, emoji: 'no emoji' },
    { kind: 'reaction', id, of: id, emoji: '👍👍' },
    { kind: 'group', id, name: 'x'.repeat(61) },
    { kind: 'leave', id, who: 'everyone' },
    { kind: 'removal', id, user: ['bob'] },
    { kind: 'device_list', id, account_key: 'AA==', device_list: 'AA==' },
    { kind: 'device_list', id, account_key: 'AA==', device_list: 'A'.repeat(1001), signature: 'AA==' },
    { kind: 'device_list', id, account_key: 'not base64!', device_list: 'AA==', signature: 'AA==' },
    { kind: 'group', id, name: ' ' },
    { kind: 'group', id, name: 'a\u202eb' },
    { kind: '__proto__', id },
    { kind: 'toString', id },
  ];
  const bad = ['', '{', 'null', '[]', '7', '"text"', ...wrong.map((content) => JSON.stringify(content))];
  for (const text of bad) assert.equal(decodeContent(new TextEncoder().encode(text)).kind, 'unknown', text);
  assert.equal(decodeContent(new Uint8Array([0xff, 0xfe])).kind, 'unknown', 'not UTF-8');
});

test('every_offered_emoji_is_a_valid_reaction', async () => {
  const { emoji } = await import('../../vendor/emoji.js');
  const groups = JSON.parse(readFileSync(new URL(emoji), 'utf8'));
  const all = groups.flat().map((/** @type {string[]} */ [one]) => one);
  assert.ok(all.length > 1800);
  for (const one of all) {
    const content = { kind: 'reaction', id: '0'.repeat(32), of: '1'.repeat(32), emoji: one };
    assert.equal(decodeContent(new TextEncoder().encode(JSON.stringify(content))).kind, 'reaction', one);
  }
});

test('bytes_survive_base64_hex_and_uuid', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) & 255);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.deepEqual(fromHex(toHex(bytes)), bytes);
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  assert.equal(toHex(uuidBytes(uuid)), uuid.replaceAll('-', ''));
});
