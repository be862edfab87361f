#!/usr/bin/env node
// @ts-check
/** The command-line client: one device in a folder. See `node cli.js --help`. */
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { platformIn } from './client/node/platform.js';
import { askSecretly } from './client/node/prompt.js';

const HELP = `Usage: sottovoce chat [--server URL] [--folder DIR] COMMAND

  register NAME [INVITE]   create an account, with this device
  login NAME               add this device to your account; it shows a code for \`link\`
  recover KEY              confirm this device with your recovery key instead
  link CODE                confirm a new device of yours, which shows this code
  recovery-key             make a recovery key, which replaces an earlier one
  list                     list your conversations and their members
  start NAME...            start a conversation and open it
  talk NAME|CONVERSATION   open a conversation
  safety NAME              show the safety number
  logout                   remove this device and delete its data

In a conversation, each line is a message. Commands: /add NAME, /remove NAME, /safety NAME, /leave and /quit.
The password is read from SOTTOVOCE_PASSWORD, or asked for. To trust a server's own certificate authority, set
NODE_EXTRA_CA_CERTS=<data folder>/tls/ca.pem.`;

/** @param {string} problem @returns {never} */
function fail(problem) {
  console.error(`Error: ${problem}`);
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

const { values, positionals } = typed();
const [command, ...given] = positionals;

if (values.help || !command) {
  console.log(HELP);
  process.exit(command || values.help ? 0 : 1);
}

if (!/^https?:\/\//.test(values.server)) fail('--server must be a URL like https://chat.example.org:8443');
const platform = await platformIn(values.folder).catch(failWith);
platform.name = `command line on ${hostname()}`;
const { Client } = await import('./client/client.js');
const client = new Client(values.server, platform);
const hasDevice = await client.account.resume();
await client.account.endLeft();

/** Without the control characters that could change the terminal; further lines are indented. @param {string} text */
function printable(text) {
  // eslint-disable-next-line no-control-regex -- these are the ones
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '?').replaceAll('\n', '\n    ');
}

/** @typedef {{ id: string, state: string, members: { id: string, username: string, role: string }[] }} Shown */

/** @param {string} given a name, or the first characters of a conversation's id @returns {Promise<Shown>} */
async function conversationOf(given) {
  const all = /** @type {Shown[]} */ (await client.membership.list());
  const found =
    all.find((one) => given.length >= 4 && one.id.startsWith(given)) ??
    all.find((one) => one.members.length === 2 && one.members.some((member) => sameName(member.username, given))) ??
    all.find((one) => one.members.some((member) => sameName(member.username, given)));
  return found ?? fail(`no conversation with ${given}; start one with \`start ${given}\``);
}

/** @param {string} one @param {string} other */
function sameName(one, other) {
  return one.toLowerCase() === other.toLowerCase();
}

/** @param {string} id @param {string} username */
async function showSafety(id, username) {
  const { id: user } = await client.membership.find(username);
  const { digits } = await client.trust.safetyNumber(id, user);
  console.log(`Safety number with ${username}; it must be the same on their device:\n  ${digits}`);
}

/** @param {string} id */
async function talk(id) {
  const shown = /** @type {Shown[]} */ (await client.membership.list()).find((one) => one.id === id);
  const names = new Map(shown?.members.map((member) => [member.id, member.username]));
  const others = shown?.members.filter((member) => member.id !== client.me.user.id).map((member) => member.username);
  console.log(`* conversation with ${others?.join(', ') || 'yourself'}; /quit to leave it open, /help for commands`);
  if (shown?.state === 'requested') console.log('* Message request: replying accepts it.');
  /** @param {string} user */
  const nameOf = (user) => (user === client.me.user.id ? 'you' : (names.get(user) ?? user.slice(0, 8)));
  /** @param {import('./client/conversations/reducer.js').Item} item */
  const show = ({ at, user, device, text, isDeleted, isHidden, edits, notice }) => {
    if (notice?.what === 'members') {
      for (const one of notice.devices) console.log(`* ${nameOf(one.user)} has a new device (${one.device})`);
    }
    if (notice || isHidden || (device === undefined && !isDeleted)) return;
    const said = isDeleted ? '(deleted)' : `${text}${edits?.length ? ' (edited)' : ''}`;
    console.log(`${new Date(at).toLocaleTimeString()} ${nameOf(user)}: ${printable(said)}`);
  };
  for (const item of await client.store.items(id, { limit: 20 })) show(item);
  client.listen('item', ({ conversation, item }) => {
    if (conversation === id) show(item);
  });
  client.listen('failed', ({ id: message, content, error }) => {
    console.error(`* not sent: ${content.kind === 'text' ? content.text : content.kind} (${error})`);
    void client.outbox.discard(message);
  });
  client.listen('removed', ({ conversation }) => {
    if (conversation !== id) return;
    console.log('* you are no longer in this conversation');
    process.exit(0);
  });
  client.listen('left', ({ conversation, device }) => {
    if (conversation === id) console.log(`* ${names.get(users.get(device) ?? '') ?? 'a member'} has left`);
  });
  client.listen('offline', () => console.log('* offline; your messages will be sent later'));

  const users = new Map((await client.mls.members(id)).map((member) => [member.device, member.user]));
  const wantsName = ['/add', '/remove', '/safety'];
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, name] = line.split(/\s+/);
    try {
      if (verb === '/quit') break;
      else if (wantsName.includes(verb) && !name) console.error(`Error: ${verb} needs a name`);
      else if (verb === '/help') console.log(HELP.split('\n').at(-3));
      else if (verb === '/leave') await client.farewell.leave(id);
      else if (verb === '/add') await client.membership.add(id, [name]);
      else if (verb === '/remove') await client.membership.remove(id, (await client.membership.find(name)).id);
      else if (verb === '/safety') await showSafety(id, name);
      else if (line.startsWith('/')) console.error(`Error: unknown command ${verb}; see /help`);
      else if (line.trim()) {
        if (shown?.state === 'requested') await client.membership.answer(id, 'joined');
        await client.outbox.sendText(id, line);
      }
    } catch (error) {
      console.error(`Error: ${/** @type {Error} */ (error).message}`);
    }
  }
  await client.outbox.allSent();
}

async function connect() {
  await client.connection.connect();
  if (!client.enrolment.isListed) fail('this device is not confirmed: run login again, or recover');
}

/** Another device of the account has to enter the code. */
async function waitForLink() {
  console.log(`Confirm this device: enter this code on another device of yours (Settings, or \`link\`):`);
  console.log(`  ${await client.enrolment.ask()}`);
  await new Promise((resolve) => {
    client.listen('standing', resolve);
  });
}

/** @type {Record<string, () => Promise<void>>} */
const commands = {
  async register() {
    if (hasDevice) fail(`${values.folder} is already a device of ${client.me.user.username}`);
    await client.account.register(given[0], await askSecretly('Password: '), given[1]);
    await client.enrolment.settle();
    console.log(`${client.me.user.username} is registered; this is device ${client.me.device}.`);
  },
  async login() {
    if (hasDevice && given[0] !== client.me.user.username)
      fail(`${values.folder} is already a device of ${client.me.user.username}`);
    const password = await askSecretly('Password: ');
    await (hasDevice ? client.account.logInAgain(password) : client.account.logIn(given[0], password));
    await client.connection.connect();
    if (!client.enrolment.isListed) await waitForLink();
    console.log('Logged in. Earlier messages are on your other devices.');
  },
  async recover() {
    await client.connection.connect();
    await client.enrolment.recover(given[0] ?? fail('recover needs your recovery key'));
    console.log('This device is confirmed.');
  },
  async link() {
    await client.enrolment.link(given[0] ?? fail('link needs the code that the new device shows'));
    console.log('The device is linked.');
  },
  'recovery-key': async () => {
    console.log(`Your recovery key, shown only once:\n  ${await client.enrolment.makeRecoveryKey()}`);
  },
  async list() {
    await connect();
    for (const { id, members, state } of await client.membership.list()) {
      console.log(`${id.slice(0, 8)}  ${members.map((one) => one.username).join(', ')}  ${state}`);
    }
  },
  async start() {
    if (!given.length) fail('start needs at least one name');
    await connect();
    await talk(await client.membership.start(given));
  },
  async talk() {
    await connect();
    await talk((await conversationOf(given[0] ?? fail('talk needs a name or a conversation'))).id);
  },
  async safety() {
    await connect();
    await showSafety((await conversationOf(given[0] ?? fail('safety needs a name'))).id, given[0]);
  },
  async logout() {
    await client.farewell.logOut();
    console.log('Logged out. This device was removed and its data deleted.');
  },
};

const run = commands[command] ?? fail(`unknown command ${command}; see --help`);
if (!hasDevice && !['register', 'login'].includes(command))
  fail('no device in this folder: run register or login first');
if (hasDevice && !['login', 'logout'].includes(command)) await client.api.call('GET', 'account').catch(failWith);
await run().catch(failWith);
client.connection.close();
process.exit(0);
