// @ts-check
/** The worker that leads: one client, and what the tabs may ask of it. */
import { Client } from '../client/client.js';
import { openDatabase, startCoreCrypto } from '../client/mls/core-crypto.js';
import { IndexedDbStorage, StorageOutdated } from '../client/storage/indexeddb.js';
import { EncryptedStorage } from '../client/storage/encrypted.js';
import { reportFailure } from './failure.js';
import { openKey, wipeKey } from './key.js';
import { createRpc, runCall } from './rpc.js';

const CHANNEL = 'sottovoce';
const STORE = 'sottovoce';
const KEYS = 'sottovoce-keys';
const PAGES = 'core-crypto'; // where CoreCrypto keeps the (encrypted) pages of that database

/** What a tab is told as it happens. */
const TOLD = [
  'conversation',
  'item',
  'waiting',
  'sent',
  'dropped',
  'failed',
  'typing',
  'ready',
  'offline',
  'logged out',
  'message',
  'problem',
  'me',
  'emptied',
];

export async function lead() {
  const channel = new BroadcastChannel(CHANNEL);
  const storage = new EncryptedStorage(new IndexedDbStorage(STORE, { onOutdated }), openKey);
  /** @type {Promise<unknown> | null} */
  let core = null;
  const client = new Client(self.location.origin, {
    storage,
    name: deviceName(),
    openDatabase: async (me) => {
      await (core ??= startCoreCrypto());
      return openDatabase(KEYS, me.databaseKey);
    },
  });
  /** What happens while a snapshot is made, which may be older: it is told after it. @type {any[]} */
  const held = [];
  let inMaking = 0;

  /** @param {string} event @param {any} detail */
  function tell(event, detail) {
    if (inMaking) held.push({ event, detail });
    else channel.postMessage({ event, detail });
  }

  /** @param {() => Promise<object>} make the message that goes before what happened meanwhile */
  async function tellFirst(make) {
    inMaking++;
    try {
      channel.postMessage(await make());
    } finally {
      inMaking--;
      if (!inMaking) for (const message of held.splice(0)) channel.postMessage(message);
    }
  }

  for (const type of TOLD)
    client.addEventListener(type, (event) => tell(type, plain(/** @type {CustomEvent} */ (event).detail)));
  const page = {
    emit: tell,
    /** @param {() => Promise<object>} snapshot */
    emitSnapshot: (snapshot) => tellFirst(async () => ({ event: 'snapshot', detail: await snapshot() })),
  };
  const { start, rpc } = createRpc(client, page, async () => {
    for (const name of [KEYS, PAGES]) indexedDB.deleteDatabase(name); // waits until CoreCrypto is gone, with this worker
    await storage.wipe();
    await wipeKey();
  });
  await start();
  channel.onmessage = async ({ data: { call, group, method, args } }) => {
    if (call === undefined) return;
    try {
      const answer = async () => ({ answer: call, result: await runCall(rpc, group, method, args) });
      if (`${group}.${method}` === 'page.snapshot') await tellFirst(answer);
      else channel.postMessage(await answer());
    } catch (error) {
      channel.postMessage({ answer: call, error: plain({ error }).error });
    }
  };
  channel.postMessage({ event: 'leads', detail: {} });
}

/** A newer release has upgraded the database: this worker can do nothing more. */
function onOutdated() {
  reportFailure(new StorageOutdated());
  self.close();
}

/** An error does not go through a channel with what it knows. @param {any} detail */
function plain(detail) {
  if (!(detail.error instanceof Error)) return detail;
  const { code = 'error', status = 0, message, retryAfterS = 0 } = /** @type {any} */ (detail.error);
  return { ...detail, error: { code, status, message, retryAfterS } };
}

/** As its owner sees it among the others. */
function deviceName() {
  const agent = navigator.userAgent;
  const browser = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'].find((name) => agent.includes(`${name}/`)) ?? 'Browser';
  const names = /** @type {Record<string, string>} */ ({ Edg: 'Edge', OPR: 'Opera' });
  const system = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Mac OS', 'Mac'],
    ['Windows', 'Windows'],
    ['CrOS', 'Chromebook'],
    ['Linux', 'Linux'],
  ].find(([word]) => agent.includes(word));
  return `${names[browser] ?? browser}${system ? ` on ${system[1]}` : ''}`;
}
