// @ts-check
/** The key of this browser's memory: kept by the browser, usable here, readable by nobody's script. */
import { SealedStorage } from '../client/storage/encrypted.js';

const NAME = 'sottovoce-key';
const STORE = 'key';

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<CryptoKey>} */
export async function openKey() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  const database = await done(request);
  const known = await done(database.transaction(STORE).objectStore(STORE).get(STORE));
  const key = known ?? (await SealedStorage.makeKey());
  if (!known) await done(database.transaction(STORE, 'readwrite', { durability: 'strict' }).objectStore(STORE).put(key, STORE));
  database.close();
  return key;
}

export async function wipeKey() {
  await done(indexedDB.deleteDatabase(NAME));
}
