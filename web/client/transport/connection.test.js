// @ts-check
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Connection } from './connection.js';

/** A client whose sockets are open at once. */
function connected() {
  const client = /** @type {any} */ (new EventTarget());
  client.emit = (/** @type {string} */ type) => client.dispatchEvent(new Event(type));
  client.api = {
    open: (/** @type {unknown} */ _, /** @type {() => void} */ close) => ({ readyState: 1, close, send() {} }),
  };
  const connection = new Connection(client, { onFrame() {}, isSessionOver: async () => false });
  return { client, connection };
}

test('connection_that_is_ready_leaves_no_listener_behind', async () => {
  const { client, connection } = connected();
  const ready = connection.connect();
  assert.equal(getEventListeners(client, 'logged out').length, 1);
  client.emit('ready');
  await ready;
  assert.deepEqual([...getEventListeners(client, 'ready'), ...getEventListeners(client, 'logged out')], []);
  connection.close();
});

test('connection_of_an_ended_session_is_refused_and_leaves_no_listener', async () => {
  const { client, connection } = connected();
  const ready = connection.connect();
  client.emit('logged out');
  await assert.rejects(ready, /your session has ended/);
  assert.deepEqual([...getEventListeners(client, 'ready'), ...getEventListeners(client, 'logged out')], []);
  connection.close();
});
