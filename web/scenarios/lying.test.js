// @ts-check
/**
 * Two people who have verified each other talk through a server that lies at random; a third one, to whom the server is
 * honest, may be added. Nobody else reads what they write, no message changes, and both go on as soon as the server is
 * honest.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readersOf } from '../client/conversations/readers.js';
import { chanceOf } from './chance.js';
import { Liar } from './liar.js';
import { LIES, tellLie } from './lies.js';
import { conversation, deceived, people, until } from './users.js';

/** @typedef {import('./liar.js').Victim} Victim */

const seed = Number(process.env.SOTTOVOCE_SEED ?? 1);
const rounds = Number(process.env.SOTTOVOCE_ROUNDS ?? 8);
const STEPS = 24;
const PATIENCE_MS = Number(process.env.SOTTOVOCE_PATIENCE_MS ?? 10_000);
const TRIES = 5;
const PUBLIC = ['device_list', 'leave', 'receipt', 'delete']; // kinds that reveal nothing, and go to every leaf

const figures = {
  seed,
  rounds: 0,
  lies: 0,
  messages: 0,
  edits: 0,
  deletions: 0,
  joined_again: 0,
  ghosts: 0,
  overheard: 0,
  read: 0,
  changed: 0,
  stuck: 0,
};

/**
 * What each message said, in all its versions.
 * @typedef {{ user: string, texts: string[], isDeleted: boolean }} Written
 */

/** @param {Victim} device @param {string} id @param {Map<string, Written>} ledger @param {number} number */
async function say(device, id, ledger, number) {
  const text = `${device.username} ${number} in ${id}`;
  const message = await device.client.outbox.sendText(id, text);
  ledger.set(message, { user: device.user, texts: [text], isDeleted: false });
  figures.messages += 1;
}

/** An edit, a deletion or a reaction. @param {Victim} device @param {string} id @param {Map<string, Written>} ledger @param {() => number} chance */
async function change(device, id, ledger, chance) {
  const own = [...ledger].filter(([, { user, isDeleted }]) => user === device.user && !isDeleted);
  const [of, written] = own[Math.floor(chance() * own.length)] ?? [];
  if (!of || !written) return;
  if (chance() < 0.7) {
    const text = `${written.texts[0]}, edited ${written.texts.length}`;
    written.texts.push(text);
    await device.client.outbox.send(id, { kind: 'edit', of, text });
    figures.edits += 1;
  } else {
    written.isDeleted = true;
    await device.client.outbox.send(id, { kind: 'delete', of });
    figures.deletions += 1;
  }
}

/** Items that are not as their author wrote them. @param {Victim} device @param {string} id @param {Map<string, Written>} ledger */
async function changedItems(device, id, ledger) {
  const items = await device.client.store.items(id, { limit: Infinity });
  return items.filter((item) => {
    if (item.isForeign || item.notice || item.isHidden) return false;
    const written = ledger.get(item.id ?? '');
    if (item.isDeleted) return item.id !== undefined && !written?.isDeleted;
    if (!written) return ledger.size > 0 && [...ledger.values()].some(({ user }) => user === item.user);
    return written.user !== item.user || !written.texts.includes(item.text ?? '');
  });
}

/** To understand why a device does not go on. @param {Victim} device @param {string} id */
async function stateOf(device, id) {
  const { client } = device;
  const { isActive, isForged, epoch, cursor, since, strangers, asked, changedKeys, state } =
    (await client.store.get(id)) ?? {};
  const waiting = (await client.outbox.waiting()).filter((one) => one.conversation === id);
  return {
    ...{ device: device.username, isActive, isForged, epoch, cursor, since, strangers, asked, changedKeys, state },
    ...{
      isReady: client.connection.isReady,
      standing: client.enrolment.standing,
      members: await client.mls.members(id).catch(String),
    },
    ...{ waiting: waiting.map(({ content, failure }) => [content.kind, failure?.code]) },
    problems: device.told('problem').slice(-4).map(({ error }) => String(error)), // prettier-ignore
  };
}

/**
 * One of them starts a conversation, now and then while the server answers with false key packages.
 * @param {Liar} liar
 */
async function start(liar) {
  const starter = liar.pick(liar.victims);
  const other = liar.other(starter);
  if (liar.chance() < 0.3) {
    await LIES.keyPackages(liar, starter);
    figures.lies += 1;
    await starter.client.membership.start([other.username], liar.id).catch(() => {});
    starter.lies.changeAnswer.length = 0;
  }
  await starter.client.membership.start([other.username], liar.id);
  for (const device of liar.victims) await device.isIn(liar.id);
}

/** @param {Victim[]} victims @param {import('./users.js').Device} carol @param {() => number} chance */
async function round(victims, carol, chance) {
  const [alice, bob] = victims;
  const id = crypto.randomUUID();
  const liar = new Liar(chance, victims, id);
  await start(liar);
  /** @type {Map<string, Written>} */
  const ledger = new Map();
  for (const device of victims) await say(device, id, ledger, 0);
  await Promise.all([alice.hears(`${bob.username} 0 in ${id}`), bob.hears(`${alice.username} 0 in ${id}`)]);
  const told = [];
  for (let step = 1; step <= STEPS; step++) {
    const device = liar.pick(victims);
    const dice = chance();
    if (dice < 0.3) await say(device, id, ledger, step);
    else if (dice < 0.4) await change(device, id, ledger, chance);
    else if (dice < 0.44) void device.updates(id).catch(() => {});
    else if (dice < 0.46) void device.client.membership.add(id, [carol.username]).catch(() => {});
    else if (dice < 0.5) {
      device.leaves();
      await device.returns();
    } else {
      told.push(await tellLie(liar).catch((error) => `failed: ${error}`));
      figures.lies += 1;
    }
    if (chance() < 0.5) await device.client.settled();
  }
  const overheard = await liar.hasRead();
  figures.ghosts += liar.ghosts.length;
  figures.overheard += overheard.length;
  const read = overheard.filter((content) => !PUBLIC.includes(JSON.parse(content).kind));
  liar.turnHonest();
  for (const device of victims) {
    device.leaves();
    await device.returns();
  }
  const isStuck = !(await goOn(victims, [...victims, carol], id, ledger));
  const changed = [...(await changedItems(alice, id, ledger)), ...(await changedItems(bob, id, ledger))];
  return { id, told, read, changed, isStuck };
}

/**
 * Each says something that the other one has to hear. What is sent while a device joins again is lost for it, so there
 * are several tries.
 * @param {Victim[]} victims @param {import('./users.js').Device[]} friends whom they know
 * @param {string} id @param {Map<string, Written>} ledger
 */
async function goOn(victims, friends, id, ledger) {
  for (let tries = 1; tries <= TRIES; tries++) {
    for (const device of victims) await say(device, id, ledger, STEPS + tries);
    const texts = victims.map(({ username }) => `${username} ${STEPS + tries} in ${id}`);
    const isHeard = async () => {
      for (const { client } of victims) {
        const { strangers = [] } = (await client.store.get(id)) ?? {};
        if (strangers.length && strangers.every((user) => friends.some((friend) => friend.user === user)))
          await client.membership.acceptStrangers(id, strangers);
        for (const { id: message, failure } of await client.outbox.waiting())
          if (failure && failure.code !== 'stranger')
            await client.outbox.retry(message, readersOf(await client.store.get(id))); // the author agrees
      }
      return texts.every((text) => victims.every(({ heard }) => heard.includes(text)));
    };
    const isDone = await until(isHeard, 'both go on', PATIENCE_MS).then(
      () => true,
      () => false,
    );
    if (isDone) return true;
  }
  return false;
}

test(`lying_server_of_seed_${seed}_gains_nothing`, async () => {
  const victims = await deceived('alice', 'bob');
  const [alice, bob] = victims;
  const [carol] = await people('carol');
  const first = await conversation(alice, bob);
  for (const [one, other] of [victims, [...victims].reverse()]) {
    const compared = await one.client.trust.safetyNumber(first, other.user);
    await one.client.identities.verify(other.user, compared, other.username);
  }
  const only = process.env.SOTTOVOCE_ROUND;
  for (let number = Number(only ?? 0); number < (only === undefined ? rounds : Number(only) + 1); number++) {
    const { id, told, read, changed, isStuck } = await round(victims, carol, chanceOf(1000 * seed + number));
    figures.rounds += 1;
    figures.read += read.length;
    figures.changed += changed.length;
    figures.stuck += Number(isStuck);
    if (isStuck) for (const device of victims) console.log(`# ${JSON.stringify(await stateOf(device, id))}`);
    if (read.length || changed.length || isStuck)
      console.log(`# round ${number}: ${JSON.stringify({ told, read, changed, isStuck })}`);
  }
  figures.joined_again = alice.told('rejoined').length + bob.told('rejoined').length;
  console.log(`# figures ${JSON.stringify(figures)}`);
  assert.deepEqual([figures.read, figures.changed, figures.stuck], [0, 0, 0]);
  assert.ok(figures.lies > 5 * figures.rounds && figures.messages > 5 * figures.rounds);
  assert.ok(figures.rounds < 50 || figures.overheard > 0, 'some ghosts have the keys of a group');
});
