// @ts-check
/** Key packages that the server hands out for devices which are to be added, and what is checked of them. */
import { Refused } from '../transport/api.js';
import { thumbprintOf } from '../trust/thumbprint.js';
import { fromBase64 } from '../util/bytes.js';
import { CLOCK_SKEW_S } from '../util/time.js';
import { parseKeyPackage } from './frames.js';

/**
 * @typedef {import('../context.js').Context} Context
 * @typedef {{ user: string, device: string, bytes: Uint8Array, signatureKey: Uint8Array }} Claimed
 */

/**
 * Claim a key package of each device of these users, and of our other devices. Throws Refused.
 * @param {Context} client
 * @param {import('../trust/identities.js').Identities} identities
 * @param {{ id: string, username: string }[]} users
 */
export async function claimAll(client, identities, users) {
  const { me } = client;
  const own = (await identities.of(me.user.id))?.devices ?? {};
  const others = Object.keys(own).filter((id) => id !== me.device);
  const claimed = [];
  for (const { id, username } of users.filter((user) => user.id !== me.user.id)) {
    const theirs = await claim(client, id);
    await identities.refresh(id);
    if (!theirs.length) throw await hasNoDevice(identities, id, username);
    claimed.push(...theirs);
  }
  if (others.length) claimed.push(...(await claim(client, me.user.id, others)));
  await checkListed(identities, claimed);
  return claimed;
}

/**
 * The server hands out what the other devices have uploaded. Each must be of this user and of a device of its own, be
 * valid now, and be one of `wanted`, if that is given; otherwise the server could add a reader. Throws Refused.
 * @param {Context} client @param {string} user @param {string[]} [wanted] devices
 * @returns {Promise<Claimed[]>}
 */
async function claim({ api, me }, user, wanted) {
  const body = wanted ? { devices: wanted } : {};
  const claimed = await api.callUntilAnswered('POST', `users/${user}/key-packages/claim`, body);
  const devices = new Set();
  return claimed.map(({ device, key_package }) => {
    const bytes = fromBase64(key_package);
    const found = parseKeyPackage(bytes);
    const now = Date.now() / 1000;
    const isRight =
      found.user === user &&
      found.device === device &&
      !devices.has(device) &&
      device !== me.device &&
      (wanted?.includes(device) ?? true) &&
      found.notBefore <= now + CLOCK_SKEW_S &&
      found.notAfter >= now - CLOCK_SKEW_S;
    if (!isRight)
      throw new Refused(502, 'forged_key_package', 'The server answered a key package of another device', 0);
    devices.add(device);
    return { user, device, bytes, signatureKey: found.signatureKey };
  });
}

/**
 * A server that lies answers no key package, so that the user writes without end-to-end encryption instead.
 * @param {import('../trust/identities.js').Identities} identities @param {string} user @param {string} username
 */
async function hasNoDevice(identities, user, username) {
  const code = (await identities.isKnown(user)) ? 'has_no_device_now' : 'has_no_device';
  return new Refused(404, code, `${username} has no device that can be added.`, 0);
}

/**
 * Of users with an account key, only listed devices. Throws Refused.
 * @param {import('../trust/identities.js').Identities} identities @param {Claimed[]} claimed
 */
async function checkListed(identities, claimed) {
  const members = await Promise.all(
    claimed.map(async ({ user, device, signatureKey }) => ({
      user,
      device,
      thumbprint: await thumbprintOf(signatureKey),
    })),
  );
  const unlisted = await identities.unlisted(members);
  for (const { user } of unlisted)
    if (await identities.hasChanged(user))
      throw new Refused(409, 'changed_key', 'A user has another account key than before', 0);
  if (unlisted.length)
    throw new Refused(502, 'forged_key_package', 'The server answered a key package of a device that is not listed', 0);
}
