// @ts-check
/** The leading worker: it has the client, answers the tabs' calls, and forwards events to them. */
import { Client } from '../client/client.js';
import { openDatabase, startCoreCrypto } from '../client/mls/core-crypto.js';
import { IndexedDbStorage, StorageOutdated } from '../client/storage/indexeddb.js';
import { EncryptedStorage } from '../client/storage/encrypted.js';
import { FORWARDED } from './events.js';
import { reportFailure } from './failure.js';
import { openKey, wipeKey } from './key.js';
import { createRpc, runCall } from './rpc.js';

const CHANNEL = 'sottovoce';
const STORE = 'sottovoce';
const KEYS = 'sottovoce-keys';
const PAGES = 'core-crypto'; // where CoreCrypto keeps the (encrypted) pages of that database

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
    erase: async () => {
      // Waits until CoreCrypto is gone, with this worker.
      for (const name of [KEYS, PAGES]) indexedDB.deleteDatabase(name);
      await wipeKey();
    },
  });
  /** Events that happen while a snapshot is made; tabs get them after it, because it may be older. @type {object[]} */
  const held = [];
  let snapshotsInProgress = 0;

  /** @type {import('./events.js').Emit} */
  const emit = (event, detail) => {
    if (snapshotsInProgress) held.push({ event, detail });
    else channel.postMessage({ event, detail });
  };

  /** @param {() => Promise<object>} make a message that goes out before the events of the meantime */
  async function sendBeforeEvents(make) {
    snapshotsInProgress++;
    try {
      channel.postMessage(await make());
    } finally {
      snapshotsInProgress--;
      if (!snapshotsInProgress) for (const message of held.splice(0)) channel.postMessage(message);
    }
  }

  for (const type of FORWARDED) client.listen(type, (detail) => emit(type, detail));
  client.listen('problem', ({ error }) => emit('problem', { error: plainError(error) }));
  const tabs = {
    emit,
    /** @param {() => Promise<object>} snapshot */
    emitSnapshot: (snapshot) => sendBeforeEvents(async () => ({ event: 'snapshot', detail: await snapshot() })),
  };
  await storage.upgrade();
  const { start, rpc } = createRpc(client, tabs);
  await start();
  /** @param {MessageEvent<import('../app/link.js').Call & { call?: string }>} event */
  channel.onmessage = async ({ data: { call, group, method, args } }) => {
    if (call === undefined) return;
    try {
      const answer = async () => ({ answer: call, result: await runCall(rpc, group, method, args) });
      if (`${group}.${method}` === 'page.snapshot') await sendBeforeEvents(answer);
      else channel.postMessage(await answer());
    } catch (error) {
      channel.postMessage({ answer: call, error: plainError(error) });
    }
  };
  channel.postMessage({ event: 'leads', detail: {} });
}

/** A newer release has upgraded the database: this worker can do nothing more. */
function onOutdated() {
  reportFailure(new StorageOutdated());
  self.close();
}

/** An error loses its own properties in a channel. @param {unknown} error */
function plainError(error) {
  const {
    code = 'error',
    status = 0,
    message,
    retryAfterS = 0,
  } = /** @type {import('../client/transport/api.js').Refused} */ (
    error instanceof Error ? error : new Error(String(error))
  );
  return { code, status, message, retryAfterS };
}

/** The name of this device in the user's list of devices. */
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
