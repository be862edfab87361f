// @ts-check
import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FileStorage } from './files.js';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'files-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** From now on a write stores a part, and fails, as on a full disk. @returns {Promise<() => void>} ends that */
async function fullDisk() {
  const handle = await open(join(folder, 'probe'), 'w');
  /** @type {import('node:fs/promises').FileHandle} */
  const files = Object.getPrototypeOf(handle);
  await handle.close();
  const { appendFile } = files;
  files.appendFile = async function (/** @type {string} */ data) {
    await appendFile.call(this, data.slice(0, 10));
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  return () => (files.appendFile = appendFile);
}

test('storage_on_a_full_disk_keeps_what_was_stored_before_and_after', async () => {
  const storage = await FileStorage.open(folder);
  await storage.write([['state', 'before', 1]]);
  const hasSpace = await fullDisk();
  const failing = ['one', 'two'].map((key) => storage.write([['state', key, 1]]));
  for (const one of failing) await assert.rejects(one, { code: 'ENOSPC' });
  hasSpace();
  await storage.write([['state', 'after', 1]]);
  await storage.write([['state', 'last', 1]]);
  const keys = async (/** @type {FileStorage} */ one) => (await one.all('state')).map(([key]) => key).sort();
  assert.deepEqual(await keys(storage), ['after', 'before', 'last']);
  assert.deepEqual(await keys(await FileStorage.open(folder)), ['after', 'before', 'last']);
});
