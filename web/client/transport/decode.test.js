// @ts-check
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Api, Refused } from './api.js';
import { Malformed, decodeAnswer, decodeFrame } from './decode.js';

const protocol = readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const examples = [...protocol.matchAll(/```json frame server\n(.*?)```/gs)].map(([, json]) => JSON.parse(json));

const ID = '3f94f62e-d48f-4428-8165-4f311033e101';
const AT = '2026-11-24T11:43:36.681804Z';
const ENTRY = {
  type: 'entry',
  conversation: ID,
  seq: 2,
  epoch: 1,
  kind: 'application',
  sender: '4fa98313371d5ec5',
  at: AT,
  data: 'AAEAAg==',
};
const DIRECT = {
  id: ID,
  user: { id: ID, username: 'eve' },
  last_seq: 0,
  last_message_at: null,
  key_fingerprint: null,
  key_waiting: false,
  blocked: false,
};

const neverDropped = () => assert.fail('nothing is malformed');

/** @param {string} method @param {string} path @param {unknown} answer */
const decoded = (method, path, answer) => decodeAnswer(method, path, JSON.stringify(answer), neverDropped);

test('decodeFrame_of_every_documented_frame_returns_it', () => {
  assert.ok(examples.length >= 12, 'the examples are found');
  for (const frame of examples) assert.deepEqual(decodeFrame(JSON.stringify(frame)), frame);
});

test('decodeFrame_of_unknown_type_returns_null', () => {
  for (const type of ['from_a_newer_server', '__proto__', 'toString', ''])
    assert.equal(decodeFrame(JSON.stringify({ type })), null, type);
});

test('decodeFrame_with_unknown_fields_accepts_it', () => {
  const frame = { ...ENTRY, of_a_newer_server: [1] };
  assert.deepEqual(decodeFrame(JSON.stringify(frame)), frame);
});

test('decodeFrame_of_a_malformed_frame_names_the_field', () => {
  /** @type {[object, string][]} */
  const wrong = [
    [{ ...ENTRY, seq: 0 }, 'entry.seq'],
    [{ ...ENTRY, seq: -1 }, 'entry.seq'],
    [{ ...ENTRY, seq: 1.5 }, 'entry.seq'],
    [{ ...ENTRY, seq: '2' }, 'entry.seq'],
    [{ ...ENTRY, seq: 2 ** 53 }, 'entry.seq'],
    [{ ...ENTRY, seq: null }, 'entry.seq'],
    [{ ...ENTRY, epoch: -1 }, 'entry.epoch'],
    [{ ...ENTRY, kind: 7 }, 'entry.kind'],
    [{ ...ENTRY, data: 'a' }, 'entry.data'],
    [{ ...ENTRY, data: '????' }, 'entry.data'],
    [{ ...ENTRY, data: {} }, 'entry.data'],
    [{ ...ENTRY, id: 'a b' }, 'entry.id'],
    [{ ...ENTRY, conversation: ID.toUpperCase() }, 'entry.conversation'],
    [{ ...ENTRY, conversation: `${ID}0` }, 'entry.conversation'],
    [{ ...ENTRY, conversation: '../../etc' }, 'entry.conversation'],
    [{ ...ENTRY, conversation: undefined }, 'entry.conversation'],
    [{ ...ENTRY, sender: 'ffffffffffffffff' }, 'entry.sender'],
    [{ ...ENTRY, sender: '12' }, 'entry.sender'],
    [{ ...ENTRY, at: '2026-11-24' }, 'entry.at'],
    [{ ...ENTRY, at: '2026-13-24T11:43:36Z' }, 'entry.at'],
    [{ ...ENTRY, at: '2026-02-30T11:43:36Z' }, 'entry.at'],
    [{ ...ENTRY, at: '2026-11-24T25:43:36Z' }, 'entry.at'],
    [{ ...ENTRY, at: '2026-11-24 11:43:36Z' }, 'entry.at'],
    [{ ...ENTRY, at: 1795520616 }, 'entry.at'],
    [{ ...ENTRY, at: '' }, 'entry.at'],
    [{ type: 'typing', conversation: ID }, 'typing.user'],
    [{ type: 'sent', id: '', seq: 1, at: AT }, 'sent.id'],
    [{ type: 'refused', id: 'a', code: null, error: '' }, 'refused.code'],
    [{ type: 'deleted', conversation: ID }, 'deleted.seq'],
    [{ type: 'direct', conversation: ID, seq: 1, sender: ID, text: { html: '' }, at: AT }, 'direct.text'],
    [{ type: 'welcome', conversation: ID, seq: 1, data: 7 }, 'welcome.data'],
    [{ type: 7 }, 'frame.type'],
    [{}, 'frame.type'],
    [[], 'frame'],
  ];
  for (const [frame, path] of wrong) {
    assert.throws(
      () => decodeFrame(JSON.stringify(frame)),
      (error) => error instanceof Malformed && error.path === path,
      JSON.stringify(frame),
    );
  }
});

test('decodeFrame_of_rubbish_throws_only_Malformed', () => {
  const rubbish = [
    '',
    '{',
    'null',
    '7',
    '"ready"',
    '[]',
    'undefined',
    '\u0000',
    '{"type":["entry"]}',
    '{"type":{"__proto__":1}}',
    '[[[[[[',
  ];
  for (const text of rubbish) assert.throws(() => decodeFrame(text), Malformed, text);
  let state = 7;
  const random = (/** @type {number} */ below) => (state = (state * 48271) % 2147483647) % below;
  let malformed = 0;
  for (let round = 0; round < 2000; round++) {
    const text = JSON.stringify(examples[random(examples.length)]);
    const at = random(text.length);
    const changed = text.slice(0, at) + String.fromCharCode(32 + random(95)) + text.slice(at + random(3));
    try {
      decodeFrame(changed);
    } catch (error) {
      assert.ok(error instanceof Malformed, `${changed}: ${error}`);
      malformed++;
    }
  }
  assert.ok(malformed > 500, `most changes break a frame: ${malformed}`);
});

test('decodeAnswer_checks_the_answer_of_its_request', () => {
  const log = [{ ...ENTRY, type: undefined }];
  assert.equal(/** @type {any[]} */ (decoded('GET', `conversations/${ID}/log?after=0`, log)).length, 1);
  assert.throws(
    () => decoded('GET', `conversations/${ID}/log?after=0`, [...log, { ...ENTRY, seq: 'x' }]),
    /log\?\*\[1\]\.seq is not a sequence number/,
  );
  assert.deepEqual(decoded('GET', `conversations/${ID}/removals`, { devices: ['4fa98313371d5ec5'] }), {
    devices: ['4fa98313371d5ec5'],
  });
  assert.throws(() => decoded('GET', `conversations/${ID}/removals`, { devices: 'all' }), Malformed);
  assert.throws(() => decoded('GET', 'account', null), Malformed);
  assert.throws(() => decoded('GET', 'users/eve', { id: 'eve', username: 'eve' }), Malformed);
  assert.throws(() => decodeAnswer('GET', 'account', '<html>', neverDropped), Malformed);
  assert.equal(
    decodeAnswer('DELETE', `devices/${ID}`, '', neverDropped),
    undefined,
    'what nobody reads is not checked',
  );
});

test('decodeAnswer_of_request_outside_of_the_table_throws', () => {
  for (const path of ['nothing', 'conversations/a/b/c', `conversations/${ID}/log`, 'account/x', 'users/a/b']) {
    assert.throws(() => decoded('GET', path, {}), { name: 'TypeError' }, path);
  }
});

test('decodeAnswer_drops_a_malformed_conversation_and_keeps_the_others', () => {
  const dropped = /** @type {string[]} */ ([]);
  const text = JSON.stringify([DIRECT, { ...DIRECT, last_seq: -1 }, 7, DIRECT]);
  assert.deepEqual(
    decodeAnswer('GET', 'direct', text, ({ path }) => dropped.push(path)),
    [DIRECT, DIRECT],
  );
  assert.deepEqual(dropped, ['GET direct[0].last_seq', 'GET direct[0]']);
  assert.throws(() => decodeAnswer('GET', 'direct', '{}', neverDropped), Malformed);
});

test('api_counts_malformed_frames_and_passes_on_the_others', () => {
  class FakeSocket {
    /** @type {(event: { data: unknown }) => void} */
    onmessage = () => {};
    onerror = () => {};
    onclose = () => {};
    readyState = 1;
    send() {}
    close() {}
  }
  const api = new Api('http://127.0.0.1:9', { WebSocket: FakeSocket });
  const problems = /** @type {string[]} */ ([]);
  api.onMalformed = ({ message }) => problems.push(message);
  const frames = /** @type {unknown[]} */ ([]);
  const socket = api.open(
    (frame) => frames.push(frame),
    () => {},
  );
  for (const data of [JSON.stringify(ENTRY), JSON.stringify({ ...ENTRY, at: 'now' }), 'rubbish', '{"type":"ready"}'])
    socket.onmessage?.({ data });
  assert.deepEqual(frames, [ENTRY, { type: 'ready' }]);
  assert.deepEqual([api.malformed, problems], [2, ['entry.at is not an RFC 3339 time', 'frame is not JSON']]);
});

test('api_does_not_repeat_a_request_whose_answer_is_malformed', async () => {
  let requests = 0;
  const api = new Api('http://127.0.0.1:9', { fetch: async () => (requests++, new Response('{"id": 7}')) });
  await assert.rejects(api.callUntilAnswered('GET', 'account'), Malformed);
  assert.deepEqual([requests, api.malformed], [1, 1]);
});

test('api_rejection_without_the_server_s_form_is_still_a_Refused', async () => {
  for (const text of ['<html>Bad gateway</html>', '{"code": 7, "error": []}', 'null', '']) {
    const api = new Api('http://127.0.0.1:9', {
      fetch: async () => new Response(text, { status: 404, statusText: 'Not Found' }),
    });
    await assert.rejects(
      api.call('GET', 'account'),
      (error) => error instanceof Refused && error.code === 'error' && error.message === 'Not Found',
    );
  }
});

test('decodeAnswer_cleans_every_name_of_a_user', () => {
  const members = [{ id: ID, username: 'e\u200bve', role: 'owner' }];
  const conversation = { id: ID, epoch: 0, last_seq: 1, state: 'joined', members };
  const [{ members: cleaned }] = /** @type {any} */ (decoded('GET', 'conversations', [conversation]));
  assert.equal(cleaned[0].username, 'eve');
  const direct = { ...DIRECT, user: { id: ID, username: 'ｅve', bio: 'e\u200bve' } };
  assert.deepEqual(decoded('GET', 'direct', [direct]), [{ ...DIRECT, user: { ...direct.user, username: 'eve' } }]);
});
