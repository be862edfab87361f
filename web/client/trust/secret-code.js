// @ts-check
/**
 * Secrets that people write down, type or scan: 128 random bits as 28 letters of Crockford's base32 in seven groups, the
 * last 12 bits being a checksum. What is encrypted with one can be given to the server.
 */
import { randomBytes, toHex } from '../util/bytes.js';

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SECRET_BYTES = 16;
const CODE_LETTERS = 28;
const NONCE_BYTES = 12;
const encoder = new TextEncoder();

/** The code has a wrong letter or length. */
export class MistypedCode extends Error {
  name = 'MistypedCode';
  code = 'mistyped_code';
}

/** The code is another one than that which encrypted the bytes, or they were changed. */
export class WrongCode extends Error {
  name = 'WrongCode';
  code = 'wrong_code';
}

export function newSecret() {
  return randomBytes(SECRET_BYTES);
}

/** @param {Uint8Array} secret @returns {Promise<string>} like `7QK2-0XH9-…`, seven groups of four */
export async function codeOf(secret) {
  const bits = BigInt(`0x${toHex(secret)}`) * 4096n + (await checksum(secret));
  const letters = Array.from({ length: CODE_LETTERS }, (_, nth) => {
    const shift = BigInt(5 * (CODE_LETTERS - 1 - nth));
    return LETTERS[Number((bits >> shift) & 31n)];
  });
  return /** @type {string[]} */ (letters.join('').match(/.{4}/g)).join('-');
}

/** What counts of a code: no case, spaces or hyphens; O is 0, I and L are 1. @param {string} code */
export function lettersOf(code) {
  return code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
}

/** Throws MistypedCode. @param {string} code @returns {Promise<Uint8Array>} */
export async function secretOf(code) {
  const letters = lettersOf(code);
  const values = [...letters].map((letter) => LETTERS.indexOf(letter));
  if (values.length !== CODE_LETTERS || values.includes(-1)) throw new MistypedCode('not the letters of a code');
  const bits = values.reduce((sum, value) => sum * 32n + BigInt(value), 0n);
  const hex = (bits >> 12n).toString(16).padStart(2 * SECRET_BYTES, '0');
  const secret = Uint8Array.from(/** @type {string[]} */ (hex.match(/../g)), (pair) => parseInt(pair, 16));
  if ((await checksum(secret)) !== (bits & 4095n)) throw new MistypedCode('the checksum is wrong');
  return secret;
}

/** @param {Uint8Array} secret */
async function checksum(secret) {
  const hash = await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (secret));
  return BigInt(new DataView(hash).getUint16(0) >> 4);
}

/**
 * AES-256-GCM with a key by HKDF-SHA-256 from the secret, for one purpose.
 * @param {Uint8Array} secret @param {string} purpose @param {Uint8Array} about what the bytes belong to
 * @param {Uint8Array} bytes @returns {Promise<Uint8Array>} nonce and ciphertext
 */
export async function wrap(secret, purpose, about, bytes) {
  const nonce = randomBytes(NONCE_BYTES);
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: /** @type {BufferSource} */ (about) };
  const key = await derive(secret, purpose, { name: 'AES-GCM', length: 256 }, ['encrypt']);
  const ciphertext = await crypto.subtle.encrypt(algorithm, key, /** @type {BufferSource} */ (bytes));
  return Uint8Array.from([...nonce, ...new Uint8Array(ciphertext)]);
}

/**
 * Throws WrongCode. @param {Uint8Array} secret @param {string} purpose @param {Uint8Array} about
 * @param {Uint8Array} wrapped @returns {Promise<Uint8Array>}
 */
export async function unwrap(secret, purpose, about, wrapped) {
  const iv = wrapped.slice(0, NONCE_BYTES);
  const algorithm = { name: 'AES-GCM', iv, additionalData: /** @type {BufferSource} */ (about) };
  const key = await derive(secret, purpose, { name: 'AES-GCM', length: 256 }, ['decrypt']);
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, wrapped.slice(NONCE_BYTES)));
  } catch (error) {
    throw new WrongCode('the code does not open this', { cause: error });
  }
}

/** HMAC-SHA-256 by a key of the secret. @param {Uint8Array} secret @param {string} purpose @param {Uint8Array} bytes */
export async function authenticate(secret, purpose, bytes) {
  const key = await derive(secret, purpose, { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, /** @type {BufferSource} */ (bytes)));
}

/**
 * @param {Uint8Array} secret @param {string} purpose
 * @param {AesKeyGenParams | HmacKeyGenParams} algorithm @param {KeyUsage[]} usages
 */
async function derive(secret, purpose, algorithm, usages) {
  const source = await crypto.subtle.importKey('raw', /** @type {BufferSource} */ (secret), 'HKDF', false, [
    'deriveKey',
  ]);
  const from = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(purpose) };
  return crypto.subtle.deriveKey(from, source, algorithm, false, usages);
}
