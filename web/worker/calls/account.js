// @ts-check
/** The account and its sessions. */

/**
 * @typedef {import('../../client/transport/frames.d.ts').OwnAccount} OwnAccount
 * @typedef {import('../../client/transport/frames.d.ts').Server} Server
 * @typedef {import('../../client/transport/frames.d.ts').Session} Session
 */

/** @param {{ client: import('../../client/client.js').Client, page: import('../page.js').Page }} parts */
export function accountCalls({ client, page }) {
  return {
    account: {
      /** What anyone may know of the server. @returns {Promise<Server>} */
      server: () => client.api.call('GET', 'server'),
      /** @param {{ username: string, password: string, invite?: string }} args */
      register: ({ username, password, invite }) =>
        client.account.register(username, password, invite).then(() => page.enlist()),
      /** @param {{ username: string, password: string }} args */
      logIn: ({ username, password }) => client.account.logIn(username, password).then(() => page.enlist()),
      /** @param {{ password: string }} args */
      logInAgain: ({ password }) => client.account.logInAgain(password).then(() => page.enter()),
      logOut: () => client.farewell.logOut().then(() => page.close()),
      /** @param {{ password: string }} args */
      remove: ({ password }) => client.farewell.deleteAccount(password).then(() => page.close()),
      /** @returns {Promise<OwnAccount>} */
      get: () => client.api.call('GET', 'account'),
      /** @param {{ bio: string }} args @returns {Promise<void>} */
      setBio: ({ bio }) => client.api.call('PATCH', 'account', { bio }),
      /** @param {{ image: string }} args base64 of the file @returns {Promise<void>} */
      setPicture: ({ image }) => client.api.call('PUT', 'account/picture', { image }),
      /** @param {{ password: string, newPassword: string }} args @returns {Promise<void>} */
      setPassword: ({ password, newPassword }) =>
        client.api.call('PUT', 'account/password', { password, new_password: newPassword }),
    },

    sessions: {
      /** @returns {Promise<Session[]>} */
      list: () => client.api.call('GET', 'sessions'),
      /** @param {{ session: string }} args @returns {Promise<void>} */
      end: ({ session }) => client.api.call('DELETE', `sessions/${session}`),
    },
  };
}
