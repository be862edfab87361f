// @ts-check
/**
 * MLS of one device, by CoreCrypto: identity, key packages, groups, messages.
 *
 * A commit advances the group only after the server has accepted it: CoreCrypto hands the bundle to `deliver` in the
 * middle of its transaction, and a rejection undoes the transaction. Transactions go one at a time.
 */
import * as cc from '../../vendor/core-crypto.js';
import { fromBase64, uuidBytes } from '../util/bytes.js';

const SUITE = cc.CipherSuite.Mls128Dhkemx25519Aes128gcmSha256Ed25519;
const DOMAIN = 'sottovoce'; // of identities; the server's address may change
const HEADER_BYTES = 4; // of an MLSMessage, which CoreCrypto's GroupInfo wants to be without

/** @typedef {{ commit: Uint8Array, welcome: Uint8Array | null, groupInfo: Uint8Array }} Bundle */
/** @typedef {{ user: string, device: string }} ClientName */
/** @typedef {ClientName & { thumbprint: string }} Member */
/** @typedef {import('../../vendor/core-crypto.js').CoreCryptoContext} Context */

/** The server did not take the commit; `cause` says why. Nothing has changed. */
export class CommitRejected extends Error {
  name = 'CommitRejected';
}

/** A frame that this device cannot decrypt; `reason` is CoreCrypto's word for it. */
export class Undecryptable extends Error {
  name = 'Undecryptable';

  /** @param {string} reason @param {unknown} cause */
  constructor(reason, cause) {
    super(`cannot decrypt: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** @param {ClientName} name */
export function identityOf({ user, device }) {
  return new cc.ClientId(new cc.Uuid(user), cc.DeviceId.fromHexString(device), DOMAIN);
}

/** @param {import('../../vendor/core-crypto.js').ClientId} id @returns {ClientName} */
function nameOf(id) {
  const text = new TextDecoder().decode(id.copyBytes());
  const [user, device] = text.split('@')[0].split(':');
  return { user, device: device.padStart(16, '0') };
}

/** @param {string} conversation */
function groupOf(conversation) {
  return new cc.ConversationId(uuidBytes(conversation));
}

export class Mls {
  /** @type {import('../../vendor/core-crypto.js').CredentialRef} */
  #credential = /** @type {any} */ (undefined);
  /** @type {((bundle: Bundle) => Promise<void>) | null} */
  #deliver = null;
  /** @type {unknown} */
  #rejection = null;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {import('../../vendor/core-crypto.js').CoreCrypto} core @param {ClientName} name */
  constructor(core, name) {
    this.core = core;
    this.name = name;
    /** Where CoreCrypto's database is not durable by itself: what makes it so. @type {() => Promise<void>} */
    this.persist = async () => {};
  }

  /**
   * The device's keys, made if there are none. `open` is the platform's: it answers a database of CoreCrypto's.
   * @param {ClientName} name
   * @param {() => Promise<import('../../vendor/core-crypto.js').Database>} open
   * @param {() => Promise<void>} [persist]
   */
  static async open(name, open, persist) {
    const mls = new Mls(cc.CoreCrypto.new(await open()), name);
    if (persist) mls.persist = persist;
    const id = identityOf(name);
    await mls.core.transaction(async (context) => {
      await context.mlsInit(id, {
        sendCommitBundle: (bundle) => mls.#sendCommitBundle(bundle),
        prepareForTransport: async () => new Uint8Array(),
      });
    });
    const [known] = await mls.core.findCredentials({ clientId: id });
    mls.#credential =
      known ?? (await mls.transaction((context) => context.addCredential(cc.Credential.basic(SUITE, id))));
    return mls;
  }

  /**
   * One after the other: CoreCrypto has one transaction at a time.
   * @template R @param {(context: Context) => Promise<R>} work @returns {Promise<R>}
   */
  transaction(work) {
    return this.#inTurn(async () => {
      const result = await this.#whole(work);
      await this.persist();
      return result;
    });
  }

  /** The same where nothing changes. @template R @param {(context: Context) => Promise<R>} work @returns {Promise<R>} */
  #read(work) {
    return this.#inTurn(() => this.#whole(work));
  }

  /**
   * What `work` throws undoes the transaction and comes out as it is: CoreCrypto swallows errors that are not its own
   * where there is no `Error.isError` (Node 20, older browsers).
   * @template R @param {(context: Context) => Promise<R>} work @returns {Promise<R>}
   */
  async #whole(work) {
    let failure = /** @type {unknown} */ (null);
    const result = await this.core
      .transaction((context) =>
        work(context).catch((error) => {
          failure = error;
          throw error;
        }),
      )
      .catch((error) => {
        throw failure ?? error;
      });
    if (failure !== null) throw failure;
    return result;
  }

  /** @template R @param {() => Promise<R>} work @returns {Promise<R>} */
  #inTurn(work) {
    const next = this.#last.then(work);
    this.#last = next.catch(() => {});
    return next;
  }

  /** The raw key that the server and the groups know this device by. */
  async signatureKey() {
    const [keyPackage] = await this.keyPackages(1);
    return signatureKeyOf(keyPackage);
  }

  /** @param {number} count @returns {Promise<Uint8Array[]>} */
  keyPackages(count) {
    return this.transaction(async (context) => {
      const made = [];
      for (let n = 0; n < count; n++) made.push((await context.generateKeyPackage(this.#credential)).serialize());
      return made;
    });
  }

  /**
   * A new group with these devices and our own.
   * @param {string} conversation @param {Uint8Array[]} keyPackages @param {(bundle: Bundle) => Promise<void>} deliver
   */
  create(conversation, keyPackages, deliver) {
    return this.#committing(deliver, async (context) => {
      await context.createConversation(groupOf(conversation), this.#credential);
      if (keyPackages.length) await this.#add(context, conversation, keyPackages);
      else await context.updateKeyingMaterial(groupOf(conversation));
    });
  }

  /** @param {string} conversation @param {Uint8Array[]} keyPackages @param {(bundle: Bundle) => Promise<void>} deliver */
  add(conversation, keyPackages, deliver) {
    return this.#committing(deliver, (context) => this.#add(context, conversation, keyPackages));
  }

  /** @param {string} conversation @param {ClientName[]} names @param {(bundle: Bundle) => Promise<void>} deliver */
  remove(conversation, names, deliver) {
    const ids = names.map(identityOf);
    return this.#committing(deliver, (context) => context.removeClientsFromConversation(groupOf(conversation), ids));
  }

  /** New keys for our own leaf. @param {string} conversation @param {(bundle: Bundle) => Promise<void>} deliver */
  update(conversation, deliver) {
    return this.#committing(deliver, (context) => context.updateKeyingMaterial(groupOf(conversation)));
  }

  /**
   * By ourselves, as a device of a member may; also to begin again where our state was lost.
   * @param {string} conversation @param {Uint8Array} groupInfo @param {(bundle: Bundle) => Promise<void>} deliver
   */
  join(conversation, groupInfo, deliver) {
    return this.#committing(deliver, async (context) => {
      if (await context.conversationExists(groupOf(conversation)))
        await context.wipeConversation(groupOf(conversation));
      await context.joinByExternalCommit(new cc.GroupInfo(groupInfo.slice(HEADER_BYTES)), this.#credential);
    });
  }

  /** @param {Uint8Array} welcome */
  async accept(welcome) {
    await this.transaction((context) => context.processWelcomeMessage(new cc.Welcome(welcome)));
  }

  /** @param {string} conversation */
  async forget(conversation) {
    await this.transaction(async (context) => {
      if (await context.conversationExists(groupOf(conversation)))
        await context.wipeConversation(groupOf(conversation));
    });
  }

  /** @param {string} conversation @param {Uint8Array} plaintext @returns {Promise<{ epoch: number, data: Uint8Array }>} */
  encrypt(conversation, plaintext) {
    return this.transaction(async (context) => ({
      epoch: Number(await context.conversationEpoch(groupOf(conversation))),
      data: await context.encryptMessage(groupOf(conversation), plaintext),
    }));
  }

  /**
   * A message or a commit. `keep` runs before the keys are thrown away, so that what was read is never lost.
   * @param {string} conversation @param {Uint8Array} data
   * @param {(plaintext: Uint8Array | null, sender: ClientName | null) => Promise<void>} keep
   * @returns {Promise<{ isActive: boolean }>} whether we are still in the group
   */
  async decrypt(conversation, data, keep) {
    return this.transaction(async (context) => {
      const found = await context.decryptMessage(groupOf(conversation), data).catch((error) => {
        throw new Undecryptable(reasonOf(error), error);
      });
      switch (found.tag) {
        case 'Text':
          await keep(found.inner.plaintext, nameOf(found.inner.senderClientId));
          return { isActive: true };
        case 'Commit':
          await keep(null, null);
          return { isActive: found.inner.isActive };
        default:
          throw new Undecryptable('a proposal on its own', null);
      }
    });
  }

  /** @param {string} conversation @returns {Promise<number | null>} null where we are not in the group */
  epoch(conversation) {
    return this.#read(async (context) =>
      (await context.conversationExists(groupOf(conversation)))
        ? Number(await context.conversationEpoch(groupOf(conversation)))
        : null,
    );
  }

  /**
   * Every device in the group, with the thumbprint (RFC 7638) of its key, as the group vouches for it.
   * @param {string} conversation @returns {Promise<Member[]>}
   */
  members(conversation) {
    return this.#read(async (context) => {
      const ids = await context.getClientIds(groupOf(conversation));
      const found = await context.getDeviceIdentities(groupOf(conversation), ids);
      // In an order of their own, which changes from one time to the next.
      return found
        .map(({ clientId, thumbprint }) => ({ ...nameOf(/** @type {any} */ (clientId)), thumbprint }))
        .sort((one, other) => (one.device < other.device ? -1 : 1));
    });
  }

  /** @param {Context} context @param {string} conversation @param {Uint8Array[]} keyPackages */
  #add(context, conversation, keyPackages) {
    return context.addClientsToConversation(
      groupOf(conversation),
      keyPackages.map((bytes) => new cc.KeyPackage(bytes)),
    );
  }

  /** @param {(bundle: Bundle) => Promise<void>} deliver @param {(context: Context) => Promise<unknown>} work */
  async #committing(deliver, work) {
    try {
      await this.transaction(async (context) => {
        this.#deliver = deliver;
        this.#rejection = null;
        await work(context);
      });
    } catch (error) {
      if (this.#rejection === null) throw error;
      const cause = this.#rejection;
      throw new CommitRejected('the server did not take the commit', { cause });
    } finally {
      this.#deliver = null;
    }
  }

  /** @param {import('../../vendor/core-crypto.js').CommitBundle} bundle */
  async #sendCommitBundle(bundle) {
    try {
      if (this.#deliver === null) throw new Error('nobody asked for a commit');
      await this.#deliver({
        commit: bundle.commit,
        welcome: bundle.welcome ? /** @type {any} */ (bundle.welcome).serialize() : null,
        groupInfo: bundle.groupInfo.payload,
      });
    } catch (error) {
      this.#rejection = error;
      throw new cc.MlsTransportError.MessageRejected({ reason: String(error) });
    }
  }
}

/** @param {any} error */
function reasonOf(error) {
  const mls = error?.inner?.mlsError;
  if (mls) return mls.tag === 'Other' ? JSON.stringify(mls.inner) : String(mls.tag);
  return String(error?.message ?? error);
}

/** The signature key in a KeyPackage's leaf, RFC 9420 sections 10 and 7.2. @param {Uint8Array} keyPackage */
function signatureKeyOf(keyPackage) {
  let at = 4; // version and cipher suite
  for (let skipped = 0; skipped < 2; skipped++) at += 1 + keyPackage[at]; // init key and encryption key, 32 bytes each
  return keyPackage.slice(at + 1, at + 1 + keyPackage[at]);
}

/** Start CoreCrypto. @param {string} [wasm] the address of its WebAssembly */
export async function startCoreCrypto(wasm = cc.wasm) {
  await cc.initWasmModule(wasm);
}

/** @param {string} name @param {string} key base64 of 32 bytes */
export function openDatabase(name, key) {
  return cc.Database.open(name, new cc.DatabaseKey(fromBase64(key)));
}

export function memoryDatabase() {
  return cc.Database.inMemory();
}
