// @ts-check

/** @param {import('../../actions.js').Context} context */
export function sessionActions({ rpc, page }) {
  return {
    /** @param {{ password: string }} detail */
    async logInAgain({ password }) {
      await rpc.account.logInAgain({ password });
      page.close();
    },

    /** Deletes everything on this device. */
    logOut: () => rpc.account.logOut(),
  };
}
