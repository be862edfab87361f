#!/usr/bin/env node
// @ts-check
/**
 * A bot that repeats every message: `SOTTOVOCE_PASSWORD=… SOTTOVOCE_PASSPHRASE=… node echo-bot.js NAME`. It accepts every
 * message request.
 */
import { FolderKey } from './client/node/passphrase.js';
import { platformIn } from './client/node/platform.js';
import { askPassphrase } from './client/node/prompt.js';

const server = process.env.SOTTOVOCE_SERVER ?? 'http://127.0.0.1:2607';
const [name] = process.argv.slice(2);
const password = process.env.SOTTOVOCE_PASSWORD ?? '';
if (!name || !password) throw new Error('usage: SOTTOVOCE_PASSWORD=… SOTTOVOCE_PASSPHRASE=… node echo-bot.js NAME');

const folder = process.env.SOTTOVOCE_FOLDER ?? `./echo-bot-${name}`;
const platform = await platformIn(folder, new FolderKey(folder, askPassphrase));
const { Client } = await import('./client/client.js');
const bot = new Client(server, platform);

const report = (/** @type {unknown} */ error) => console.error(error instanceof Error ? error.message : error);

bot.listen('joined', ({ conversation }) => void bot.membership.answer(conversation, 'joined').catch(report));

bot.listen('message', ({ conversation, message }) => {
  if (message.content.kind !== 'text' || message.sender.user === bot.me.user.id) return;
  const echo = { kind: /** @type {const} */ ('text'), text: message.content.text, reply_to: message.content.id };
  void bot.outbox.send(conversation, echo).catch(report);
});

if (!(await bot.account.resume()))
  await bot.account.register(name, password).catch(() => bot.account.logIn(name, password));
await bot.connection.connect();
console.log(`${name} is connected`);
process.on('SIGTERM', () => process.exit(0));
