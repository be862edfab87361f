// @ts-check

const REMIND_AFTER_DAYS = 7;

/** @param {import('../../actions.js').Context} context */
export function linkingActions({ rpc, page }) {
  return {
    /** The code that another device of the account has to be given. @param {{ isNew: boolean }} detail */
    askToBeLinked: ({ isNew }) => rpc.linking.ask({ isNew }),

    /** @param {{ code: string }} detail of the new device */
    linkDevice: ({ code }) => rpc.linking.link({ code }),

    /** @param {{ code: string }} detail the recovery key */
    recover: ({ code }) => rpc.linking.recover({ code }),

    /** A new account key for this device alone. @param {{ password: string }} detail */
    startAgain: ({ password }) => rpc.linking.startAgain({ password }),

    /** A new recovery key instead of an earlier one. */
    makeRecoveryKey: () => rpc.linking.makeRecoveryKey(),

    /** The user has kept the one that was shown. */
    async keepRecoveryKey() {
      await rpc.linking.keepRecoveryKey();
      page.close();
    },

    async postponeRecoveryKey() {
      page.close();
      await rpc.linking.postponeRecoveryKey({ days: REMIND_AFTER_DAYS });
    },
  };
}
