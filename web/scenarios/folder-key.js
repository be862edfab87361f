// @ts-check
/** The key of every folder of a scenario: no scenario is about passphrases, and scrypt takes half a second. */
const made = crypto.subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', false, ['encrypt', 'decrypt']);

export const FOLDER_KEY = { open: () => made, mayBePlain: async () => false, markEncrypted: async () => {} };
