// @ts-check
/**
 * What a device must not do whatever the server sends: lose a message, or send a text to the wrong kind of
 * conversation.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64 } from '../util/bytes.js';
import { encodeContent } from '../content/index.js';
import { startInNode } from '../node/platform.js';
import { MemoryStorage } from '../storage/memory.js';
import { emptyConversation } from './changes.js';

await startInNode();
const { Client } = await import('../client.js');

const ME = { user: '0f8fad5b-d9cb-469f-a165-70867728950e', device: '1111111111111111' };
const EVE = { user: '7c9e6679-7425-40de-944b-e07fc1f90ae7', device: '2222222222222222' };
const GROUP = '3f94f62e-d48f-4428-8165-4f311033e101';
const AT = '2026-11-24T11:43:36.681804Z';
const TEXT = { kind: /** @type {const} */ ('text'), id: 'a'.repeat(32), text: 'are you there?' };

/** A socket whose frames the test sends, and which keeps the frames that the client sends. */
class FakeSocket {
  static isNode = true;
  /** @type {FakeSocket | null} */
  static last = null;
  readyState = 1;
  /** @type {any[]} */
  sent = [];
  onFrame = (/** @type {any} */ _frame) => {};
  /** @type {(event: { data: string }) => void} */
  onmessage = () => {};
  onerror = () => {};
  onclose = () => {};

  constructor() {
    FakeSocket.last = this;
  }

  /** @param {string} text */
  send(text) {
    const frame = JSON.parse(text);
    this.sent.push(frame);
    this.onFrame(frame);
  }

  close() {
    this.readyState = 3;
    this.onclose();
  }
}

/** A device in a group whose MLS is the plaintext itself. */
async function connected() {
  const storage = new MemoryStorage();
  const client = new Client('http://127.0.0.1:9', {
    storage,
    WebSocket: FakeSocket,
    fetch: async () => Response.json({ code: 'not_found', error: 'There is no server' }, { status: 404 }),
    openDatabase: async () => assert.fail('no keys needed'),
  });
  client.me = /** @type {any} */ ({ user: { id: ME.user, username: 'me' }, device: ME.device });
  client.enrolment.knowsOwnList = async () => true;
  const members = [ME, EVE].map((one) => ({ ...one, thumbprint: one.device }));
  client.mls = /** @type {any} */ ({
    decrypt: async (/** @type {string} */ _, /** @type {Uint8Array} */ data, /** @type {any} */ keep) =>
      keep(data, EVE),
    members: async () => members,
    epoch: async () => 1,
    forget: async () => {},
    accept: async () => {},
  });
  await storage.write([
    ['conversations', GROUP, { ...emptyConversation(GROUP), isActive: true, state: 'joined', members }],
  ]);
  client.connection.connect().catch(() => {});
  const socket = /** @type {FakeSocket} */ (FakeSocket.last);
  const receive = async (/** @type {unknown} */ frame) => {
    socket.onmessage({ data: JSON.stringify(frame) });
    await client.settled();
  };
  return { client, storage, socket, receive };
}

const entry = { type: 'entry', conversation: GROUP, seq: 1, epoch: 1, kind: 'application', sender: EVE.device, at: AT };
const textEntry = { ...entry, data: toBase64(encodeContent(TEXT)) };
const acks = (/** @type {FakeSocket} */ socket) =>
  socket.sent.filter(({ type }) => type === 'ack').map(({ conversation, seq }) => ({ conversation, seq }));

test('deleted_frame_of_the_server_removes_nothing', async () => {
  const { client, storage, receive } = await connected();
  await receive(textEntry);
  const items = await storage.all('items');
  const before = [items, await storage.all('conversations')];
  assert.equal(items[0][1].text, TEXT.text);
  await receive({ type: 'deleted', conversation: GROUP, seq: 1 });
  await receive(entry); // the log shows a deleted entry without its data
  assert.deepEqual([await storage.all('items'), await storage.all('conversations')], before);
  client.connection.close();
});

test('entry_is_stored_before_it_is_acknowledged', async () => {
  const { client, storage, socket, receive } = await connected();
  const write = storage.write.bind(storage);
  storage.write = async (changes) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await write(changes);
  };
  /** @type {Promise<any[]> | undefined} */
  let storedAtAck;
  socket.onFrame = ({ type }) => {
    // Reads at once.
    if (type === 'ack') storedAtAck = Promise.all([storage.all('items'), storage.get('conversations', GROUP)]);
  };
  await receive(textEntry);
  assert.deepEqual(acks(socket), [{ conversation: GROUP, seq: 1 }]);
  const [items, conversation] = (await storedAtAck) ?? [];
  assert.deepEqual([items.length, items[0]?.[1].text, conversation.cursor], [1, TEXT.text, 1]);
  client.connection.close();
});

test('entry_that_cannot_be_stored_is_not_acknowledged', async () => {
  const { client, storage, socket, receive } = await connected();
  const problems = /** @type {string[]} */ ([]);
  client.addEventListener('problem', (event) => problems.push(/** @type {CustomEvent} */ (event).detail.error.message));
  const write = storage.write.bind(storage);
  storage.write = async () => {
    throw new Error('the disk is full');
  };
  await receive(textEntry);
  assert.deepEqual(acks(socket), []);
  assert.deepEqual(problems, ['the disk is full']);
  storage.write = write;
  await receive(textEntry);
  assert.deepEqual(acks(socket), [{ conversation: GROUP, seq: 1 }], 'the server sends it again');
  client.connection.close();
});

test('malformed_frame_changes_nothing_and_is_reported', async () => {
  const { client, storage, socket, receive } = await connected();
  const codes = /** @type {string[]} */ ([]);
  client.addEventListener('problem', (event) => codes.push(/** @type {CustomEvent} */ (event).detail.error.code));
  const before = await storage.all('conversations');
  for (const frame of [
    { ...textEntry, at: 'yesterday' },
    { ...textEntry, seq: '1' },
    { type: 'typing', conversation: {} },
    'entry',
  ])
    await receive(frame);
  assert.deepEqual([await storage.all('conversations'), await storage.all('items'), acks(socket)], [before, [], []]);
  assert.deepEqual([codes, client.api.malformed], [Array(4).fill('malformed'), 4]);
  client.connection.close();
});

test('welcome_is_stored_before_it_is_acknowledged', async () => {
  const { client, storage, socket, receive } = await connected();
  const id = '11111111-2222-4333-8444-555555555555';
  /** @type {Promise<any> | undefined} */
  let storedAtAck;
  socket.onFrame = ({ type }) => {
    if (type === 'ack') storedAtAck = storage.get('conversations', id);
  };
  await receive({ type: 'welcome', conversation: id, seq: 4, data: toBase64(new Uint8Array(4)) });
  assert.deepEqual(acks(socket), [{ conversation: id, seq: 4 }]);
  const { cursor, isActive } = await storedAtAck;
  assert.deepEqual({ cursor, isActive }, { cursor: 4, isActive: true });
  client.connection.close();
});

test('group_text_is_never_sent_to_a_direct_conversation_nor_the_reverse', async () => {
  const { client, storage } = await connected();
  const sent = /** @type {string[]} */ ([]);
  client.connection.close();
  client.connection = /** @type {any} */ ({
    isReady: true,
    send: (/** @type {any} */ frame) => sent.push(`group ${frame.id}`),
  });
  client.mls.encrypt = async () => ({ epoch: 1, data: new Uint8Array(1) });
  client.directSender.deliver = async ({ id }) => void sent.push(`direct ${id}`);
  const waiting = (/** @type {string} */ id, /** @type {boolean} */ isDirect) => ({
    id,
    order: 1,
    at: AT,
    conversation: GROUP,
    isDirect,
    content: { ...TEXT, id },
  });
  const [forGroup, forDirect] = [waiting('b'.repeat(32), false), waiting('c'.repeat(32), true)];
  await storage.write([forGroup, forDirect].map((one) => ['outbox', one.id, one]));
  const conversation = await storage.get('conversations', GROUP);
  for (const [kind, expected] of /** @type {const} */ ([
    ['direct', `direct ${forDirect.id}`],
    [undefined, `group ${forGroup.id}`],
  ])) {
    await storage.write([['conversations', GROUP, { ...conversation, kind }]]);
    sent.length = 0;
    await client.inTurn(() => client.emitAndWait('ready', {}));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(sent, [expected]);
  }
});
