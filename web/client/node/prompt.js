// @ts-check
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Without showing what is typed; from SOTTOVOCE_PASSWORD where that is set. @param {string} question */
export function askSecretly(question) {
  if (process.env.SOTTOVOCE_PASSWORD !== undefined) return Promise.resolve(process.env.SOTTOVOCE_PASSWORD);
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: process.stdin.isTTY });
  return new Promise((/** @type {(answer: string) => void} */ resolve) => {
    lines.once('line', (answer) => {
      lines.close();
      process.stderr.write('\n');
      resolve(answer);
    });
  });
}
