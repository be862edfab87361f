// @ts-check
/** The server's workers are killed between a commit and its answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversation, people, until } from './users.js';
import { workerPids } from './workers.js';

const serverPid = Number(process.env.SOTTOVOCE_PID ?? 0);
const ROUNDS = 8;

test('commit_during_server_crash_is_applied_once', { skip: serverPid === 0 }, async () => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await conversation(alice, bob);
  const { api } = alice.client;
  const { fetch } = api;
  let killed = 0;
  api.fetch = async (...request) => {
    const answer = fetch(...request);
    if (String(request[0]).endsWith('/commits') && killed < ROUNDS) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
      for (const pid of workerPids(serverPid)) process.kill(pid, 'SIGKILL');
      killed += 1;
    }
    return answer;
  };
  const epoch = Number(await alice.client.mls.epoch(id));
  for (let round = 0; killed < ROUNDS; round++) {
    await alice.updates(id);
    await alice.says(id, `round ${round}`);
    await bob.hears(`round ${round}`);
    await until(async () => (await bob.client.mls.epoch(id)) === epoch + round + 1, 'one commit a round');
  }
  assert.equal(killed, ROUNDS);
  [alice, bob].forEach((one) => one.isFine());
});
