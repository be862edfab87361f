// @ts-check
/** The client's platform in Node: WebSockets with headers, CoreCrypto's start, storage in files. */
import { readFile } from 'node:fs/promises';
import WebSocket from 'ws';
import { EncryptedStorage } from '../storage/encrypted.js';

/** Node sends the session's token in a header; browsers send a cookie. */
export class NodeWebSocket extends WebSocket {
  static isNode = true;

  /** @param {string} address @param {import('ws').ClientOptions} [options] */
  constructor(address, options) {
    super(address, options);
  }
}

export class WrongPassphrase extends Error {
  name = 'WrongPassphrase';

  constructor() {
    super('wrong passphrase');
  }
}

let started = /** @type {Promise<void> | null} */ (null);

/** CoreCrypto expects a window, and fetches its WebAssembly. */
export function startInNode() {
  started ??= (async () => {
    const globals = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
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
 * The platform of a client that stores its data in a folder, encrypted with a key.
 * @param {string} folder @param {Pick<import('./passphrase.js').FolderKey, 'open' | 'mayBePlain' | 'markEncrypted'>} key
 * @returns {Promise<import('../context.js').Platform>} Throws WrongPassphrase.
 */
export async function platformIn(folder, key) {
  await startInNode();
  const { FileStorage, Snapshot } = await import('./files.js');
  const { openDatabase } = await import('../mls/core-crypto.js');
  const files = await FileStorage.open(folder);
  const storage = new EncryptedStorage(files, () => key.open());
  const isPlain = await key.mayBePlain();
  await storage.upgrade({ isPlain }).catch((/** @type {unknown} */ error) => {
    const isKeyWrong = error instanceof DOMException && error.name === 'OperationError';
    throw isKeyWrong ? new WrongPassphrase() : error;
  });
  if (isPlain) await files.compact(); // no earlier value stays on disk
  await key.markEncrypted();
  const snapshot = new Snapshot(folder);
  await snapshot.load();
  return {
    storage,
    openDatabase: (me) => openDatabase('keys', me.databaseKey),
    persist: () => snapshot.save(),
    WebSocket: NodeWebSocket,
  };
}
