// @ts-check
/** Questions on the terminal, whose answers are not shown. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * From the environment where `variable` is set. Throws where it is not, and there is no terminal.
 * @param {string} question @param {string} variable
 */
export async function askSecretly(question, variable) {
  const given = process.env[variable];
  if (given !== undefined) return given;
  if (!process.stdin.isTTY) throw new Error(`there is no terminal: set ${variable}`);
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((/** @type {(answer: string) => void} */ resolve, reject) => {
    lines.once('line', (answer) => {
      resolve(answer);
      lines.close();
      process.stderr.write('\n');
    });
    lines.once('close', () => reject(new Error('nothing was entered')));
  });
}

/**
 * The passphrase of a folder. A new one is asked for twice.
 * @param {boolean} isNew
 */
export async function askPassphrase(isNew) {
  const variable = 'SOTTOVOCE_PASSPHRASE';
  if (!isNew) return askSecretly('Passphrase of this folder: ', variable);
  const chosen = await askSecretly('Choose a passphrase, which encrypts this folder: ', variable);
  if ((await askSecretly('The same again: ', variable)) !== chosen) throw new Error('the two passphrases differ');
  return chosen;
}
