// @ts-check
/**
 * Safety numbers, which two users compare to detect a man in the middle.
 *
 * Sixty digits, thirty for each user, as in Signal: an iterated hash, which makes near collisions expensive to find, of
 * the user's id and the thumbprints (RFC 7638) of the user's devices in the group.
 */

const VERSION = 1;
const ITERATIONS = 5200;
const encoder = new TextEncoder();

/**
 * @typedef {{ user: string, thumbprints: string[] }} Identity
 * @param {Identity} one
 * @param {Identity} other
 * @returns {Promise<{ digits: string, qr: string }>} digits in groups of five; the same for both
 */
export async function safetyNumber(one, other) {
  const halves = await Promise.all(
    [one, other].sort(byUser).map(async (identity) => [identity, await fingerprint(identity)]),
  );
  const digits = halves.map(([, bytes]) => thirtyDigits(/** @type {Uint8Array} */ (bytes))).join('');
  const qr = [
    'SOTTOVOCE',
    VERSION,
    ...halves.map(([identity]) => /** @type {Identity} */ (identity).user),
    digits,
  ].join(':');
  return { digits: /** @type {string[]} */ (digits.match(/.{5}/g)).join(' '), qr };
}

/** @param {Identity} one @param {Identity} other */
function byUser(one, other) {
  return one.user < other.user ? -1 : 1;
}

/** @param {Identity} identity */
async function fingerprint({ user, thumbprints }) {
  const keys = encoder.encode([VERSION, user, ...[...thumbprints].sort()].join('\n'));
  let hash = new Uint8Array(keys);
  for (let round = 0; round < ITERATIONS; round++) {
    const input = new Uint8Array(hash.length + keys.length);
    input.set(hash);
    input.set(keys, hash.length);
    hash = new Uint8Array(await crypto.subtle.digest('SHA-512', input));
  }
  return hash;
}

/** Six times five bytes, each as five digits. @param {Uint8Array} hash */
function thirtyDigits(hash) {
  let digits = '';
  for (let start = 0; start < 30; start += 5) {
    const number = hash.subarray(start, start + 5).reduce((sum, byte) => sum * 256 + byte, 0);
    digits += String(number % 100_000).padStart(5, '0');
  }
  return digits;
}
