// @ts-check
/**
 * Safety numbers, which two users compare to detect a man in the middle.
 *
 * Sixty digits, thirty for each user, as in Signal: an iterated hash, which makes near collisions expensive to find, of
 * the user's id and account key. Where one of the two has no account key, it is of the thumbprints (RFC 7638) of the
 * users' devices in the group instead, and changes with them.
 */

const OF_DEVICES = 1;
const OF_ACCOUNTS = 2;
const ITERATIONS = 5200;
const encoder = new TextEncoder();

/**
 * @typedef {{ user: string, thumbprints: string[] }} Identity
 * @param {Identity} one
 * @param {Identity} other
 * @returns {Promise<{ digits: string, qr: string }>} digits in groups of five; the same for both
 */
export function safetyNumber(one, other) {
  return numberOf(
    OF_DEVICES,
    [one, other].map(({ user, thumbprints }) => ({ user, keys: [...thumbprints].sort() })),
  );
}

/**
 * The same with any number of devices.
 * @param {{ user: string, key: string }} one with the account key in base64
 * @param {{ user: string, key: string }} other
 */
export function accountSafetyNumber(one, other) {
  return numberOf(
    OF_ACCOUNTS,
    [one, other].map(({ user, key }) => ({ user, keys: [key] })),
  );
}

/** @typedef {{ user: string, keys: string[] }} Half */

/** @param {number} version @param {Half[]} users */
async function numberOf(version, users) {
  const halves = await Promise.all(
    users
      .sort((one, other) => (one.user < other.user ? -1 : 1))
      .map(async (half) => ({ half, bytes: await fingerprint(version, half) })),
  );
  const digits = halves.map(({ bytes }) => thirtyDigits(bytes)).join('');
  const qr = ['SOTTOVOCE', version, ...halves.map(({ half }) => half.user), digits].join(':');
  return { digits: /** @type {string[]} */ (digits.match(/.{5}/g)).join(' '), qr };
}

/** @param {number} version @param {Half} half */
async function fingerprint(version, { user, keys }) {
  const bytes = encoder.encode([version, user, ...keys].join('\n'));
  let hash = new Uint8Array(bytes);
  for (let round = 0; round < ITERATIONS; round++) {
    const input = new Uint8Array(hash.length + bytes.length);
    input.set(hash);
    input.set(bytes, hash.length);
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
