// @ts-check
/**
 * How a text of a direct conversation looks under its key: `aes1.` and, in base64, a random IV of 12 bytes with the
 * output of AES-256-GCM, whose associated data is the conversation's UUID. Anything else is plain text.
 */
import { fromBase64, randomBytes, toBase64 } from '../util/bytes.js';

const PREFIX = 'aes1.';
const IV_BYTES = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @typedef {'plain' | 'key' | 'unreadable'} How */

/** Usable in this worker, and not to be read again. @param {string} base64 of 32 bytes */
export function importKey(base64) {
  return crypto.subtle.importKey('raw', fromBase64(base64), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** What the server knows it by afterwards. @param {string} base64 */
export async function fingerprintOf(base64) {
  return toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', fromBase64(base64))));
}

/** @param {CryptoKey} key @param {string} conversation @param {string} text */
export async function encryptText(key, conversation, text) {
  const iv = randomBytes(IV_BYTES);
  const encrypted = await crypto.subtle.encrypt(parameters(iv, conversation), key, encoder.encode(text));
  return PREFIX + toBase64(new Uint8Array([...iv, ...new Uint8Array(encrypted)]));
}

/**
 * Never throws. @param {CryptoKey | null} key @param {string} conversation @param {string} text
 * @returns {Promise<{ text: string, how: How }>}
 */
export async function decryptText(key, conversation, text) {
  if (!text.startsWith(PREFIX)) return { text, how: 'plain' };
  try {
    const bytes = fromBase64(text.slice(PREFIX.length));
    const data = bytes.subarray(IV_BYTES);
    const plain = await crypto.subtle.decrypt(
      parameters(bytes.subarray(0, IV_BYTES), conversation),
      /** @type {CryptoKey} */ (key),
      data,
    );
    return { text: decoder.decode(plain), how: 'key' };
  } catch {
    return { text: '', how: 'unreadable' };
  }
}

/** @param {Uint8Array<ArrayBuffer>} iv @param {string} conversation @returns {AesGcmParams} */
function parameters(iv, conversation) {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode(conversation) };
}
