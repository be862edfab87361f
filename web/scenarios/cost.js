// @ts-check
/**
 * What the checks of readers cost: the time to encrypt a text in groups of several sizes, with all that precedes it
 * and without, on devices that keep their data in folders. Prints a JSON line for each size.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeContent } from '../client/content/index.js';
import { readerCheck, readersOf } from '../client/conversations/readers.js';
import { another, deviceIn, people } from './users.js';

const SIZES = [2, 10, 30];
const ROUNDS = 60;
const TEXTS = 10; // in a turn of a round

/** @param {number[]} values */
function median(values) {
  return values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
}

/** Milliseconds a text. @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  for (let nth = 0; nth < TEXTS; nth++) await work();
  return (performance.now() - start) / TEXTS;
}

test('cost_of_checks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sottovoce-cost-'));
  const alice = await deviceIn(folder, 'alice');
  const { client } = alice;
  const others = await people(...Array.from({ length: Math.max(...SIZES) - 1 }, () => 'user'));
  await another(others[0]);
  const content = encodeContent({
    kind: 'text',
    id: crypto.randomUUID(),
    text: 'a text of the usual length, more or less',
  });

  for (const size of SIZES) {
    const id = await client.membership.start(others.slice(0, size - 1).map(({ username }) => username));
    await alice.isIn(id);
    await client.settled();
    const readers = readersOf(await client.store.get(id));
    const plain = () =>
      client.inTurn(async () => {
        await client.store.get(id); // whether this device is in the group
        await client.mls.encrypt(id, content);
      });
    const checked = () =>
      client.inTurn(async () => {
        const known = /** @type {import('../client/conversations/reducer.js').Conversation} */ (
          await client.store.get(id)
        );
        await client.groupSender.beforeMessages(known);
        await client.enrolment.knowsOwnList();
        await client.mls.encrypt(id, content, await readerCheck(client.identities, known, readers));
      });
    await timed(plain);
    await timed(checked);
    const [withChecks, without] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (let round = 0; round < ROUNDS; round++) {
      withChecks.push(await timed(checked));
      without.push(await timed(plain));
    }
    const ratios = withChecks.map((one, nth) => one / without[nth]);
    const rounded = (/** @type {number} */ value) => Number(value.toFixed(2));
    console.log(
      JSON.stringify({
        devices: readers.length,
        ms_without: rounded(median(without)),
        ms_with: rounded(median(withChecks)),
        ratio: rounded(median(ratios)),
      }),
    );
  }
  await rm(folder, { recursive: true });
});
