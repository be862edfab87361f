// @ts-check
/** A conversation on the command line: each line is a message or a command. */
import { createInterface } from 'node:readline';
import { isMessage, previewOf } from '../client/content/index.js';
import { readersOf } from '../client/conversations/readers.js';
import { nameIn, othersIn, personIn } from './names.js';
import { printable, printableLines } from './printable.js';
import { showSafetyNumber, statusOf, WAITS } from './trust.js';

export const COMMANDS =
  'In a conversation, each line is a message. Commands: /add NAME, /remove NAME, /safety NAME, /verify NAME,' +
  ' /continue NAME,\n/accept, /agree, /send, /leave and /quit.';

/** @typedef {import('../client/conversations/reducer.js').Conversation} Conversation */

/** @param {import('../client/client.js').Client} client @param {Conversation} conversation encrypted */
export async function talk(client, conversation) {
  const { id } = conversation;
  const me = client.me.user.id;
  /** As its state was shown last. */
  let told = conversation;
  /** @param {string} user */
  const nameOf = (user) => nameIn(told, user, me);
  /** The safety numbers that were shown, by user. @type {Map<string, Awaited<ReturnType<typeof showSafetyNumber>>>} */
  const shown = new Map();
  let status = '';

  /** @param {Conversation} now */
  const showStatus = (now) => {
    told = now;
    const lines = statusOf(now, me).join('\n');
    if (lines !== status && lines) console.log(lines);
    status = lines;
  };

  /** @param {import('../client/conversations/reducer.js').Item} item */
  const show = ({ at, user, text, isDeleted, isHidden, isForeign, device, edits, notice }) => {
    if (notice?.what === 'members') {
      for (const one of notice.devices) console.log(`* ${nameOf(one.user)} has a new device (${one.device})`);
    }
    if (notice || isHidden || (device === undefined && !isDeleted)) return;
    const said = isDeleted ? '(deleted)' : `${text}${edits?.length ? ' (edited)' : ''}`;
    const foreign = isForeign ? ' (from a device that they did not confirm)' : '';
    console.log(`${new Date(at).toLocaleTimeString()} ${nameOf(user)}${foreign}: ${printableLines(said)}`);
  };

  const others = othersIn(told, me).map(nameOf).join(', ');
  console.log(`* conversation with ${others || 'yourself'}; /quit to leave it open, /help for commands`);
  if (told.state === 'requested') console.log('* Message request: replying accepts it.');
  for (const item of await client.store.items(id, { limit: 20 })) show(item);
  showStatus((await client.store.get(id)) ?? told);

  const users = new Map(told.members.map((member) => [member.device, member.user]));
  client.listen('item', ({ conversation, item }) => {
    if (conversation === id) show(item);
  });
  client.listen('conversation', (now) => {
    if (now.id === id) showStatus(now);
  });
  client.listen('failed', ({ id: message, conversation, content, code, error }) => {
    if (conversation !== id || (WAITS[code] && !isMessage(content))) return; // only texts are shown
    const what = previewOf(content) ?? content.kind;
    console.error(printable(WAITS[code] ? `* waits: ${what} (${WAITS[code]})` : `* not sent: ${what} (${error})`));
    if (!WAITS[code]) void client.outbox.discard(message);
  });
  client.listen('removed', ({ conversation }) => {
    if (conversation !== id) return;
    console.log('* you are no longer in this conversation');
    process.exit(0);
  });
  client.listen('left', ({ conversation, device }) => {
    const user = users.get(device);
    if (conversation === id) console.log(`* ${user ? nameOf(user) : 'a member'} has left`);
  });
  client.listen('offline', () => console.log('* offline; your messages will be sent later'));

  /** @type {Record<string, () => Promise<unknown>>} */
  const commands = {
    '/help': async () => console.log(COMMANDS),
    '/leave': () => client.farewell.leave(id),
    '/accept': () => client.membership.acceptStrangers(id, told.strangers ?? []),
    '/agree': () => client.removals.agree(id, [...(told.asked ?? []), ...(told.missing ?? [])]),
    '/send': async () => {
      for (const { id: message, conversation, failure } of await client.outbox.waiting())
        if (conversation === id && failure?.code === 'new_readers') await client.outbox.retry(message, readersOf(told));
    },
  };
  /** @type {Record<string, (name: string) => Promise<unknown>>} */
  const commandsOfName = {
    '/add': (name) => client.membership.add(id, [name]),
    '/remove': (name) => client.membership.remove(id, personIn(told, me, name)),
    '/safety': async (name) => {
      const user = personIn(told, me, name);
      shown.set(user, await showSafetyNumber(client, told, user));
    },
    '/verify': async (name) => {
      const user = personIn(told, me, name);
      const number = shown.get(user);
      if (!number) throw new Error(`compare it first: /safety ${name}`);
      await client.identities.verify(user, number.compared, number.name);
      console.log(`${nameOf(user)} is verified.`);
    },
    '/continue': (name) => client.identities.acceptChanged(personIn(told, me, name)),
  };
  /** @param {string} line @returns {Promise<unknown>} */
  const run = async (line) => {
    const [verb, name] = line.split(/\s+/);
    if (Object.hasOwn(commands, verb)) return commands[verb]();
    if (Object.hasOwn(commandsOfName, verb)) {
      if (!name) throw new Error(`${verb} needs a name`);
      return commandsOfName[verb](name);
    }
    if (line.startsWith('/')) throw new Error(`unknown command ${verb}; see /help`);
    if (!line.trim()) return;
    if (told.state === 'requested') await client.membership.answer(id, 'joined');
    return client.outbox.sendText(id, line);
  };
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '/quit') break;
    await run(line).catch((/** @type {Error} */ { message }) => console.error(`Error: ${printable(message)}`));
  }
  await client.outbox.allSent();
}
