// @ts-check
/** What the scenarios of a server that lies share. */
import assert from 'node:assert/strict';
import { AccountKey } from '../client/trust/account-key.js';
import { encodeDeviceList } from '../client/trust/device-list.js';
import { toBase64 } from '../client/util/bytes.js';
import { Ghost } from './tampering.js';
import { conversation, deceived, people, until } from './users.js';

export const NOW = () => new Date().toISOString();
export const GARBAGE = 'AAEAAQ==';
/** Of a user whom nobody knows. */
export const STRANGER = 'deadbeef-0000-4000-8000-0000000000ca';
/** An id of a message. */
export const random = () => crypto.randomUUID().replaceAll('-', '');
/** A refusal of the server. */
export const no = (code = 'x', status = 403) => Response.json({ code, error: 'none' }, { status });
export const none = () => no();

/** @typedef {Awaited<ReturnType<typeof import('./users.js').deceived>>[number]} Deceived */

/** @param {import('./users.js').Device} device @param {string} id */
export function known(device, id) {
  return device.client.store.get(id).then((found) => {
    assert.ok(found);
    return found;
  });
}

/** What a ghost has read that the server does not have anyway. @param {string[]} contents */
export function secrets(contents) {
  return contents.filter((content) => JSON.parse(content).kind !== 'device_list');
}

/** The device has processed everything that came. @param {import('./users.js').Device} device */
export async function settled(device) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  await device.client.settled();
}

/** @param {Deceived} device @param {string} id @param {object} more */
export async function entryAfter(device, id, more) {
  return { type: 'entry', conversation: id, seq: (await known(device, id)).cursor + 1, at: NOW(), ...more };
}

/**
 * A ghost joins the group of alice and bob by an external commit that the server makes up, as a device of this user.
 * @param {Deceived} alice @param {string} id @param {string} user
 */
export async function ghostJoins(alice, id, user) {
  const ghost = await Ghost.open(user);
  const { epoch = 0 } = await known(alice, id);
  const commit = await ghost.join(await alice.client.api.groupInfo(id));
  return { ghost, entry: { epoch, kind: 'commit', sender: ghost.device, data: commit } };
}

/** A device list that the server has signed. @param {string} user @param {string} [device] */
export function listOfGhost(user, device = '00000000000000aa') {
  const key = AccountKey.generate();
  const notAfter = Math.floor(Date.now() / 1000) + 1000;
  const bytes = encodeDeviceList({ user, counter: 99, notAfter, devices: { [device]: new Uint8Array(32) } });
  return { account_key: key.publicKey, device_list: toBase64(bytes), signature: toBase64(key.sign(bytes)) };
}

/** Register alice and bob, who start a conversation; alice verifies bob. */
export async function friends() {
  const [alice] = await deceived('alice');
  const [bob] = await people('bob');
  const id = await conversation(bob, alice);
  await alice.client.settled();
  const compared = await alice.client.trust.safetyNumber(id, bob.user);
  await alice.client.identities.verify(bob.user, compared, bob.username);
  return { alice, bob, id };
}

/** The server tells no more lies. @param {Deceived} device */
export function honest({ lies }) {
  for (const hooks of [lies.answerRequest, lies.changeAnswer, lies.changeFrame, lies.changeSent]) hooks.length = 0;
}

/** @param {import('./users.js').Device} device */
export async function reconnects(device) {
  device.leaves();
  await device.returns();
  await settled(device);
}

/** @param {import('./users.js').Device} device @param {string} id @param {import('./users.js').Device} other */
export async function verifies(device, id, other) {
  const compared = await device.client.trust.safetyNumber(id, other.user);
  await device.client.identities.verify(other.user, compared, other.username);
}

/** What is in the timeline: the text, whose it is, and whether it is marked. @param {import('./users.js').Device} device @param {string} id */
export async function texts(device, id) {
  const items = await device.client.store.items(id, {});
  return items
    .filter(({ text }) => text !== undefined)
    .map(({ text, user, isForeign }) => [text, user === device.user ? 'me' : 'other', isForeign === true]);
}

/** The id of the message with this text. @param {import('./users.js').Device} device @param {string} id @param {string} text */
export async function idOf(device, id, text) {
  let found = '';
  await until(async () => {
    found = (await device.client.store.items(id, {})).find((item) => item.text === text)?.id ?? '';
    return found; // others can have an own message before its author has its place
  }, `${device.username} has stored ${text}`);
  return found;
}

/**
 * The server shows a device another state of a group, and keeps its commits and messages to itself.
 * @param {{ lies: import('./tampering.js').Tampering }} device @param {string} id
 * @param {{ epoch: number, groupInfo: string }} state
 * @param {(data: string) => Promise<unknown>} follow a commit of the device, which comes after this state
 * @returns {() => Promise<import('./tampering.js').Frame[]>} the messages, once all commits were followed
 */
export function leadsInto({ lies }, id, { epoch, groupInfo }, follow) {
  /** @type {Promise<unknown>} */
  let followed = Promise.resolve();
  lies.answerRequest.push(({ method, path, body }) => {
    if (path === `conversations/${id}/group-info`) return { epoch, group_info: groupInfo };
    if (path === `conversations/${id}/removals`) return { devices: [] };
    if (path.startsWith(`conversations/${id}/log`)) return [];
    if (method !== 'POST' || path !== `conversations/${id}/commits`) return undefined;
    followed = followed.then(() => follow(body.commit));
    return { seq: 1000, epoch: epoch + 1, at: NOW() };
  });
  const sent = lies.catchMessages();
  return () => followed.then(() => sent.filter((one) => one.conversation === id));
}

/**
 * The server adds a device of this user to a group, and shows that to one device alone.
 * @param {{ lies: import('./tampering.js').Tampering }} device @param {string} id @param {import('./users.js').Device} user
 * @param {{ epoch: number, groupInfo: Uint8Array }} state of the group @returns {Promise<() => Promise<string[]>>} what it reads
 */
export async function leadsToGhost(device, id, user, { epoch, groupInfo }) {
  const ghost = await Ghost.open(user.user, user.client.me.device);
  await ghost.join(groupInfo);
  const state = { epoch: epoch + 1, groupInfo: toBase64(ghost.groupInfo) };
  const sent = leadsInto(device, id, state, (data) => ghost.read([{ type: 'send', conversation: id, data }]));
  return async () => secrets(await ghost.read(await sent()));
}
