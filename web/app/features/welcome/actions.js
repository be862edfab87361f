// @ts-check
import { failure } from '../../messages/errors.js';

/** @param {import('../../actions.js').Context} context */
export function welcomeActions({ rpc, link }) {
  return {
    /** @param {{ name: string, password: string, invite: string }} detail an empty invite is none */
    register: ({ name, password, invite }) =>
      rpc.account.register({ username: name, password, invite: invite || undefined }),

    /** @param {{ name: string, password: string }} detail */
    logIn: ({ name, password }) => rpc.account.logIn({ username: name, password }),

    /** Delete all data of this browser where not even the worker starts, which could log out. */
    async eraseDevice() {
      link.stop();
      await fetch('/v2/sessions/current', { method: 'DELETE' }).catch(() => {}); // also deletes the cookie
      const databases = await indexedDB.databases();
      await Promise.all(databases.map(({ name }) => deleteDatabase(String(name))));
      localStorage.clear();
      location.replace('/');
    },
  };
}

/** @param {string} name @returns {Promise<void>} */
function deleteDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(new Error(`cannot delete the database ${name}`, { cause: request.error }));
    request.onblocked = () => reject(failure('other_tabs'));
  });
}
