// @ts-check
/** A device in its own thread, which can be killed at any moment; its data is in a folder. */
import { parentPort, workerData } from 'node:worker_threads';
import { readersOf } from '../client/conversations/readers.js';
import { platformIn } from '../client/node/platform.js';
import { FOLDER_KEY } from './folder-key.js';
import { PASSWORD } from './password.js';

const { server, folder, username, how } = workerData;
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const platform = await platformIn(folder, FOLDER_KEY);
const { Client } = await import('../client/client.js');
const client = new Client(server, platform);

for (const type of ['undecryptable', 'problem', 'rejoined']) {
  client.addEventListener(type, (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    port.postMessage({ event: type, detail: detail.error ? String(detail.error.stack) : detail });
  });
}

/** This user agrees: a device that was added meanwhile may read it too. */
async function agree() {
  for (const { id, conversation, failure } of await client.outbox.waiting())
    if (failure?.code === 'new_readers') await client.outbox.retry(id, readersOf(await client.store.get(conversation)));
}

client.listen('ready', () => void client.attempt(agree)); // after a crash
client.listen('failed', ({ id, code }) => {
  if (code === 'new_readers') void client.attempt(agree);
  else port.postMessage({ event: 'failed', detail: { id, code } });
});

/** @type {Record<string, (...given: any[]) => unknown>} */
const verbs = {
  start: (usernames) => client.membership.start(usernames),
  say: (conversation, text) => client.outbox.sendText(conversation, text),
  update: (conversation) => client.inTurn(() => client.membership.update(conversation)),
  add: (conversation, username) => client.membership.add(conversation, [username]),
  remove: (conversation, username) =>
    client.membership.find(username).then(({ id }) => client.membership.remove(conversation, id)),
  call: (...request) => client.api.callUntilAnswered(.../** @type {[string, string]} */ (request)),
  askToBeLinked: () => client.linking.ask(),
  link: (code) => client.linking.link(code),
  close: () => client.connection.close(),
  connect: () => client.connection.connect().then(() => {}),
  async look(conversation) {
    await client.settled();
    const known = await client.storage.get('conversations', conversation);
    const items = await client.store.items(conversation, { limit: Infinity });
    return {
      me: client.me,
      ...known,
      waiting: (await client.outbox.waiting()).length,
      epoch: await client.mls.epoch(conversation),
      messages: items.filter((item) => item.notice === undefined).map(({ seq, device, text }) => [seq, device, text]),
    };
  },
};

port.on('message', async ({ id, verb, given }) => {
  try {
    port.postMessage({ id, result: (await verbs[verb](...given)) ?? null });
  } catch (error) {
    const { code, stack } = /** @type {any} */ (error);
    port.postMessage({ id, error: { code, stack: String(stack) } });
  }
});

if (!(await client.account.resume()))
  await client.account[/** @type {'register' | 'logIn'} */ (how)](username, PASSWORD);
void client.attempt(() => client.connection.connect());
port.postMessage({ event: 'up', detail: client.me });
