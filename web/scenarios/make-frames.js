// @ts-check
/**
 * Writes tests/mls/frames.json, the frames of CoreCrypto that the server's parser is tested on: `node
 * scenarios/make-frames.js`.
 */
import { writeFileSync } from 'node:fs';
import * as cc from '@wireapp/core-crypto/browser';
import { toBase64, toHex, uuidBytes } from '../client/util/bytes.js';
import { startInNode } from '../client/node/platform.js';

const ALICE = '11111111-2222-4333-8444-555555555555';
const BOB = '21111111-2222-4333-8444-555555555555';
const GROUP = uuidBytes('01234567-89ab-cdef-0123-456789abcdef');
const SUITE = cc.CipherSuite.Mls128Dhkemx25519Aes128gcmSha256Ed25519;
const LIFE_MS = 1000 * 3600 * 24 * 365 * 20; // of the key package: longer than these tests will be read

await startInNode();

/** @param {string} user @param {bigint} device */
async function client(user, device) {
  const core = cc.CoreCrypto.new(/** @type {any} */ (await cc.Database.inMemory()));
  const id = new cc.ClientId(new cc.Uuid(user), new cc.DeviceId(device), 'sottovoce');
  /** @type {import('@wireapp/core-crypto/browser').CommitBundle[]} */
  const bundles = [];
  const credential = await core.transaction(async (context) => {
    await context.mlsInit(id, {
      sendCommitBundle: async (bundle) => void bundles.push(bundle),
      prepareForTransport: async () => new Uint8Array(),
    });
    return context.addCredential(cc.Credential.basic(SUITE, id));
  });
  return { core, id, bundles, credential };
}

const group = () => new cc.ConversationId(GROUP);
const [alice, bob, phone] = await Promise.all([client(ALICE, 1n), client(BOB, 2n), client(ALICE, 3n)]);
/** @type {object[]} */
const steps = [];

/** @param {string} name @param {{ bundles: import('@wireapp/core-crypto/browser').CommitBundle[] }} by */
function step(name, by) {
  const bundle = /** @type {import('@wireapp/core-crypto/browser').CommitBundle} */ (by.bundles.at(-1));
  steps.push({
    name,
    commit: toBase64(bundle.commit),
    welcome: bundle.welcome ? toBase64(/** @type {any} */ (bundle.welcome).serialize()) : null,
    group_info: toBase64(bundle.groupInfo.payload),
  });
  return bundle;
}

const keyPackage = await bob.core.transaction((context) => context.generateKeyPackage(bob.credential, LIFE_MS));
const bytes = keyPackage.serialize();
await alice.core.transaction((context) => context.createConversation(group(), alice.credential));
await alice.core.transaction((context) => context.addClientsToConversation(group(), [new cc.KeyPackage(bytes)]));
const { welcome } = step('add', alice);
await bob.core.transaction((context) => context.processWelcomeMessage(/** @type {any} */ (welcome)));
const message = await alice.core.transaction((context) => context.encryptMessage(group(), new Uint8Array(5)));
await bob.core.transaction((context) => context.updateKeyingMaterial(group()));
const update = step('update', bob);
await alice.core.transaction((context) => context.decryptMessage(group(), update.commit));
await phone.core.transaction((context) =>
  context.joinByExternalCommit(new cc.GroupInfo(update.groupInfo.payload.slice(4)), phone.credential),
);
const join = step('join', phone);
await alice.core.transaction((context) => context.decryptMessage(group(), join.commit));
await alice.core.transaction((context) => context.removeClientsFromConversation(group(), [bob.id]));
step('remove', alice);

const made = {
  group_id: toHex(GROUP),
  reference: toBase64(keyPackage.ref().hashRef()),
  key_package: toBase64(bytes),
  message: toBase64(message),
  steps,
};
writeFileSync(new URL('../../tests/mls/frames.json', import.meta.url), `${JSON.stringify(made, null, 1)}\n`);
process.exit(0);
