// @ts-check
/** The key that encrypts a device's folder, derived from a passphrase by scrypt (RFC 7914). */
import { randomBytes, scrypt } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readIfThere } from './read.js';

const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }; // takes 128 MiB and about half a second
const SALT_BYTES = 16;
const derive = /** @type {(word: string, salt: Uint8Array, bytes: number, cost: typeof COST) => Promise<Buffer>} */ (
  /** @type {unknown} */ (promisify(scrypt))
);

/** The salt is in SALT_BEFORE until everything in the folder is encrypted, and then in SALT. */
const SALT = 'salt';
const SALT_BEFORE = 'salt.new';
export const SALTS = [SALT, SALT_BEFORE];

export class FolderKey {
  /** @type {Promise<string> | null} */
  #passphrase = null;
  #isEncrypted = false;

  /** @param {string} folder @param {(isNew: boolean) => Promise<string>} ask for the passphrase; `isNew`: choose one */
  constructor(folder, ask) {
    this.folder = folder;
    this.ask = ask;
  }

  /** Whether the folder may hold values of a release that did not encrypt them. */
  async mayBePlain() {
    return !this.#isEncrypted && (await this.#saltIn(SALT)) === null;
  }

  /** @returns {Promise<CryptoKey>} */
  async open() {
    const passphrase = await (this.#passphrase ??= this.mayBePlain().then(this.ask));
    if (!passphrase) throw new Error('the passphrase is empty');
    const bytes = await derive(passphrase.normalize('NFC'), await this.#salt(), 32, COST);
    return crypto.subtle.importKey('raw', new Uint8Array(bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
  }

  async #salt() {
    const known = (await this.#saltIn(SALT)) ?? (await this.#saltIn(SALT_BEFORE));
    if (known) return known;
    const made = randomBytes(SALT_BYTES);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const name = this.#isEncrypted ? SALT : SALT_BEFORE; // after a wipe, everything is encrypted
    await writeFile(join(this.folder, name), made, { mode: 0o600, flush: true });
    return made;
  }

  /** Null where it is missing, or was cut off by a crash. @param {string} name */
  async #saltIn(name) {
    const bytes = await readIfThere(join(this.folder, name));
    return bytes?.length === SALT_BYTES ? bytes : null;
  }

  /** All values in the folder are encrypted. */
  async markEncrypted() {
    if (await this.mayBePlain()) await rename(join(this.folder, SALT_BEFORE), join(this.folder, SALT));
    this.#isEncrypted = true;
  }
}
