// @ts-check
/**
 * `index.html` names every module of the page, so that the browser fetches them at once and not level by level.
 * After a change of imports, copy what this test expects.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const WEB = new URL('../', import.meta.url);
const IMPORT = /^(?:import|export)\b[^'";]*?(?:from )?'(\.[^']+)';/gm;

/** The modules that `address` imports, and theirs. @param {URL} address @param {Set<string>} found */
async function collect(address, found) {
  const path = address.href.slice(WEB.href.length);
  if (found.has(path)) return;
  found.add(path);
  if (path.startsWith('vendor/')) return; // what these import has another name after each build
  const source = await readFile(address, 'utf8');
  await Promise.all([...source.matchAll(IMPORT)].map(([, target]) => collect(new URL(target, address), found)));
}

test('index.html preloads exactly the modules of the page', async () => {
  const found = /** @type {Set<string>} */ (new Set());
  await collect(new URL('app/main.js', WEB), found);
  found.delete('app/main.js'); // is loaded by its own element
  assert.ok(found.has('app/ui/element.js') && found.has('vendor/lit.js'), 'the search finds no imports');
  const html = await readFile(new URL('index.html', WEB), 'utf8');
  const lines = html.split('\n').filter((line) => line.includes('modulepreload'));
  const expected = [...found].sort().map((path) => `<link rel="modulepreload" href="/web/${path}">`);
  assert.deepEqual(lines, expected);
});
