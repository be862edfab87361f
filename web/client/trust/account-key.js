// @ts-check
/** The account key: an Ed25519 key (RFC 8032) that the devices of an account share and the server does not have. */
import { ed25519 } from '../../vendor/curves.js';
import { randomBytes, toBase64 } from '../util/bytes.js';

export const SEED_BYTES = 32;

export class AccountKey {
  /** @param {Uint8Array} seed the private key */
  constructor(seed) {
    this.seed = seed;
    /** In base64. */
    this.publicKey = toBase64(ed25519.getPublicKey(seed));
  }

  static generate() {
    return new AccountKey(randomBytes(SEED_BYTES));
  }

  /** @param {Uint8Array} signed @returns {Uint8Array} 64 bytes */
  sign(signed) {
    return ed25519.sign(signed, this.seed);
  }
}

/**
 * Never throws: a key or signature of a wrong form verifies nothing.
 * @param {Uint8Array} publicKey @param {Uint8Array} signed @param {Uint8Array} signature
 */
export function isSignedBy(publicKey, signed, signature) {
  try {
    return ed25519.verify(signature, signed, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
