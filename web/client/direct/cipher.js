// @ts-check
/**
 * Encryption of texts in direct conversations: `aes1.` and, in base64, a random IV of 12 bytes and the output of
 * AES-256-GCM. The associated data is the conversation's UUID. Any other text is plain.
 */
import { fromBase64, randomBytes, toBase64 } from '../util/bytes.js';

const PREFIX = 'aes1.';
const IV_BYTES = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @typedef {'plain' | 'key' | 'unreadable'} How */

/** A key that cannot be exported. @param {string} base64 of 32 bytes */
export function importKey(base64) {
  return crypto.subtle.importKey('raw', fromBase64(base64), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** SHA-256 of the key in base64, as the server lists it. @param {string} base64 */
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
