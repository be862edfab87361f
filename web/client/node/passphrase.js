// @ts-check
/** The key that encrypts a device's folder, derived from a passphrase by scrypt (RFC 7914). */
import { randomBytes, scrypt } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }; // takes 128 MiB and about half a second
const derive = /** @type {(word: string, salt: Buffer, bytes: number, cost: typeof COST) => Promise<Buffer>} */ (
  /** @type {unknown} */ (promisify(scrypt))
);

/**
 * The files of the salt. The folder is encrypted with certainty once the first one exists: until then its values may be
 * those of a release that did not encrypt them.
 */
const SALT = 'salt';
const SALT_BEFORE = 'salt.new';
export const SALTS = [SALT, SALT_BEFORE];

export class FolderKey {
  /** @type {Promise<string> | null} */
  #passphrase = null;

  /** @param {string} folder @param {(isNew: boolean) => Promise<string>} ask for the passphrase; `isNew`: choose one */
  constructor(folder, ask) {
    this.folder = folder;
    this.ask = ask;
  }

  /** Whether the folder may hold values that are not encrypted. */
  async isNew() {
    return (await read(join(this.folder, SALT))) === null;
  }

  /** @returns {Promise<CryptoKey>} */
  async open() {
    const passphrase = await (this.#passphrase ??= this.isNew().then(this.ask));
    if (!passphrase) throw new Error('the passphrase is empty');
    const bytes = await derive(passphrase.normalize('NFC'), await this.#salt(), 32, COST);
    return crypto.subtle.importKey('raw', new Uint8Array(bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
  }

  async #salt() {
    for (const name of SALTS) {
      const known = await read(join(this.folder, name));
      if (known !== null) return Buffer.from(known, 'base64');
    }
    const made = randomBytes(16);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(join(this.folder, SALT_BEFORE), made.toString('base64'), { mode: 0o600, flush: true });
    return made;
  }

  /** All values are encrypted. */
  async settle() {
    if (await this.isNew()) await rename(join(this.folder, SALT_BEFORE), join(this.folder, SALT));
  }
}

/** @param {string} path @returns {Promise<string | null>} null if there is no such file */
function read(path) {
  return readFile(path, 'utf8').catch((/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
}
