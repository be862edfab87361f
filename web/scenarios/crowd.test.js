// @ts-check
/** A large group. SOTTOVOCE_DEVICES: of each of its ten users. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { another, conversation, people } from './users.js';

const PEOPLE = 10;
const DEVICES = Number(process.env.SOTTOVOCE_DEVICES ?? 5);

test('large_group_receives_all_and_goes_on_without_a_member', async () => {
  const first = await people(...Array.from({ length: PEOPLE }, (_, number) => `h${number}`));
  const others = [];
  for (const person of first) {
    others.push(...(await Promise.all(Array.from({ length: DEVICES - 1 }, () => another(person)))));
  }
  const all = [...first, ...others];
  const id = await conversation(first[0], ...all.slice(1));
  assert.equal((await first[0].client.mls.members(id)).length, PEOPLE * DEVICES);

  const speakers = all.filter((_, number) => number % (DEVICES - 1) === 0);
  await Promise.all(speakers.map((one, number) => one.says(id, `speaker ${number}`)));
  const texts = speakers.map((_, number) => `speaker ${number}`);
  await Promise.all(all.map((one) => one.hears(...texts)));
  for (const one of speakers.slice(0, 3)) await one.updates(id);

  const [owner, gone] = first;
  await owner.client.membership.remove(id, gone.user);
  const remaining = all.filter((one) => one.username !== gone.username);
  await remaining[remaining.length - 1].says(id, 'nine of us');
  await Promise.all(remaining.map((one) => one.hears('nine of us')));
  await gone.doesNotHear('nine of us', 0);
  const epochs = new Set(await Promise.all(remaining.map((one) => one.client.mls.epoch(id))));
  assert.equal(epochs.size, 1);
  remaining.forEach((one) => one.isFine());
});
