// @ts-check
/** A message of a direct conversation is delivered once, also after faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refused, sleep } from '../transport/api.js';
import { fingerprintOf, importKey, decryptText } from './cipher.js';
import { startInNode } from '../node/platform.js';
import { MemoryStorage } from '../storage/memory.js';
import { emptyConversation } from '../conversations/changes.js';

await startInNode();
const { Client } = await import('../client.js');

const ME = { id: '0f8fad5b-d9cb-469f-a165-70867728950e', username: 'me' };
const EVE = { id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', username: 'eve' };
const ID = '3f94f62e-d48f-4428-8165-4f311033e101';
const [FIRST_KEY, SECOND_KEY] = ['A', 'B'].map((letter) => letter.repeat(42) + 'A=');
const AT = '2026-11-24T00:00:00Z';

/** The server's side of one conversation: it stores each text once and sends it to its author. */
class Server {
  key = FIRST_KEY;
  isKeyWaiting = false;
  seq = 0;
  /** @type {{ seq: number, id: string, text: string }[]} */
  rows = [];
  /** @type {string[]} the requests that wrote, as they came */
  writes = [];
  /** What a request waits for before it is looked at. @type {Promise<unknown> | null} */
  gate = null;

  /** @param {import('../client.js').Client} client */
  constructor(client) {
    this.client = client;
  }

  /** The other user makes a new key, which deletes the messages. */
  renewKey() {
    Object.assign(this, { key: SECOND_KEY, isKeyWaiting: true, rows: [], seq: 0 });
    this.client.later(() => this.client.direct.onChanged({ conversation: ID }));
  }

  async texts() {
    const key = await importKey(this.key);
    return Promise.all(this.rows.map(async ({ text }) => (await decryptText(key, ID, text)).text));
  }

  /** @param {string} method @param {string} path @param {any} [body] @returns {Promise<any>} */
  async call(method, path, body) {
    if (path === 'direct')
      return [
        {
          id: ID,
          user: EVE,
          last_seq: this.seq,
          last_message_at: null,
          key_fingerprint: await fingerprintOf(this.key),
          key_waiting: this.isKeyWaiting,
          blocked: false,
        },
      ];
    if (path.endsWith('/key/claim')) {
      this.isKeyWaiting = false;
      return { key: this.key };
    }
    if (method === 'GET')
      return this.rows.filter(({ seq }) => seq > Number(/after=(\d+)/.exec(path)?.[1])).map((row) => this.#frame(row));
    this.writes.push(`${method} ${body?.id ?? path.split('/').at(-1)}`);
    await this.gate;
    if (method === 'POST') return this.#store(body);
    const seq = Number(path.split('/').at(-1));
    if (!this.rows.some((row) => row.seq === seq)) throw new Refused(404, 'no_such_message', 'It is not there', 0);
    this.rows = this.rows.filter((row) => row.seq !== seq);
  }

  /** @param {{ id: string, text: string }} body */
  #store({ id, text }) {
    const known = this.rows.find((row) => row.id === id);
    if (known && known.text !== text) throw new Refused(409, 'id_taken', 'Another text has this id', 0);
    const row = known ?? { seq: ++this.seq, id, text };
    if (!known) this.rows.push(row);
    if (!known) this.client.later(() => this.client.direct.onText(this.#frame(row)));
    return { seq: row.seq, at: AT };
  }

  /** @param {{ seq: number, id: string, text: string }} row */
  #frame({ seq, id, text }) {
    return { conversation: ID, seq, sender: ME.id, text, at: AT, id };
  }
}

/** A client in a direct conversation. */
async function talking() {
  const storage = new MemoryStorage();
  const client = new Client('http://127.0.0.1:9', {
    storage,
    openDatabase: async () => assert.fail('it needs no keys'),
  });
  client.me = /** @type {any} */ ({ user: ME, device: 'd' });
  client.connection = /** @type {any} */ ({ isReady: true });
  const people = [ME, EVE].map((one) => ({ ...one, role: /** @type {const} */ ('member') }));
  const conversation = {
    ...emptyConversation(ID),
    kind: 'direct',
    isActive: true,
    state: 'joined',
    key: 'here',
    people,
    fingerprint: await fingerprintOf(FIRST_KEY),
  };
  await storage.write([
    ['state', `key/${ID}`, FIRST_KEY],
    ['conversations', ID, conversation],
  ]);
  const server = new Server(client);
  client.api.call = client.api.callUntilAnswered = (method, path, body) => server.call(method, path, body);
  const items = async () => (await storage.all('items')).map(([, { text, isDeleted }]) => (isDeleted ? null : text));
  return { client, storage, server, items };
}

/** A promise that waits until it is opened. */
function gate() {
  let open = () => {};
  const opened = new Promise((resolve) => (open = () => resolve(undefined)));
  return { opened, open: () => open() };
}

/** All requests wait until the returned function is called. @param {Server} server */
function gated(server) {
  const { opened, open } = gate();
  server.gate = opened;
  return open;
}

/** @param {() => boolean | Promise<boolean>} isSo */
async function until(isSo) {
  for (let tries = 0; !(await isSo()); tries++) {
    assert.ok(tries < 500, String(isSo));
    await sleep(4);
  }
}

/** @param {import('../client.js').Client} client */
async function nothingWaits(client) {
  await until(async () => (await client.outbox.waiting()).length === 0);
  await client.settled();
  assert.deepEqual(await client.storage.all('state', 'sealed/'), [], 'no ciphertext is left');
}

test('text_in_flight_during_key_change_is_sent_again', async () => {
  const { client, server, items } = await talking();
  const open = gated(server);
  await client.outbox.send(ID, { kind: 'text', text: 'hello' });
  await until(() => server.writes.length === 1);
  server.renewKey();
  await client.settled();
  open();
  await nothingWaits(client);
  assert.deepEqual(await server.texts(), ['hello']);
  assert.deepEqual(await items(), ['hello'], 'the unreadable text is not shown');
});

test('text_in_flight_during_key_change_survives_a_crash', async () => {
  const { client, storage, server } = await talking();
  const open = gated(server);
  const id = await client.outbox.send(ID, { kind: 'text', text: 'hello' });
  await until(() => server.writes.length === 1);
  const lost = await storage.get('state', `sealed/${id}`);
  client.connection = /** @type {any} */ ({ isReady: false }); // nothing else sets out
  server.renewKey();
  await client.settled();
  const { write } = storage;
  const crash = new Promise((resolve) => client.addEventListener('problem', resolve));
  storage.write = async (changes) => {
    if (changes.some(([collection, key]) => collection === 'outbox' && key !== id)) throw new Error('a crash');
    return write.call(storage, changes);
  };
  open();
  await crash;
  await client.settled();
  assert.equal(
    /** @type {import('../content/text.js').Text | undefined} */ ((await storage.get('outbox', id))?.content)?.text,
    'hello',
    'it still waits',
  );
  assert.deepEqual(server.rows, []);

  storage.write = write;
  await client.direct.onText({ conversation: ID, seq: 1, sender: ME.id, text: String(lost), at: AT, id });
  assert.deepEqual(
    server.writes.filter((one) => one === 'DELETE 1').length,
    2,
    'it is deleted again, and a missing message is no error',
  );
  client.connection = /** @type {any} */ ({ isReady: true });
  await client.inTurn(() => client.emitAndWait('ready', {}));
  await nothingWaits(client);
  assert.deepEqual(await server.texts(), ['hello']);
});

test('waiting_texts_are_sent_once_after_reconnection', async () => {
  const { client, server } = await talking();
  const open = gated(server);
  for (const text of ['one', 'two']) await client.outbox.send(ID, { kind: 'text', text });
  await until(() => server.writes.length === 1);
  await client.inTurn(() => client.emitAndWait('ready', {}));
  open();
  await nothingWaits(client);
  await client.outbox.send(ID, { kind: 'text', text: 'three' });
  await nothingWaits(client);
  assert.deepEqual(await server.texts(), ['one', 'two', 'three']);
  assert.equal(new Set(server.writes).size, server.writes.length);
});

test('text_deleted_while_queued_twice_is_not_sent_again', async () => {
  const { client, server, items } = await talking();
  const open = gated(server);
  await client.outbox.send(ID, { kind: 'text', text: 'one' });
  await until(() => server.writes.length === 1);
  await client.inTurn(() => client.emitAndWait('ready', {}));
  const second = gate();
  const { deliver } = client.directSender;
  client.directSender.deliver = async (waiting) => {
    await second.opened; // the second delivery waits
    return deliver.call(client.directSender, waiting);
  };
  open();
  await until(async () => (await items()).includes('one'));
  await client.deleteForEveryone(ID, 1);
  second.open();
  await nothingWaits(client);
  assert.deepEqual(server.rows, []);
});

test('deleting_a_deleted_message_removes_it_here', async () => {
  const { client, server, items } = await talking();
  await client.outbox.send(ID, { kind: 'text', text: 'one' });
  await nothingWaits(client);
  server.rows = []; // deleted by another device while this one was offline
  await client.deleteForEveryone(ID, 1);
  await client.settled();
  assert.deepEqual(await items(), [null]);
});
