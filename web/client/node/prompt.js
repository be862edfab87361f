// @ts-check
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * Without showing what is typed; from the environment where `variable` is set.
 * @param {string} question @param {string} variable
 */
export function askSecretly(question, variable) {
  const given = process.env[variable];
  if (given !== undefined) return Promise.resolve(given);
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: process.stdin.isTTY });
  return new Promise((/** @type {(answer: string) => void} */ resolve, reject) => {
    lines.once('line', (answer) => {
      resolve(answer);
      lines.close();
      process.stderr.write('\n');
    });
    lines.once('close', () => reject(new Error(`nothing was entered; set ${variable} where there is no terminal`)));
  });
}

/**
 * The passphrase of a folder; from SOTTOVOCE_PASSPHRASE where it is set. A new one is asked for twice.
 * @param {boolean} isNew
 */
export async function askPassphrase(isNew) {
  const variable = 'SOTTOVOCE_PASSPHRASE';
  if (!isNew) return askSecretly('Passphrase of this folder: ', variable);
  const chosen = await askSecretly('Choose a passphrase, which encrypts this folder: ', variable);
  if ((await askSecretly('The same again: ', variable)) !== chosen) throw new Error('the two passphrases differ');
  return chosen;
}
