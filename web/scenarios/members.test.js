// @ts-check
/** Members who want to stop a group, on an honest server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from '../client/transport/api.js';
import { fromBase64 } from '../client/util/bytes.js';
import { known, settled } from './attacks.js';
import { HandMade } from './hand-made.js';
import { another, conversation, people, until } from './users.js';

/** A group of alice, who owns it, and bob with a device that is made by hand. */
async function withMallory() {
  const [alice, bob] = await people('alice', 'bob');
  const mallory = new HandMade();
  await mallory.register();
  const id = await conversation(alice, bob);
  await alice.client.membership.add(id, [mallory.username]);
  await settled(bob);
  await alice.says(id, 'hello');
  await bob.hears('hello');
  return { alice, bob, mallory, id };
}

test('group_info_that_nobody_can_join_by_is_refused', async () => {
  const { alice, bob, mallory, id } = await withMallory();
  const { epoch } = await known(alice, id);
  await assert.rejects(() => mallory.breakEpoch(id, { isJoinable: false }), { code: 'tree_differs' });
  assert.equal((await alice.client.api.callUntilAnswered('GET', `conversations/${id}/group-info`)).epoch, epoch);
  await bob.says(id, 'nothing has happened');
  await alice.hears('nothing has happened');
  [alice, bob].forEach((device) => device.isFine());
});

test('commit_that_nobody_can_follow_ends_no_group', async () => {
  const { alice, bob, mallory, id } = await withMallory();
  const areBack = async (/** @type {number} */ times) => {
    const [{ epoch }] = await alice.client.joining.list();
    const epochs = await Promise.all([alice, bob].map(({ client }) => client.mls.epoch(id)));
    return epochs.every((one) => one === epoch) && [alice, bob].every((one) => one.told('rejoined').length >= times);
  };
  for (const times of [1, 2]) {
    await mallory.breakEpoch(id, { isJoinable: true });
    await until(() => areBack(times), `both are back after ${times}`); // one of them could not read an earlier message
    await alice.says(id, `alice ${times}`);
    await bob.hears(`alice ${times}`);
    await bob.says(id, `bob ${times}`);
    await alice.hears(`bob ${times}`);
  }
  await alice.client.membership.remove(id, mallory.user);
  await settled(bob);
  await assert.rejects(() => mallory.breakEpoch(id, { isJoinable: true }), { code: 'no_such_conversation' });
  await bob.says(id, 'without mallory');
  await alice.hears('without mallory');
  for (const { client } of [alice, bob]) assert.equal((await client.mls.members(id)).length, 2);
});

test('device_that_was_added_to_a_fork_comes_back_before_it_speaks', async () => {
  const [mallory, bob, carol] = await people('mallory', 'bob', 'carol');
  const second = await another(mallory);
  const id = await conversation(mallory, bob, second);
  const body = { devices: [carol.client.me.device] };
  const [{ key_package }] = await mallory.client.api.call('POST', `users/${carol.user}/key-packages/claim`, body);
  const keyPackages = [fromBase64(key_package)];
  /** Of a commit that is never stored. @type {Uint8Array | null} */
  let welcome = null;
  const stop = async (/** @type {import('../client/mls/transactions.js').Bundle} */ bundle) => {
    welcome = bundle.welcome;
    throw new Error('not sent');
  };
  await second.client.inTurn(() => assert.rejects(() => second.client.mls.add(id, keyPackages, stop)));
  await mallory.client.inTurn(async () => {
    await mallory.client.mls.add(id, keyPackages, async (bundle) => {
      const read = (await known(mallory, id)).cursor;
      await mallory.client.api.call('POST', `conversations/${id}/commits`, {
        ...Api.bundle({ ...bundle, welcome }),
        read,
      });
    });
  });
  await carol.isIn(id);
  await settled(bob);
  await carol.says(id, 'which group is this?');
  await bob.hears('which group is this?');
  await bob.says(id, 'ours');
  await until(() => carol.heard.includes('ours'), 'carol hears bob');
});
