// @ts-check
/** The key that encrypts this browser's storage: the browser keeps it, and no script can read its bytes. */
import { deleteDB, openDB } from '../vendor/idb.js';
import { EncryptedStorage } from '../client/storage/encrypted.js';

const NAME = 'sottovoce-key';
const STORE = 'key';

/** @returns {Promise<CryptoKey>} */
export async function openKey() {
  const database = await openDB(NAME, 1, {
    upgrade: (created) => void created.createObjectStore(STORE),
    blocking: (_, __, event) => /** @type {IDBDatabase} */ (event.target).close(),
  });
  try {
    /** @type {unknown} */
    const known = await database.get(STORE, STORE);
    if (known instanceof CryptoKey) return known;
    const key = await EncryptedStorage.makeKey();
    const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
    await Promise.all([transaction.store.put(key, STORE), transaction.done]);
    return key;
  } finally {
    database.close();
  }
}

export async function wipeKey() {
  await deleteDB(NAME);
}
