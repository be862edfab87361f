// @ts-check
/** MLS for one device, through CoreCrypto: identity, key packages, groups, messages. */
import * as cc from '../../vendor/core-crypto.js';
import { fromBase64, toHex, uuidBytes } from '../util/bytes.js';
import { ForgedGroup, OutdatedGroup, Undecryptable } from './errors.js';
import { DOMAIN, MalformedFrame, parseIdentity, parseKeyPackage } from './frames.js';
import { Transactions } from './transactions.js';

export const SUITE = cc.CipherSuite.Mls128Dhkemx25519Aes128gcmSha256Ed25519;
const HEADER_BYTES = 4; // of an MLSMessage; CoreCrypto expects a GroupInfo without it

/** @typedef {import('./transactions.js').Bundle} Bundle */
/** @typedef {import('./frames.js').ClientName} ClientName */
/** @typedef {ClientName & { thumbprint: string }} Member */
/** @typedef {import('./transactions.js').Context} Context */

/** @param {ClientName} name */
export function identityOf({ user, device }) {
  return new cc.ClientId(new cc.Uuid(user), cc.DeviceId.fromHexString(device), DOMAIN);
}

/** @param {{ copyBytes(): Uint8Array }} id @returns {ClientName} Throws MalformedFrame. */
function nameOf(id) {
  return parseIdentity(id.copyBytes());
}

/** @param {string} conversation */
export function groupOf(conversation) {
  return new cc.ConversationId(uuidBytes(conversation));
}

export class Mls {
  /** @type {import('../../vendor/core-crypto.js').CredentialRef} */
  #credential = /** @type {any} */ (undefined);
  /** The leaves of each group in its newest epoch. @type {Map<string, { epoch: number, members: Member[] }>} */
  #leaves = new Map();

  /** @type {Promise<Uint8Array> | null} */
  #signatureKey = null;
  #transactions;

  /**
   * @param {import('../../vendor/core-crypto.js').CoreCrypto} core @param {ClientName} name
   * @param {() => Promise<void>} [persist] makes CoreCrypto's database durable, if the platform does not
   */
  constructor(core, name, persist) {
    this.#transactions = new Transactions(core, persist);
    this.name = name;
  }

  /**
   * Load the device's keys, or make them. `open` opens CoreCrypto's database.
   * @param {ClientName} name
   * @param {() => Promise<import('../../vendor/core-crypto.js').Database>} open
   * @param {() => Promise<void>} [persist]
   */
  static async open(name, open, persist) {
    const core = cc.CoreCrypto.new(await open());
    const mls = new Mls(core, name, persist);
    const id = identityOf(name);
    await mls.#transactions.write((context) => context.mlsInit(id, mls.#transactions.transport));
    const [known] = await core.findCredentials({ clientId: id });
    mls.#credential =
      known ?? (await mls.#transactions.write((context) => context.addCredential(cc.Credential.basic(SUITE, id))));
    return mls;
  }

  /** The raw public signature key of this device. @returns {Promise<Uint8Array>} */
  signatureKey() {
    this.#signatureKey ??= this.keyPackages(1).then(([keyPackage]) => parseKeyPackage(keyPackage).signatureKey);
    return this.#signatureKey;
  }

  /** @param {number} count @returns {Promise<Uint8Array[]>} */
  keyPackages(count) {
    return this.#transactions.write(async (context) => {
      const made = [];
      for (let n = 0; n < count; n++) made.push((await context.generateKeyPackage(this.#credential)).serialize());
      return made;
    });
  }

  /**
   * Create a group with these devices and this one.
   * @param {string} conversation @param {Uint8Array[]} keyPackages @param {(bundle: Bundle) => Promise<void>} deliver
   */
  create(conversation, keyPackages, deliver) {
    return this.#transactions.commit(deliver, async (context) => {
      await context.createConversation(groupOf(conversation), this.#credential);
      if (keyPackages.length) await this.#add(context, conversation, keyPackages);
      else await context.updateKeyingMaterial(groupOf(conversation));
    });
  }

  /**
   * @param {string} conversation @param {Uint8Array[]} keyPackages @param {(bundle: Bundle) => Promise<void>} deliver
   */
  add(conversation, keyPackages, deliver) {
    return this.#transactions.commit(deliver, (context) => this.#add(context, conversation, keyPackages));
  }

  /** @param {string} conversation @param {ClientName[]} names @param {(bundle: Bundle) => Promise<void>} deliver */
  remove(conversation, names, deliver) {
    const ids = names.map(identityOf);
    return this.#transactions.commit(deliver, (context) =>
      context.removeClientsFromConversation(groupOf(conversation), ids),
    );
  }

  /**
   * New keys for this device's leaf.
   * @param {string} conversation @param {(bundle: Bundle) => Promise<void>} deliver
   */
  update(conversation, deliver) {
    return this.#transactions.commit(deliver, (context) => context.updateKeyingMaterial(groupOf(conversation)));
  }

  /**
   * Join by an external commit, also where this device has lost its state of the group. Throws OutdatedGroup,
   * ForgedGroup; the state of before then remains.
   * @param {string} conversation @param {Uint8Array} groupInfo
   * @param {(bundle: Bundle) => Promise<void>} deliver
   */
  async join(conversation, groupInfo, deliver) {
    await this.#transactions.commit(deliver, async (context) => {
      await this.#wipe(context, conversation);
      await context.joinByExternalCommit(new cc.GroupInfo(groupInfo.slice(HEADER_BYTES)), this.#credential);
      await this.#identities(context, conversation);
    });
  }

  /**
   * Join by a welcome, also where this device has a state of the group from before it was removed. Throws
   * Undecryptable, OutdatedGroup, ForgedGroup; the state of before then remains.
   * @param {string} conversation @param {Uint8Array} welcome
   * @param {number} seen the highest epoch that this device has seen of the group
   */
  async accept(conversation, welcome, seen) {
    await this.#transactions.write(async (context) => {
      await this.#wipe(context, conversation);
      const joined = await context.processWelcomeMessage(new cc.Welcome(welcome)).catch((error) => {
        throw new Undecryptable(reasonOf(error), error);
      });
      if (toHex(joined.copyBytes()) !== toHex(uuidBytes(conversation)))
        throw new OutdatedGroup('the welcome is of another group');
      if (Number(await context.conversationEpoch(groupOf(conversation))) <= seen)
        throw new OutdatedGroup('the welcome is older than what this device has seen');
      await this.#identities(context, conversation);
    });
  }

  /** @param {string} conversation */
  async forget(conversation) {
    await this.#transactions.write((context) => this.#wipe(context, conversation));
  }

  /** @param {Context} context @param {string} conversation */
  async #wipe(context, conversation) {
    this.#leaves.delete(conversation);
    if (await context.conversationExists(groupOf(conversation))) await context.wipeConversation(groupOf(conversation));
  }

  /**
   * Throws ForgedGroup, and what `check` throws of the group's leaves; nothing is encrypted then.
   * @param {string} conversation @param {Uint8Array} plaintext
   * @param {(leaves: Member[]) => void} [check]
   * @returns {Promise<{ epoch: number, data: Uint8Array }>}
   */
  encrypt(conversation, plaintext, check) {
    return this.#transactions.write(async (context) => {
      const epoch = Number(await context.conversationEpoch(groupOf(conversation)));
      let leaves = this.#leaves.get(conversation);
      if (leaves?.epoch !== epoch) {
        leaves = { epoch, members: await this.#identities(context, conversation) };
        this.#leaves.set(conversation, leaves);
      }
      check?.(leaves.members);
      return { epoch, data: await context.encryptMessage(groupOf(conversation), plaintext) };
    });
  }

  /**
   * Decrypt a message or a commit. `keep` stores what it is before the transaction deletes the message's key, or the
   * whole group where the commit removes this device.
   * @param {string} conversation @param {Uint8Array} data
   * @param {(plaintext: Uint8Array | null, sender: ClientName | null, isActive: boolean) => Promise<void>} keep
   * @returns {Promise<{ isActive: boolean }>} whether this device is still in the group
   */
  async decrypt(conversation, data, keep) {
    return this.#transactions.write(async (context) => {
      const found = await context.decryptMessage(groupOf(conversation), data).catch((error) => {
        throw new Undecryptable(reasonOf(error), error);
      });
      switch (found.tag) {
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-comparison -- the enum's values are these strings
        case 'Text':
          await keep(found.inner.plaintext, nameOf(found.inner.senderClientId), true);
          return { isActive: true };
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-comparison -- the same
        case 'Commit':
          await keep(null, null, found.inner.isActive);
          return { isActive: found.inner.isActive };
        default:
          throw new Undecryptable('a proposal on its own', null);
      }
    });
  }

  /** @param {string} conversation @returns {Promise<number | null>} null if this device is not in the group */
  epoch(conversation) {
    return this.#transactions.read(async (context) =>
      (await context.conversationExists(groupOf(conversation)))
        ? Number(await context.conversationEpoch(groupOf(conversation)))
        : null,
    );
  }

  /**
   * The device of every leaf of the group, with the thumbprint (RFC 7638) of its signature key. Throws ForgedGroup.
   * @param {string} conversation @returns {Promise<Member[]>}
   */
  members(conversation) {
    return this.#transactions.read((context) => this.#identities(context, conversation));
  }

  /**
   * One for each leaf, sorted by device: CoreCrypto's order changes from call to call. Throws ForgedGroup.
   * @param {Context} context @param {string} conversation @returns {Promise<Member[]>}
   */
  async #identities(context, conversation) {
    const leaves = await context.getClientIds(groupOf(conversation)); // one for each leaf, also for equal ones
    const found = await context.getDeviceIdentities(groupOf(conversation), leaves); // one for each client id
    try {
      const members = found.flatMap(({ clientId, thumbprint }) =>
        clientId ? [{ ...nameOf(clientId), thumbprint }] : [],
      );
      const devices = new Set(leaves.map((leaf) => nameOf(leaf).device));
      if (devices.size !== leaves.length || members.length !== leaves.length)
        throw new ForgedGroup('two leaves of the group have the same device');
      return members.sort((one, other) => (one.device < other.device ? -1 : 1));
    } catch (error) {
      throw error instanceof MalformedFrame ? new ForgedGroup(error.message) : error;
    }
  }

  /** @param {Context} context @param {string} conversation @param {Uint8Array[]} keyPackages */
  #add(context, conversation, keyPackages) {
    return context.addClientsToConversation(
      groupOf(conversation),
      keyPackages.map((bytes) => new cc.KeyPackage(bytes)),
    );
  }
}

/** CoreCrypto's name for it, or the message of another error. @param {unknown} error */
function reasonOf(error) {
  const { inner, message } =
    /** @type {{ inner?: { mlsError?: { tag: string, inner?: unknown } }, message?: string }} */ (error ?? {});
  const mls = inner?.mlsError;
  if (mls) return mls.tag === 'Other' ? JSON.stringify(mls.inner) : mls.tag;
  return message ?? String(error);
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
