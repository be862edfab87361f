#!/usr/bin/env node
// @ts-check
/** The command-line client: one device in a folder. See `node cli.js --help`. */
import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { conversationFor, nameIn, othersIn, personIn, shortId } from './cli/names.js';
import { printable } from './cli/printable.js';
import { COMMANDS, talk } from './cli/talk.js';
import { showSafetyNumber } from './cli/trust.js';
import { platformIn } from './client/node/platform.js';
import { FolderKey } from './client/node/passphrase.js';
import { askPassphrase, askSecretly } from './client/node/prompt.js';

const CONNECT_MS = 5000;

const HELP = `Usage: sottovoce chat [--server URL] [--folder DIR] COMMAND

  register NAME [INVITE]   create an account, with this device
  login NAME               add this device to your account; it shows a code for \`link\`
  recover                  confirm this device with your recovery key instead
  link CODE                confirm a new device of yours, which shows this code
  recovery-key             make a recovery key, which replaces an earlier one
  list                     list your conversations and their members
  start NAME...            start a conversation and open it
  talk NAME|CONVERSATION   open a conversation; only end-to-end encrypted ones
  safety NAME              show the safety number
  logout                   remove this device and delete its data

${COMMANDS}
The folder is encrypted with a passphrase. Secrets come from SOTTOVOCE_PASSPHRASE, SOTTOVOCE_PASSWORD and
SOTTOVOCE_RECOVERY_KEY, or are typed in. To trust a server's own certificate authority, set
NODE_EXTRA_CA_CERTS=<data folder>/tls/ca.pem.`;

/** @param {string} problem @returns {never} */
function fail(problem) {
  console.error(`Error: ${printable(problem)}`);
  process.exit(1);
}

/** @param {unknown} error @returns {never} */
function failWith(error) {
  return fail(error instanceof Error ? error.message : String(error));
}

/** The parsed command line; ends the process if it is invalid. */
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

process.on('uncaughtException', failWith); // Node would print what the server wrote
const { values, positionals } = typed();
const [command, ...given] = positionals;

if (values.help || !command) {
  console.log(HELP);
  process.exit(command || values.help ? 0 : 1);
}

if (!/^https?:\/\//.test(values.server)) fail('--server must be a URL like https://chat.example.org:8443');
/** @param {string} typed a name, or the first characters of a conversation's id */
async function conversationOf(typed) {
  return conversationFor(await client.store.list(), await client.trust.knownNames(), client.me.user.id, typed);
}

async function connect() {
  await client.connection.connect();
  if (!client.enrolment.isListed) fail('this device is not confirmed: run login again, or recover');
  await client.membership.refresh(); // names and requests, as the conversations are taken from here
}

/** The account that this device belongs to. */
function ownName() {
  return printable(client.me.user.username);
}

/** Another device of the account has to enter the code. */
async function waitForLink() {
  console.log(`Confirm this device: enter this code on another device of yours (Settings, or \`link\`):`);
  console.log(`  ${await client.linking.ask()}`);
  await new Promise((resolve) => {
    client.listen('standing', resolve);
  });
}

/** @type {Record<string, () => Promise<void>>} */
const commands = {
  async register() {
    if (hasDevice) fail(`${values.folder} is already a device of ${ownName()}`);
    await client.account.register(given[0], await askSecretly('Password: ', 'SOTTOVOCE_PASSWORD'), given[1]);
    await client.enrolment.bringUpToDate();
    console.log(`${ownName()} is registered; this is device ${client.me.device}.`);
  },
  async login() {
    if (hasDevice && given[0] !== client.me.user.username) fail(`${values.folder} is already a device of ${ownName()}`);
    const password = await askSecretly('Password: ', 'SOTTOVOCE_PASSWORD');
    await (hasDevice ? client.account.logInAgain(password) : client.account.logIn(given[0], password));
    await client.connection.connect();
    if (!client.enrolment.isListed) await waitForLink();
    console.log('Logged in. Earlier messages are on your other devices.');
  },
  async recover() {
    await client.connection.connect();
    await client.recoveryKey.use(await askSecretly('Recovery key: ', 'SOTTOVOCE_RECOVERY_KEY'));
    console.log('This device is confirmed.');
  },
  async link() {
    await client.linking.link(given[0] ?? fail('link needs the code that the new device shows'));
    console.log('The device is linked.');
  },
  'recovery-key': async () => {
    console.log(`Your recovery key, shown only once:\n  ${await client.recoveryKey.make()}`);
  },
  async list() {
    await connect();
    const me = client.me.user.id;
    for (const one of (await client.store.list()).filter(({ isActive }) => isActive)) {
      const names = [...othersIn(one, me), me].map((user) => nameIn(one, user, me)).join(', ');
      console.log(`${shortId(one.id)}  ${names}  ${one.kind === 'direct' ? 'not end-to-end encrypted' : one.state}`);
    }
  },
  async start() {
    if (!given.length) fail('start needs at least one name');
    await connect();
    const id = await client.membership.start(given);
    await talk(client, await conversationOf(id));
  },
  async talk() {
    await connect();
    await talk(client, await conversationOf(given[0] ?? fail('talk needs a name or a conversation')));
  },
  async safety() {
    await connect();
    const conversation = await conversationOf(given[0] ?? fail('safety needs a name'));
    await showSafetyNumber(client, conversation, personIn(conversation, client.me.user.id, given[0]));
  },
  async logout() {
    await Promise.race([client.connection.connect().catch(() => {}), sleep(CONNECT_MS)]); // contacts hear of it inside the conversations
    await client.farewell.logOut();
    console.log('Logged out. This device was removed and its data deleted.');
  },
};

if (!Object.hasOwn(commands, command)) fail(`unknown command ${command}; see --help`);
const isFirst = ['register', 'login'].includes(command);
const noDevice = 'no device in this folder: run register or login first';
if (!isFirst && !existsSync(values.folder)) fail(noDevice); // before it asks for a passphrase
const platform = await platformIn(values.folder, new FolderKey(values.folder, askPassphrase)).catch(failWith);
platform.name = `command line on ${hostname()}`;
const { Client } = await import('./client/client.js');
const client = new Client(values.server, platform);
const hasDevice = await client.account.resume();
await client.account.endLeft();
if (!hasDevice && !isFirst) fail(noDevice);
if (hasDevice && !['login', 'logout'].includes(command)) await client.api.call('GET', 'account').catch(failWith);
await commands[command]().catch(failWith);
client.connection.close();
process.exit(0);
