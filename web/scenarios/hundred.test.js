// @ts-check
/** A group of a hundred devices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { another, conversation, people } from './users.js';

const PEOPLE = 10;
const DEVICES = 10;

test('hundred_devices_receive_all_and_ninety_go_on', async () => {
  const first = await people(...Array.from({ length: PEOPLE }, (_, number) => `h${number}`));
  const others = [];
  for (const person of first) {
    others.push(...(await Promise.all(Array.from({ length: DEVICES - 1 }, () => another(person)))));
  }
  const all = [...first, ...others];
  const id = await conversation(first[0], ...all.slice(1));
  assert.equal((await first[0].client.mls.members(id)).length, PEOPLE * DEVICES);

  const speakers = all.filter((_, number) => number % 9 === 0);
  await Promise.all(speakers.map((one, number) => one.says(id, `speaker ${number}`)));
  const texts = speakers.map((_, number) => `speaker ${number}`);
  await Promise.all(all.map((one) => one.hears(...texts)));
  for (const one of speakers.slice(0, 3)) await one.updates(id);

  const [owner, gone] = first;
  await owner.client.membership.remove(id, gone.user);
  const remaining = all.filter((one) => one.username !== gone.username);
  await remaining[remaining.length - 1].says(id, 'ninety of us');
  await Promise.all(remaining.map((one) => one.hears('ninety of us')));
  await gone.doesNotHear('ninety of us', 0);
  const epochs = new Set(await Promise.all(remaining.map((one) => one.client.mls.epoch(id))));
  assert.equal(epochs.size, 1);
  remaining.forEach((one) => one.isFine());
});
