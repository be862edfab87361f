// @ts-check
/**
 * The transactions of CoreCrypto, which has one at a time.
 *
 * A commit advances a group only after the server has accepted it: CoreCrypto hands the bundle to `deliver` in the
 * middle of the transaction, and a rejection undoes the transaction.
 */
import * as cc from '../../vendor/core-crypto.js';
import { oneByOne } from '../util/one-by-one.js';
import { CommitRejected } from './errors.js';

/** @typedef {{ commit: Uint8Array, welcome: Uint8Array | null, groupInfo: Uint8Array }} Bundle */
/** @typedef {import('../../vendor/core-crypto.js').CoreCryptoContext} Context */

export class Transactions {
  /** @type {((bundle: Bundle) => Promise<void>) | null} */
  #deliver = null;
  /** @type {unknown} */
  #rejection = null;
  #inTurn = oneByOne();

  /**
   * @param {import('../../vendor/core-crypto.js').CoreCrypto} core
   * @param {() => Promise<void>} [persist] makes CoreCrypto's database durable, if the platform does not
   */
  constructor(core, persist = async () => {}) {
    this.core = core;
    this.persist = persist;
    /** For `mlsInit`. @type {import('../../vendor/core-crypto.js').MlsTransport} */
    this.transport = {
      sendCommitBundle: (bundle) => this.#sendCommitBundle(bundle),
      prepareForTransport: async () => new Uint8Array(),
    };
  }

  /**
   * Run work after earlier ones, and make it durable.
   * @template R @param {(context: Context) => Promise<R>} work @returns {Promise<R>}
   */
  write(work) {
    return this.#inTurn(async () => {
      const result = await this.#whole(work);
      await this.persist();
      return result;
    });
  }

  /**
   * The same for work that changes nothing.
   * @template R @param {(context: Context) => Promise<R>} work @returns {Promise<R>}
   */
  read(work) {
    return this.#inTurn(() => this.#whole(work));
  }

  /**
   * The same for work that makes a commit. Throws CommitRejected if `deliver` throws.
   * @param {(bundle: Bundle) => Promise<void>} deliver @param {(context: Context) => Promise<unknown>} work
   */
  async commit(deliver, work) {
    try {
      await this.write(async (context) => {
        this.#deliver = deliver;
        this.#rejection = null;
        await work(context);
      });
    } catch (error) {
      if (this.#rejection === null) throw error;
      const cause = this.#rejection;
      throw new CommitRejected('the server rejected the commit', { cause });
    } finally {
      this.#deliver = null;
    }
  }

  /**
   * An error of `work` undoes the transaction and is thrown unchanged: without `Error.isError` (Node 20, older
   * browsers) CoreCrypto swallows errors that are not its own.
   * @template R @param {(context: Context) => Promise<R>} work @returns {Promise<R>}
   */
  async #whole(work) {
    let failure = /** @type {unknown} */ (null);
    const result = await this.core
      .transaction((context) =>
        work(context).catch((/** @type {unknown} */ error) => {
          failure = error;
          throw error;
        }),
      )
      .catch((/** @type {unknown} */ error) => {
        throw failure ?? error;
      });
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the same
    if (failure !== null) throw failure;
    return result;
  }

  /** @param {import('../../vendor/core-crypto.js').CommitBundle} bundle */
  async #sendCommitBundle(bundle) {
    try {
      if (this.#deliver === null) throw new Error('CoreCrypto made an unexpected commit');
      await this.#deliver({
        commit: bundle.commit,
        welcome: bundle.welcome ? bundle.welcome.serialize() : null,
        groupInfo: bundle.groupInfo.payload,
      });
    } catch (error) {
      this.#rejection = error;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- CoreCrypto expects this class
      throw new cc.MlsTransportError.MessageRejected({ reason: String(error) });
    }
  }
}
