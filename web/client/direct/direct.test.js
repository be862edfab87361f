// @ts-check
/** A malicious server gains nothing by false answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startInNode } from '../node/platform.js';
import { MemoryStorage } from '../storage/memory.js';
import { emptyConversation } from '../conversations/changes.js';

await startInNode();
const { Client } = await import('../client.js');

const GROUP = '0f8fad5b-d9cb-469f-a165-70867728950e';
const EVE = { id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', username: 'eve' };

/** A client in a group. */
async function inAGroup() {
  const storage = new MemoryStorage();
  const client = new Client('http://127.0.0.1:9', {
    storage,
    openDatabase: async () => assert.fail('it needs no keys'),
  });
  const group = { ...emptyConversation(GROUP), isActive: true, state: /** @type {const} */ ('joined') };
  await storage.write([['conversations', GROUP, group]]);
  return { client, storage, group };
}

/** @param {InstanceType<typeof Client>} client @param {Record<string, any>} answers by path */
function answerWith(client, answers) {
  client.api.callUntilAnswered = client.api.call = async (/** @type {string} */ _, /** @type {string} */ path) =>
    answers[path] ?? assert.fail(path);
}

/** @param {string} id @param {boolean} isWaiting a key, for us */
function shown(id, isWaiting) {
  return {
    id,
    user: EVE,
    last_seq: 0,
    last_message_at: null,
    key_fingerprint: null,
    key_waiting: isWaiting,
    blocked: false,
  };
}

test('group_never_becomes_a_direct_conversation', async () => {
  const { client, storage, group } = await inAGroup();
  const said = { conversation: GROUP, seq: 1, sender: EVE.id, text: 'plain', at: '2026-11-24T00:00:00Z' };
  await assert.rejects(client.direct.onText(said), /is a group/);
  await assert.rejects(client.direct.onChanged({ conversation: GROUP, seq: 1 }), /is a group/);
  const listed = [shown(GROUP, true)];
  answerWith(client, { direct: listed, [`direct/${EVE.id}/key`]: { conversation: GROUP, key: 'AAAA', reset: true } });
  await assert.rejects(client.direct.renewKey(EVE), /is a group/);
  const problems = /** @type {string[]} */ ([]);
  client.addEventListener('problem', (event) => problems.push(/** @type {CustomEvent} */ (event).detail.error.message));
  await client.direct.catchUp();
  assert.match(problems.join(), /is a group/);
  assert.deepEqual(await storage.get('conversations', GROUP), group);
  assert.equal(await storage.get('state', `key/${GROUP}`), undefined);
});

test('server_that_denies_the_key_gets_no_plain_text', async () => {
  const { client, storage } = await inAGroup();
  const { id } = EVE;
  client.me = /** @type {any} */ ({ user: { id: GROUP, username: 'me' } });
  const waiting = {
    id: '0'.repeat(32),
    order: 1,
    at: '',
    conversation: id,
    isDirect: true,
    content: { kind: /** @type {const} */ ('text'), id: '0'.repeat(32), text: 'secret' },
  };
  await storage.write([
    ['state', `key/${id}`, 'A'.repeat(43) + '='],
    ['outbox', waiting.id, waiting],
  ]);
  for (const [fingerprint, key] of [
    [null, 'here'],
    ['of another key', 'elsewhere'],
    [null, 'elsewhere'],
    [undefined, 'elsewhere'],
  ]) {
    answerWith(client, {
      direct: [{ ...shown(id, false), key_fingerprint: fingerprint }],
      [`direct/${id}/messages?after=0&limit=100`]: [],
    });
    await client.direct.catchUp();
    assert.equal((await storage.get('conversations', id))?.key, key);
    const posted = /** @type {any[]} */ ([]);
    client.api.callUntilAnswered = /** @type {any} */ (async (/** @type {any[]} */ ...given) => posted.push(given[2]));
    await client.directSender.deliver(waiting).catch((error) => assert.equal(error.code, 'no_key'));
    assert.deepEqual(
      posted.map(({ text }) => text.slice(0, 5)),
      key === 'here' ? ['aes1.'] : [],
    );
    await storage.write([['state', `sealed/${waiting.id}`]]);
  }
});
