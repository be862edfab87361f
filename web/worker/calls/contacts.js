// @ts-check
/** Other users: contacts, blocks, and the codes by which they find each other. */

/**
 * @typedef {import('../../client/transport/frames.d.ts').ShareCode} ShareCode
 * @typedef {import('../../client/transport/frames.d.ts').User} User
 * @typedef {'codes' | 'invites'} ShareKind
 */

/** @param {{ client: import('../../client/client.js').Client }} parts */
export function contactCalls({ client }) {
  async function refresh() {
    await client.membership.refresh();
    await client.inTurn(() => client.direct.catchUp());
  }

  return {
    contacts: {
      /** By the exact name. @param {{ username: string }} args @returns {Promise<User>} */
      find: ({ username }) => client.membership.find(username),
      /** By a share code, which it uses up. @param {{ code: string | number }} args @returns {Promise<User>} */
      add: ({ code }) => client.api.call('POST', 'contacts', { code }),
      /** @returns {Promise<User[]>} */
      blocked: () => client.api.call('GET', 'blocks'),
      /** @param {{ user: string }} args */
      block: ({ user }) => client.api.call('PUT', `blocks/${user}`).then(refresh),
      /** @param {{ user: string }} args */
      unblock: ({ user }) => client.api.call('DELETE', `blocks/${user}`).then(refresh),
    },

    shareCodes: {
      /** The oldest first. @param {{ kind: ShareKind }} args @returns {Promise<ShareCode[]>} */
      list: ({ kind }) => client.api.call('GET', kind),
      /** @param {{ kind: ShareKind }} args @returns {Promise<{ code: number | string }>} */
      create: ({ kind }) => client.api.call('POST', kind),
      /** @param {{ kind: ShareKind, code: number | string }} args @returns {Promise<void>} */
      revoke: ({ kind, code }) => client.api.call('DELETE', `${kind}/${code}`),
    },
  };
}
