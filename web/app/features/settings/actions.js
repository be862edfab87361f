// @ts-check
import { failure } from '../../messages/errors.js';

/**
 * @typedef {import('../../link.js').CallFailed} CallFailed
 * @typedef {import('../../../worker/page.js').Settings} Settings
 */

/** @param {import('../../actions.js').Context} context */
export function settingsActions({ rpc, page }) {
  return {
    /** @param {{ changes: Partial<Settings> }} detail */
    async changeSettings({ changes }) {
      const canAsk = globalThis.Notification?.permission === 'default';
      if (changes.notices && canAsk) await Notification.requestPermission();
      await rpc.settings.change({ changes });
    },

    getAccount: () => rpc.account.get(),
    listDevices: () => rpc.devices.list(),
    listSessions: () => rpc.sessions.list(),
    listBlocked: () => rpc.contacts.blocked(),

    /** @param {{ bio: string }} detail */
    setBio: ({ bio }) => rpc.account.setBio({ bio }),

    /** @param {{ image: string }} detail base64 */
    setPicture: ({ image }) => rpc.account.setPicture({ image }),

    /** @param {{ password: string, fresh: string }} detail */
    setPassword: ({ password, fresh }) =>
      rpc.account.setPassword({ password, newPassword: fresh }).catch(asWrongPassword),

    /** @param {{ password: string }} detail */
    deleteAccount: ({ password }) => rpc.account.remove({ password }).catch(asWrongPassword),

    /** @param {{ id: string, isInSettings: boolean }} detail `isInSettings`: the question has covered them */
    async revokeDevice({ id, isInSettings }) {
      await rpc.devices.revoke({ device: id });
      if (isInSettings) page.show({ name: 'settings' });
      else page.close();
    },

    /** @param {{ id: string }} detail */
    endSession: ({ id }) => rpc.sessions.end({ session: id }),
  };
}

/** Only the password was asked for, not the name. @param {CallFailed} error @returns {never} */
function asWrongPassword(error) {
  throw error.code === 'invalid_credentials' ? failure('wrong_password') : error;
}
