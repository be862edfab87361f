// @ts-check
/** The account's session, and the registration of this device. */
import { Refused } from '../transport/api.js';
import { randomBytes, toBase64, toHex } from '../util/bytes.js';
import { Mls } from '../mls/core-crypto.js';
import { isEqual } from '../util/equal.js';

const KEY_PACKAGES = 50;
const FEW = 20; // key packages; below this, new ones are made
const LEFT_MAX = 10; // sessions
const RENEW_MS = 24 * 3600 * 1000; // a session lasts some days, and is renewed while it is used

/**
 * @typedef {{ token: string, renewedAt: number, user: { id: string, username: string, picture?: string },
 *   device: string, databaseKey: string, isRegistered: boolean, isLeaving?: boolean }} Me
 *   isLeaving: the user logged out, which may have been interrupted
 * @typedef {{ token: string, device: string }} Left a session that the server does not know to be over
 */

export class Account {
  /** @type {Left[]} */
  #left = [];

  /** @param {import('../context.js').Context} client */
  constructor(client) {
    this.client = client;
  }

  /** Load the stored account. Returns false if there is none; everything else that is stored here is then deleted. */
  async resume() {
    const { storage } = this.client;
    const me = await storage.get('state', 'me');
    this.#left = (await storage.get('state', 'left')) ?? [];
    if (!me || me.isLeaving) {
      await this.#erase(me ? [me] : []); // the previous account has logged out, and may have been interrupted
      return false;
    }
    await this.#become(me);
    // Was interrupted; a failure is tried again at the next start.
    if (!me.isRegistered) await this.client.attempt(() => this.#registerDevice());
    return true;
  }

  /** @param {string} username @param {string} password @param {string} [inviteCode] */
  async register(username, password, inviteCode) {
    const { me } = this.client;
    if (me && !me.isRegistered && me.user.username.toLowerCase() === username.toLowerCase())
      return this.#registerDevice(); // was interrupted
    const body = { username, password, ...(inviteCode ? { invite_code: inviteCode } : {}) };
    await this.#signIn(await this.client.api.call('POST', 'accounts', body));
  }

  /** A new device of an account. @param {string} username @param {string} password */
  async logIn(username, password) {
    await this.#signIn(await this.client.api.call('POST', 'sessions', { username, password }));
  }

  /** The same device, when its session has ended. @param {string} password */
  async logInAgain(password) {
    const { username } = this.client.me.user;
    const { token } = await this.client.api.call('POST', 'sessions', { username, password });
    await this.#become({ ...this.client.me, token, renewedAt: Date.now(), isRegistered: false });
    try {
      await this.#registerDevice();
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'taken')) throw error; // its id stays taken after it was removed
      throw new Refused(error.status, 'device_removed', 'This device was removed from the account', 0);
    }
  }

  /**
   * End the session, remove the device, and delete all data here. If the server cannot be reached, `endLeft` does the
   * rest at a later start.
   */
  async logOut() {
    const { me } = this.client;
    if (!me) return;
    await this.client.storage.write([['state', 'me', { ...me, isLeaving: true }]]);
    const isEnded = await this.#end(me, 'same-origin'); // with its answer the browser deletes the cookie
    this.client.connection.close();
    await this.#erase(isEnded ? [] : [me]);
  }

  /** Throws Refused if it is wrong. @param {string} password */
  async checkPassword(password) {
    const { username } = this.client.me.user;
    const session = this.client.api.as('', 'omit');
    const { token } = await session.call('POST', 'sessions', { username, password });
    await this.client.api.as(token, 'omit').call('DELETE', 'sessions/current');
  }

  /** Delete the account, and all data here. @param {string} password */
  async remove(password) {
    await this.client.api.call('DELETE', 'account', { password });
    this.client.connection.close();
    await this.#erase([]);
  }

  /** End sessions and remove devices whose user logged out while the server could not be reached. */
  async endLeft() {
    for (const one of this.#left) {
      // Without the cookie, which may be that of a newer session.
      if (!(await this.#end(one, 'omit'))) continue;
      this.#left = this.#left.filter((other) => other !== one);
      await this.client.storage.write([['state', 'left', this.#left.length ? this.#left : undefined]]);
    }
  }

  /** Returns whether both are gone. @param {Left} left @param {RequestCredentials} credentials */
  async #end({ token, device }, credentials) {
    const session = this.client.api.as(token, credentials);
    try {
      for (const path of [`devices/${device}`, 'sessions/current'])
        await session.call('DELETE', path).catch((/** @type {unknown} */ error) => {
          if (!(error instanceof Refused && error.isFinal)) throw error;
        });
      return true;
    } catch {
      return false;
    }
  }

  /** Delete everything that is stored here, but for what ends these and earlier sessions. @param {Left[]} fresh */
  async #erase(fresh) {
    const { storage, platform } = this.client;
    await storage.wipe();
    await platform.erase?.();
    this.#left = [...this.#left, ...fresh.map(({ token, device }) => ({ token, device }))].slice(-LEFT_MAX);
    if (this.#left.length) await storage.write([['state', 'left', this.#left]]);
  }

  /** Upload key packages and a last resort, if fewer than `few` remain on the server. @param {number} [few] */
  async topUp(few = FEW) {
    const { count } = await this.client.api.callUntilAnswered('GET', 'key-packages/count');
    if (count >= few) return;
    const made = await this.client.mls.keyPackages(Math.max(0, KEY_PACKAGES - count) + 1);
    const [lastResort, ...rest] = made.map(toBase64);
    await this.client.api.callUntilAnswered('POST', 'key-packages', { key_packages: rest, last_resort: lastResort });
  }

  fillUp() {
    return this.topUp(KEY_PACKAGES);
  }

  async renew() {
    if (Date.now() - this.client.me.renewedAt < RENEW_MS) return;
    const { token } = await this.client.api.callUntilAnswered('PUT', 'sessions/current');
    await this.#become({ ...this.client.me, token, renewedAt: Date.now() });
  }

  /** Name or picture may have been changed by another device or API. */
  async refresh() {
    const { id, username, picture } = await this.client.api.callUntilAnswered('GET', 'account');
    const user = { id, username, picture: picture ?? undefined };
    if (id !== this.client.me.user.id) return this.client.connection.end(); // the session is of another account
    if (isEqual(user, this.client.me.user)) return;
    await this.#become({ ...this.client.me, user });
    this.client.emit('me', user);
  }

  async isOver() {
    try {
      return (await this.client.api.call('GET', 'account')).id !== this.client.me.user.id;
    } catch (error) {
      return isOver(error);
    }
  }

  /** @param {{ token: string, user: Me['user'] }} answer */
  async #signIn({ token, user }) {
    const { me } = this.client;
    if (me) {
      if (me.user.id !== user.id) throw new Refused(409, 'other_account', `${me.user.username} is logged in here`, 0);
      await this.#become({ ...me, token, renewedAt: Date.now() });
      return this.#registerDevice();
    }
    const device = toHex(randomBytes(8)).replace(/^./, (digit) => (parseInt(digit, 16) & 7).toString(16));
    const databaseKey = toBase64(randomBytes(32));
    await this.#become({ token, renewedAt: Date.now(), user, device, databaseKey, isRegistered: false });
    await this.#registerDevice();
  }

  async #registerDevice() {
    const { api, mls, me, platform } = this.client;
    const key = toBase64(await mls.signatureKey());
    const { name = 'a device' } = platform;
    await api.callUntilAnswered('POST', 'devices', { id: me.device, name, signature_key: key });
    await this.fillUp();
    await this.#become({ ...me, isRegistered: true });
  }

  /** @param {Me} me */
  async #become(me) {
    const { client } = this;
    await client.storage.write([['state', 'me', me]]); // first, because it has the key of CoreCrypto's database
    client.me = me;
    client.api.token = me.token;
    client.mls ??= await Mls.open(
      { user: me.user.id, device: me.device },
      () => client.platform.openDatabase(me),
      client.platform.persist,
    );
  }
}

/** The session has ended. @param {unknown} error */
function isOver(error) {
  return error instanceof Refused && error.status === 401;
}
