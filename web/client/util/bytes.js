// @ts-check
/** Bytes as text and back. */

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let binary = '';
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}

/** @param {string} text */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** RFC 4648 section 5, without padding. @param {Uint8Array} bytes */
export function toBase64url(bytes) {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @param {string} text */
export function fromBase64url(text) {
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
}

/** Whether `fromBase64` takes it. @param {unknown} value @returns {value is string} */
export function isBase64(value) {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} text */
export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** A UUID as the 16 bytes that it stands for: what MLS calls the group. @param {string} uuid */
export function uuidBytes(uuid) {
  return fromHex(uuid.replaceAll('-', ''));
}

/** @param {Uint8Array} bytes 16 */
export function uuidOf(bytes) {
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @param {number} count */
export function randomBytes(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}
