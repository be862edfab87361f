// @ts-check
/** What Node needs to be a platform for the client: WebSockets with headers, CoreCrypto's start, files. */
import { readFile } from 'node:fs/promises';
import WebSocket from 'ws';

/** In the browser a cookie says who we are; here a header does. */
export class NodeWebSocket extends WebSocket {
  static isNode = true;

  /** @param {string} address @param {import('ws').ClientOptions} [options] */
  constructor(address, options) {
    super(address, options);
  }
}

let started = /** @type {Promise<void> | null} */ (null);

/** CoreCrypto believes that it is in a window, and fetches its WebAssembly. */
export function startInNode() {
  started ??= (async () => {
    const globals = /** @type {any} */ (globalThis);
    globals.self ??= globalThis;
    globals.window ??= globalThis;
    const [{ startCoreCrypto }, { wasm }] = await Promise.all([
      import('../mls/core-crypto.js'),
      import('../../vendor/core-crypto.js'),
    ]);
    const bytes = await readFile(new URL(wasm));
    await startCoreCrypto(`data:application/wasm;base64,${bytes.toString('base64')}`);
  })();
  return started;
}

/**
 * A client that remembers in a folder. @param {string} folder
 * @returns {Promise<import('../context.js').Platform>}
 */
export async function platformIn(folder) {
  await startInNode();
  const { FileStorage, Snapshot } = await import('./files.js');
  const { openDatabase } = await import('../mls/core-crypto.js');
  const storage = await FileStorage.open(folder);
  const snapshot = new Snapshot(folder);
  await snapshot.load();
  return {
    storage,
    openDatabase: (me) => openDatabase('keys', me.databaseKey),
    persist: () => snapshot.save(),
    WebSocket: NodeWebSocket,
  };
}
