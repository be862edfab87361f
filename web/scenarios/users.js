// @ts-check
/** Users with devices, for the scenarios: real clients on a real server. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { NodeWebSocket, startInNode } from '../client/node/platform.js';
import { MemoryStorage } from '../client/storage/memory.js';

await startInNode();
const { Client } = await import('../client/client.js');
const { memoryDatabase } = await import('../client/mls/core-crypto.js');

export const server = process.env.SOTTOVOCE_SERVER ?? '';
assert.ok(server, 'set SOTTOVOCE_SERVER to the address of the server; see tests/v2/');

import { PASSWORD } from './password.js';
const PATIENCE_MS = 60_000; // test machines can be busy

/** @type {Device[]} */
const devices = [];
after(() => devices.forEach((device) => device.client.connection.close()));

let names = 0;

/** A unique name. @param {string} name */
export function unique(name) {
  return `${name}_${(names++).toString(36)}${Math.random().toString(36).slice(2, 8)}`;
}

/** @param {() => unknown} isTrue @param {string} what @param {number} [atMost] in ms */
export async function until(isTrue, what, atMost = PATIENCE_MS) {
  const deadline = Date.now() + atMost;
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One device, with its messages and events. */
export class Device {
  /** Texts in the order in which they came, with its own. @type {string[]} */
  heard = [];
  /** @type {{ type: string, detail: any }[]} */
  events = [];

  /** @param {string} username @param {InstanceType<typeof Client>} client */
  constructor(username, client) {
    this.username = username;
    this.client = client;
    devices.push(this);
    this.listen();
  }

  listen() {
    this.client.addEventListener('message', (event) => {
      const { message } = /** @type {CustomEvent} */ (event).detail;
      if (message.content?.kind === 'text') this.heard.push(message.content.text);
    });
    const told = ['problem', 'undecryptable', 'rejoined', 'failed', 'removed', 'joined', 'members', 'typing'];
    for (const type of told) {
      this.client.addEventListener(type, (event) => {
        this.events.push({ type, detail: /** @type {CustomEvent} */ (event).detail });
      });
    }
  }

  /** @param {string} type */
  told(type) {
    return this.events.filter((event) => event.type === type).map((event) => event.detail);
  }

  /** There was no problem. */
  isFine() {
    const wrong = ['problem', 'undecryptable', 'failed'].flatMap((type) =>
      this.told(type).map((detail) => ({ type, detail })),
    );
    assert.deepEqual(wrong, [], `${this.username} had problems`);
  }

  get user() {
    return this.client.me.user.id;
  }

  /** @param {string} conversation */
  isIn(conversation) {
    return until(
      async () => (await this.client.storage.get('conversations', conversation))?.isActive,
      `${this.username} is in the conversation`,
    );
  }

  /** @param {string} conversation */
  isOut(conversation) {
    return until(
      async () => !(await this.client.storage.get('conversations', conversation))?.isActive,
      `${this.username} is out of the conversation`,
    );
  }

  /** @param {string} conversation @param {string} text */
  async says(conversation, text) {
    await this.client.outbox.sendText(conversation, text);
  }

  /** @param {string[]} texts */
  hears(...texts) {
    return until(
      () => texts.every((text) => this.heard.includes(text)),
      `${this.username} receives ${texts}; the last were ${this.heard.slice(-5)}`,
    );
  }

  /** Its stored texts, in the order of the log. @param {string} conversation */
  async kept(conversation) {
    const items = await this.client.store.items(conversation, { limit: Infinity });
    return items.filter((item) => item.notice === undefined).map((item) => item.text);
  }

  /** @param {string} text */
  async doesNotHear(text, forMs = 500) {
    await new Promise((resolve) => setTimeout(resolve, forMs));
    assert.ok(!this.heard.includes(text), `${this.username} heard ${text}`);
  }

  /** New keys for its leaf. @param {string} conversation */
  updates(conversation) {
    return this.client.inTurn(() => this.client.membership.update(conversation));
  }

  leaves() {
    this.client.connection.close();
  }

  returns() {
    return this.client.connection.connect();
  }
}

/**
 * @param {string} username @param {'register' | 'logIn'} how @param {string} [invite]
 * @param {Partial<import('../client/context.js').Platform>} [platform]
 */
async function device(username, how, invite, platform = {}) {
  const storage = new MemoryStorage();
  const client = new Client(server, { storage, openDatabase: memoryDatabase, WebSocket: NodeWebSocket, ...platform });
  const made = new Device(username, client);
  await client.account[how](username, PASSWORD, invite);
  await client.connection.connect();
  return made;
}

/** New users with one device each. @param {string[]} wanted */
export function people(...wanted) {
  return Promise.all(wanted.map((name) => device(unique(name), 'register')));
}

/**
 * New users, each with a server that lies to them alone.
 * @param {string[]} wanted @returns {Promise<(Device & { lies: import('./tampering.js').Tampering })[]>}
 */
export async function deceived(...wanted) {
  const { Tampering } = await import('./tampering.js');
  return Promise.all(
    wanted.map(async (name) => {
      const lies = new Tampering();
      const made = await device(unique(name), 'register', undefined, { fetch: lies.fetch, WebSocket: lies.WebSocket });
      return Object.assign(made, { lies });
    }),
  );
}

/** A new user whose device keeps its data in a folder. @param {string} folder @param {string} name */
export async function deviceIn(folder, name) {
  const { platformIn } = await import('../client/node/platform.js');
  const { FOLDER_KEY } = await import('./folder-key.js');
  return device(unique(name), 'register', undefined, await platformIn(folder, FOLDER_KEY));
}

/** A new user with an invite. @param {string} name @param {string} invite */
export function invited(name, invite) {
  return device(unique(name), 'register', invite);
}

/**
 * Another device of the same user, which the account has not confirmed.
 * @param {Device} other @param {Partial<import('../client/context.js').Platform>} [platform]
 */
export function unlinked(other, platform) {
  return device(other.username, 'logIn', undefined, platform);
}

/** The same, confirmed. @param {Device} other */
export async function another(other) {
  const made = await unlinked(other);
  await linked(made, other);
  return made;
}

/** The user enters the code that the new device shows on the other one. @param {Device} made @param {Device} by */
export async function linked(made, by) {
  const code = await made.client.linking.ask();
  await by.client.linking.link(code);
  await until(() => made.client.enrolment.isListed, `${made.username} is linked`);
  await made.client.settled(); // it has joined its groups
}

/** @param {Device} by @param {Device[]} others */
export async function conversation(by, ...others) {
  const id = await by.client.membership.start([...new Set(others.map((one) => one.username))]);
  await Promise.all([by, ...others].map((one) => one.isIn(id)));
  return id;
}

/** The server rejects the request with this code. @param {Promise<unknown>} request @param {string} code */
export async function refused(request, code) {
  await assert.rejects(request, (error) => {
    assert.equal(/** @type {any} */ (error).code, code, String(error));
    return true;
  });
}

/** The newest list of a device's user as the server has it. @param {Device} device */
export function listOf(device) {
  return device.client.api.call('GET', `users/${device.user}/device-list`);
}
