#!/usr/bin/env node
// @ts-check
/** Sottovoce on the command line: one device in a folder. `node cli.js --help` says how. */
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { platformIn } from './client/node/platform.js';
import { askSecretly } from './client/node/prompt.js';

const HELP = `Usage: sottovoce chat [--server URL] [--folder DIR] COMMAND

  register NAME [INVITE]   make an account, with this device
  login NAME               make this a device of your account
  list                     conversations, with their members
  start NAME...            begin a conversation, and talk
  talk NAME|CONVERSATION   go on with one
  safety NAME              the safety number to compare
  logout                   end this device, and forget everything here

While you talk: a line is a message; /add NAME, /remove NAME, /safety NAME, /leave and /quit.
The password is asked for, or taken from SOTTOVOCE_PASSWORD. The server's own certificate is trusted
by NODE_EXTRA_CA_CERTS=<data folder>/tls/ca.pem.`;

/** @param {string} problem @returns {never} */
function fail(problem) {
  console.error(`Error: ${problem}`);
  process.exit(1);
}

/** What was typed, or the end. */
function typed() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        server: {
          type: 'string',
          default: process.env.SOTTOVOCE_SERVER ?? `http://127.0.0.1:${process.env.PORT ?? 2607}`,
        },
        folder: { type: 'string', default: process.env.SOTTOVOCE_FOLDER ?? join(homedir(), '.sottovoce') },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return fail(/** @type {Error} */ (error).message.split('. ')[0]);
  }
}

const { values, positionals } = typed();
const [command, ...given] = positionals;

if (values.help || !command) {
  console.log(HELP);
  process.exit(command || values.help ? 0 : 1);
}

if (!/^https?:\/\//.test(values.server)) fail('the server is an address like https://chat.example.org:8443');
const platform = await platformIn(values.folder).catch((error) => fail(error.message));
platform.name = `command line on ${hostname()}`;
const { Client } = await import('./client/client.js');
const client = new Client(values.server, platform);
const hasDevice = await client.account.resume();

/** @typedef {{ id: string, state: string, members: { id: string, username: string, role: string }[] }} Shown */

/** @param {string} given a name, or the beginning of a conversation's id @returns {Promise<Shown>} */
async function conversationOf(given) {
  const all = /** @type {Shown[]} */ (await client.membership.list());
  const found =
    all.find((one) => given.length >= 4 && one.id.startsWith(given)) ??
    all.find((one) => one.members.length === 2 && one.members.some((member) => sameName(member.username, given))) ??
    all.find((one) => one.members.some((member) => sameName(member.username, given)));
  return found ?? fail(`no conversation with ${given}; \`start ${given}\` begins one`);
}

/** @param {string} one @param {string} other */
function sameName(one, other) {
  return one.toLowerCase() === other.toLowerCase();
}

/** @param {string} id @param {string} username */
async function showSafety(id, username) {
  const { id: user } = await client.membership.find(username);
  const { digits } = await client.trust.safetyNumber(id, user);
  console.log(`Safety number with ${username}; the same must be shown there:\n  ${digits}`);
}

/** @param {string} id */
async function talk(id) {
  const shown = /** @type {Shown[]} */ (await client.membership.list()).find((one) => one.id === id);
  const names = new Map(shown?.members.map((member) => [member.id, member.username]));
  const others = shown?.members.filter((member) => member.id !== client.me.user.id).map((member) => member.username);
  console.log(`* talking with ${others?.join(', ') || 'yourself'}; /quit ends it, /help lists what else there is`);
  if (shown?.state === 'requested') console.log('* this is a stranger’s request; by answering you accept it');
  /** @param {string} user */
  const nameOf = (user) => (user === client.me.user.id ? 'you' : (names.get(user) ?? user.slice(0, 8)));
  /** @param {import('./client/conversations/reducer.js').Item} item */
  const show = ({ at, user, device, text, isDeleted, isHidden, edits, notice }) => {
    if (notice?.what === 'members') {
      for (const one of notice.devices) {
        console.log(`* ${nameOf(one.user)} has a new device or key, ${one.device}: compare the safety number`);
      }
    }
    if (notice || isHidden || (device === undefined && !isDeleted)) return;
    const said = isDeleted ? '(deleted)' : `${text}${edits?.length ? ' (edited)' : ''}`;
    console.log(
      `${new Date(at).toLocaleTimeString()} ${nameOf(user)}: ${said.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '?').replaceAll('\n', '\n    ')}`,
    );
  };
  for (const item of await client.store.items(id, { limit: 20 })) show(item);
  client.addEventListener('item', (event) => {
    const { conversation, item } = /** @type {CustomEvent} */ (event).detail;
    if (conversation === id) show(item);
  });
  client.addEventListener('failed', (event) => {
    const { id: message, content, error } = /** @type {CustomEvent} */ (event).detail;
    console.error(`* not sent: ${content.text ?? content.kind} (${error})`);
    void client.outbox.discard(message);
  });
  client.addEventListener('removed', (event) => {
    if (/** @type {CustomEvent} */ (event).detail.conversation !== id) return;
    console.log('* you are not in this conversation any more');
    process.exit(0);
  });
  client.addEventListener('left', (event) => {
    const { conversation, device } = /** @type {CustomEvent} */ (event).detail;
    if (conversation === id) console.log(`* ${names.get(users.get(device) ?? '') ?? 'somebody'} has left`);
  });
  client.addEventListener('offline', () => console.log('* no connection; what you say is sent later'));

  const users = new Map((await client.mls.members(id)).map((member) => [member.device, member.user]));
  const wantsName = ['/add', '/remove', '/safety'];
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, name] = line.split(/\s+/);
    try {
      if (verb === '/quit') break;
      else if (wantsName.includes(verb) && !name) console.error(`Error: ${verb} whom?`);
      else if (verb === '/help') console.log(HELP.split('\n').at(-3));
      else if (verb === '/leave') await client.membership.leave(id);
      else if (verb === '/add') await client.membership.add(id, [name]);
      else if (verb === '/remove') await client.membership.remove(id, (await client.membership.find(name)).id);
      else if (verb === '/safety') await showSafety(id, name);
      else if (line.startsWith('/')) console.error(`Error: there is no command ${verb}; /help lists them`);
      else if (line.trim()) {
        if (shown?.state === 'requested') await client.membership.answer(id, 'joined');
        await client.outbox.say(id, line);
      }
    } catch (error) {
      console.error(`Error: ${/** @type {Error} */ (error).message}`);
    }
  }
  await client.outbox.allSent();
}

/** @type {Record<string, () => Promise<void>>} */
const commands = {
  async register() {
    if (hasDevice) fail(`${values.folder} is a device of ${client.me.user.username} already`);
    await client.account.register(given[0], await askSecretly('Password: '), given[1]);
    console.log(`${client.me.user.username} is registered; this is device ${client.me.device}.`);
  },
  async login() {
    if (hasDevice && given[0] !== client.me.user.username)
      fail(`${values.folder} is a device of ${client.me.user.username} already`);
    const password = await askSecretly('Password: ');
    await (hasDevice ? client.account.logInAgain(password) : client.account.logIn(given[0], password));
    await client.connection.connect();
    console.log('Logged in. Messages from before stay on your other devices.');
  },
  async list() {
    await client.connection.connect();
    for (const { id, members, state } of await client.membership.list()) {
      console.log(`${id.slice(0, 8)}  ${members.map((/** @type {any} */ one) => one.username).join(', ')}  ${state}`);
    }
  },
  async start() {
    if (!given.length) fail('start with whom?');
    await client.connection.connect();
    await talk(await client.membership.start(given));
  },
  async talk() {
    await client.connection.connect();
    await talk((await conversationOf(given[0] ?? fail('talk to whom?'))).id);
  },
  async safety() {
    await client.connection.connect();
    await showSafety((await conversationOf(given[0] ?? fail('whose?'))).id, given[0]);
  },
  async logout() {
    await client.account.logOut();
    console.log('This device is gone.');
  },
};

const run = commands[command] ?? fail(`there is no command ${command}; see --help`);
if (!hasDevice && !['register', 'login'].includes(command))
  fail('there is no device here yet: register or login first');
if (hasDevice && !['login', 'logout'].includes(command))
  await client.api.call('GET', 'account').catch((error) => fail(error.message));
await run().catch((error) => fail(error.message));
client.connection.close();
process.exit(0);
