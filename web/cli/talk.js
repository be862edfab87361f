// @ts-check
/** A conversation on the command line: each line is a message or a command. */
import { createInterface } from 'node:readline';
import { isMessage, previewOf } from '../client/content/index.js';
import { printable, printableLines } from './printable.js';
import { readersOf } from '../client/conversations/readers.js';
import { showSafetyNumber, statusOf, WAITS } from './trust.js';

export const COMMANDS =
  'In a conversation, each line is a message. Commands: /add NAME, /remove NAME, /safety NAME, /verify NAME,' +
  ' /continue NAME,\n/accept, /agree, /send, /leave and /quit.';

/** @typedef {import('../client/transport/frames.d.ts').ListedConversation} Shown */

/** @param {import('../client/client.js').Client} client @param {Shown} shown */
export async function talk(client, { id, state, members }) {
  const me = client.me.user.id;
  const names = new Map(members.map((member) => [member.id, printable(member.username)]));
  /** @param {string} user */
  const nameOf = (user) => (user === me ? 'you' : (names.get(user) ?? user.slice(0, 8)));
  const others = members.filter((member) => member.id !== me).map((member) => nameOf(member.id));
  /** The safety numbers that were shown, by name. @type {Map<string, Awaited<ReturnType<typeof showSafetyNumber>>>} */
  const shown = new Map();
  let status = '';
  /** As its state was shown last. @type {import('../client/conversations/reducer.js').Conversation | undefined} */
  let told;

  /** @param {import('../client/conversations/reducer.js').Conversation | undefined} conversation */
  const showStatus = (conversation) => {
    const now = conversation ? statusOf(conversation, me, nameOf).join('\n') : '';
    if (now !== status && now) console.log(now);
    status = now;
    told = conversation;
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

  console.log(`* conversation with ${others.join(', ') || 'yourself'}; /quit to leave it open, /help for commands`);
  if (state === 'requested') console.log('* Message request: replying accepts it.');
  for (const item of await client.store.items(id, { limit: 20 })) show(item);
  showStatus(await client.store.get(id));

  const users = new Map((await client.store.get(id))?.members.map((member) => [member.device, member.user]));
  client.listen('item', ({ conversation, item }) => {
    if (conversation === id) show(item);
  });
  client.listen('conversation', (conversation) => {
    if (conversation.id === id) showStatus(conversation);
  });
  client.listen('failed', ({ id: message, conversation, content, code, error }) => {
    if (conversation !== id || (WAITS[code] && !isMessage(content))) return; // only texts are shown
    const what = previewOf(content) ?? content.kind;
    console.error(WAITS[code] ? `* waits: ${what} (${WAITS[code]})` : `* not sent: ${what} (${error})`);
    if (!WAITS[code]) void client.outbox.discard(message);
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

  const idOf = async (/** @type {string} */ name) => (await client.membership.find(name)).id;
  /** @type {Record<string, () => Promise<unknown>>} */
  const commands = {
    '/help': async () => console.log(COMMANDS),
    '/leave': () => client.farewell.leave(id),
    '/accept': () => client.membership.acceptStrangers(id, told?.strangers ?? []),
    '/agree': () => client.removals.agree(id, [...(told?.asked ?? []), ...(told?.missing ?? [])]),
    '/send': async () => {
      for (const { id: message, conversation, failure } of await client.outbox.waiting())
        if (conversation === id && failure?.code === 'new_readers') await client.outbox.retry(message, readersOf(told));
    },
  };
  /** @type {Record<string, (name: string) => Promise<unknown>>} */
  const commandsOfName = {
    '/add': (name) => client.membership.add(id, [name]),
    '/remove': async (name) => client.membership.remove(id, await idOf(name)),
    '/safety': async (name) => shown.set(name.toLowerCase(), await showSafetyNumber(client, id, name)),
    '/verify': async (name) => {
      const { user, compared } = shown.get(name.toLowerCase()) ?? {};
      if (!user || !compared) throw new Error(`compare it first: /safety ${name}`);
      await client.identities.verify(user, compared, name);
      console.log(`${printable(name)} is verified.`);
    },
    '/continue': async (name) => client.identities.acceptChanged(await idOf(name)),
  };
  /** @param {string} line */
  const run = async (line) => {
    const [verb, name] = line.split(/\s+/);
    if (Object.hasOwn(commands, verb)) return commands[verb]();
    if (Object.hasOwn(commandsOfName, verb)) {
      if (!name) throw new Error(`${verb} needs a name`);
      return commandsOfName[verb](name);
    }
    if (line.startsWith('/')) throw new Error(`unknown command ${verb}; see /help`);
    if (!line.trim()) return;
    if (state === 'requested') await client.membership.answer(id, 'joined');
    return client.outbox.sendText(id, line);
  };
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '/quit') break;
    await run(line).catch((/** @type {Error} */ { message }) => console.error(`Error: ${message}`));
  }
  await client.outbox.allSent();
}
