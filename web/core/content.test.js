// @ts-check
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromBase64, fromHex, toBase64, toHex, uuidBytes, uuidOf } from './bytes.js';
import { decodeContent, encodeContent } from './content.js';

const protocol = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const examples = [...protocol.matchAll(/```json content\n(.*?)```/gs)].map(([, json]) => JSON.parse(json));

test('every kind of content in docs/PROTOCOL.md is known, and comes back as it was', () => {
  const kinds = new Set(examples.map((content) => content.kind));
  assert.deepEqual([...kinds].sort(), ['delete', 'edit', 'group', 'profile', 'reaction', 'receipt', 'text']);
  for (const content of examples) assert.deepEqual(decodeContent(encodeContent(content)), content);
});

test('a kind that is not known is kept as it is', () => {
  const poll = { kind: 'poll', id: '1', question: 'tea?' };
  const read = decodeContent(new TextEncoder().encode(JSON.stringify(poll)));
  assert.deepEqual(read, { kind: 'unknown', id: '1', raw: poll });
  assert.deepEqual(decodeContent(encodeContent(read)), read);
});

test('what is no content, or has fields of other types, is of unknown kind and harms nobody', () => {
  const bad = [
    '', '{', 'null', '[]', '7', '"text"', '{}', '{"kind":"text"}', '{"kind":"text","id":"1","text":7}',
    '{"kind":"text","id":1,"text":"x"}', '{"kind":"receipt","id":"1","of":"x","state":"read"}',
    '{"kind":"receipt","id":"1","of":[1],"state":"read"}', '{"kind":"receipt","id":"1","of":[],"state":"seen"}',
    '{"kind":"text","id":"1","text":"x","reply_to":[]}', '{"kind":"__proto__","id":"1"}', '{"kind":"toString","id":"1"}',
  ];
  for (const text of bad) assert.equal(decodeContent(new TextEncoder().encode(text)).kind, 'unknown', text);
  assert.equal(decodeContent(new Uint8Array([0xff, 0xfe])).kind, 'unknown', 'not UTF-8');
});

test('bytes come back from base64, hex and UUIDs', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) & 255);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.deepEqual(fromHex(toHex(bytes)), bytes);
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  assert.equal(uuidOf(uuidBytes(uuid)), uuid);
});
