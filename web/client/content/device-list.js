// @ts-check
/**
 * The list of the sender's devices, signed by its account key. A server that withholds a list has to withhold this
 * entry, too.
 */

/** @typedef {{ kind: 'device_list', id: string, account_key: string, device_list: string, signature: string }} StatedList */

const CHARS_MAX = 1000; // a list of 16 devices has 928 in base64

/** @param {unknown} value @returns {value is string} */
function isBase64(value) {
  return typeof value === 'string' && value.length <= CHARS_MAX && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
}

/** @type {import('./kind.js').Kind<StatedList>} */
export const statedList = {
  fields: { account_key: isBase64, device_list: isBase64, signature: isBase64 },
  references: () => [],
  fold: (conversation) => ({ conversation }), // trust/identities.js takes it
  isBound: false, // the server has it, too
};
