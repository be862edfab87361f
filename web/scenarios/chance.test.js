// @ts-check
/**
 * Twelve devices of six users send, update, are added and removed, disconnect and crash, while workers of the server
 * are killed, all by a random seed. In the end every device in the group has read everything since it joined.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { chanceOf } from './chance.js';
import { workerPids } from './workers.js';

const server = process.env.SOTTOVOCE_SERVER ?? '';
const serverPid = Number(process.env.SOTTOVOCE_PID ?? 0); // its workers are killed, if it is set
const seed = Number(process.env.SOTTOVOCE_SEED ?? 1);
const actions = Number(process.env.SOTTOVOCE_ACTIONS ?? 300);
const PEOPLE = 6;
const AT_ONCE = 6;
const SETTLE_MS = 60_000;
const ANSWER_MS = 120_000;

const figures = {
  seed,
  actions,
  messages: 0,
  read: 0,
  updates: 0,
  removed: 0,
  added: 0,
  crashes: 0,
  dropped: 0,
  workers_killed: 0,
  rejoined: 0,
  undecryptable: 0,
  unread: 0,
  epochs: 0,
};

/**
 * A client that never answers must fail the test with its name, and not stop it.
 * @template T @param {Promise<T>} work @param {string} problem @returns {Promise<T>}
 */
function inTime(work, problem) {
  /** @type {NodeJS.Timeout} */
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(problem)), ANSWER_MS)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

class Thread {
  /** @type {Worker} */
  worker = /** @type {any} */ (null);
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: any) => void }>} */
  asked = new Map();
  number = 0;
  isUp = false;
  me = /** @type {any} */ (null);

  /** @param {string} folder @param {string} username @param {string} how */
  constructor(folder, username, how) {
    this.data = { server, folder, username, how };
    this.username = username;
  }

  /** Returns when it has an account. */
  start() {
    this.worker = new Worker(new URL('./device-thread.js', import.meta.url), { workerData: this.data });
    return new Promise((resolve, reject) => {
      this.worker.on('error', (error) => {
        console.log(`# ${this.data.folder.slice(-2)} has died: ${error.stack}`);
        for (const asked of this.asked.values()) asked.reject(error);
        reject(error);
      });
      this.worker.on('message', (told) => {
        if (told.event === 'up') {
          this.me = told.detail;
          this.isUp = true;
          resolve(undefined);
        } else if (told.event) this.note(told);
        else this.settle(told);
      });
    });
  }

  /** @param {any} told */
  note({ event, detail }) {
    if (event === 'rejoined') figures.rejoined += 1;
    if (event === 'undecryptable') figures.undecryptable += 1;
    if (event !== 'rejoined') console.log(`# ${this.username} ${event} ${JSON.stringify(detail)}`);
  }

  /** @param {any} told */
  settle({ id, result, error }) {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    if (error) asked?.reject(error);
    else asked?.resolve(result);
  }

  /** @param {string} verb @param {unknown[]} given @returns {Promise<any>} */
  ask(verb, ...given) {
    const answer = new Promise((resolve, reject) => {
      const id = ++this.number;
      this.asked.set(id, { resolve, reject });
      this.worker.postMessage({ id, verb, given });
    });
    return inTime(answer, `${this.data.folder.slice(-2)} does not answer ${verb}`);
  }

  async crash() {
    this.isUp = false;
    await this.worker.terminate();
    for (const { reject } of this.asked.values()) reject({ code: 'crashed' });
    this.asked.clear();
    await inTime(this.start(), `${this.data.folder.slice(-2)} does not start again`);
  }
}

test(`random_scenario_of_seed_${seed}`, async () => {
  const chance = chanceOf(seed);
  const pick = (/** @type {any[]} */ among) => among[Math.floor(chance() * among.length)];
  const folder = await mkdtemp(join(tmpdir(), 'sottovoce-chance-'));
  const names = Array.from({ length: PEOPLE }, (_, n) => `p${n}_${Date.now().toString(36)}${seed}`);
  const threads = names.flatMap((name, n) => [
    new Thread(join(folder, `${n}a`), name, 'register'),
    new Thread(join(folder, `${n}b`), name, 'logIn'),
  ]);
  after(async () => {
    await Promise.all(threads.map((thread) => thread.worker?.terminate()));
    await rm(folder, { recursive: true });
  });
  await Promise.all(threads.filter((_, n) => n % 2 === 0).map((thread) => thread.start()));
  await Promise.all(threads.filter((_, n) => n % 2 === 1).map((thread) => thread.start()));
  for (let n = 0; n < threads.length; n += 2) await threads[n].ask('link', await threads[n + 1].ask('askToBeLinked'));

  const [owner] = threads;
  const id = await owner.ask('start', names.slice(1));
  let said = 0;
  const [out, leaving] = [new Set(), new Set()];

  const deeds = {
    async say() {
      const thread = pick(threads.filter((one) => one.isUp && !out.has(one.username)));
      await thread?.ask('say', id, `${thread.data.folder.slice(-2)} says ${said++}`);
    },
    async update() {
      await pick(threads.filter((one) => one.isUp && !out.has(one.username)))?.ask('update', id);
      figures.updates += 1;
    },
    async remove() {
      const victim = pick(names.slice(1).filter((name) => !out.has(name) && !leaving.has(name)));
      if (!victim || out.size >= 3) return;
      leaving.add(victim);
      await owner.ask('remove', id, victim).finally(() => leaving.delete(victim));
      out.add(victim);
      figures.removed += 1;
    },
    async add() {
      const victim = pick([...out]);
      if (!victim) return;
      await owner.ask('add', id, victim);
      out.delete(victim);
      figures.added += 1;
    },
    async crash() {
      const victim = pick(threads.filter((one) => one.isUp && one !== owner));
      figures.crashes += 1;
      await victim?.crash();
    },
    async drop() {
      const thread = pick(threads.filter((one) => one.isUp));
      figures.dropped += 1;
      await thread.ask('close');
      await new Promise((resolve) => setTimeout(resolve, 300 * chance()));
      void thread.ask('connect').catch(() => {});
    },
    async kill() {
      const pids = workerPids(serverPid);
      if (!pids.length) return;
      process.kill(pick(pids), 'SIGKILL');
      figures.workers_killed += 1;
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
  };
  /** @type {[keyof typeof deeds, number][]} */
  const weights = [
    ['say', 60],
    ['update', 8],
    ['remove', 4],
    ['add', 6],
    ['crash', 6],
    ['drop', 14],
  ];
  const urn = weights.flatMap(([deed, weight]) => Array(weight).fill(deed));
  // Errors that a removed, crashed or late device may get.
  const expected = ['crashed', 'not_a_leaf', 'no_such_conversation', 'not_allowed', 'bad_frame', 'stale_epoch'];

  const running = new Set();
  for (let done = 0; done < actions; done++) {
    const isThird = done > 0 && done % Math.floor(actions / 3) === 0;
    const deed = /** @type {keyof typeof deeds} */ (isThird ? 'kill' : pick(urn));
    const work = deeds[deed]().catch((/** @type {any} */ error) => {
      if (!expected.includes(error?.code)) throw new Error(`${deed}: ${JSON.stringify(error)} ${error?.stack}`);
    });
    running.add(work);
    void work.finally(() => running.delete(work)).catch(() => {});
    while (running.size >= AT_ONCE) await Promise.race(running);
  }
  await Promise.all(running);
  await Promise.all(threads.map((thread) => thread.ask('connect').catch(() => {})));

  const current = threads.filter((thread) => !out.has(thread.username));
  /** @type {any[]} */
  let looks;
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    looks = await Promise.all(current.map((thread) => thread.ask('look', id)));
    const ends = new Set(looks.map((look) => `${look.isActive} ${look.cursor} ${look.epoch} ${look.waiting}`));
    if (ends.size === 1 && looks[0].isActive && looks[0].waiting === 0) break;
    assert.ok(Date.now() < deadline, `they do not come to rest: ${[...ends].join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }

  const ledger = new Map();
  for (const look of looks) {
    for (const [seq, device, text] of look.messages) {
      const known = ledger.get(seq);
      assert.ok(known === undefined || (known[0] === device && known[1] === text), `two texts at ${seq}`);
      ledger.set(seq, [device, text]);
    }
  }
  for (const look of looks) {
    const has = new Set(look.messages.map((/** @type {any[]} */ [seq]) => seq));
    const missing = [...ledger.keys()].filter((seq) => seq > look.since && !has.has(seq));
    figures.unread += missing.length;
    figures.read += has.size;
    if (missing.length) console.log(`# ${look.me.user.username} since ${look.since} lacks ${missing}`);
  }
  figures.messages = ledger.size;
  figures.epochs = looks[0].epoch;
  console.log(`# figures ${JSON.stringify(figures)}`);
  assert.equal(figures.undecryptable, 0);
  assert.equal(figures.unread, 0);
  assert.ok(figures.messages > actions / 4 && figures.epochs > 10 && figures.crashes > 0, JSON.stringify(figures));
});
