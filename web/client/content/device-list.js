// @ts-check
/**
 * The list of the sender's devices, signed by its account key. A server that withholds a list has to withhold this
 * entry, too.
 */

import { isBase64 } from '../util/bytes.js';

/** @typedef {{ kind: 'device_list', id: string, account_key: string, device_list: string, signature: string }} StatedList */

const CHARS_MAX = 1000; // a list of 16 devices has 928 in base64

/** @param {unknown} value @returns {value is string} */
function isShortBase64(value) {
  return isBase64(value) && value.length > 0 && value.length <= CHARS_MAX;
}

/** @type {import('./kind.js').Kind<StatedList>} */
export const statedList = {
  fields: { account_key: isShortBase64, device_list: isShortBase64, signature: isShortBase64 },
  references: () => [],
  fold: (conversation) => ({ conversation }), // trust/identities.js takes it
  ifDropped: (conversation) => [['state', `stated/${conversation}`]], // the next message states it again
  isBound: false, // the server has it, too
};
