// @ts-check
/** A folder of the command-line client is encrypted with a passphrase. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FolderKey } from './passphrase.js';
import { platformIn, WrongPassphrase } from './platform.js';

const newFolder = () => mkdtemp(join(tmpdir(), 'sottovoce-folder-'));

/** @param {string} folder @param {string} passphrase @param {boolean[]} [asked] */
async function opened(folder, passphrase, asked = []) {
  const ask = async (/** @type {boolean} */ isNew) => {
    asked.push(isNew);
    return passphrase;
  };
  return (await platformIn(folder, new FolderKey(folder, ask))).storage;
}

/** @param {string} folder */
async function bytesIn(folder) {
  return Buffer.concat(
    await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))),
  ).toString();
}

test('folder_opens_with_its_passphrase_only', async () => {
  const folder = await newFolder();
  const asked = /** @type {boolean[]} */ ([]);
  await (await opened(folder, 'correct horse', asked)).write([['state', 'draft/a', 'a secret']]);
  assert.equal(await (await opened(folder, 'correct horse', asked)).get('state', 'draft/a'), 'a secret');
  await assert.rejects(opened(folder, 'correct horsf'), WrongPassphrase);
  await assert.rejects(opened(await newFolder(), ''), /empty/);
  assert.deepEqual(asked, [true, false], 'only a new passphrase is chosen');
  assert.doesNotMatch(await bytesIn(folder), /secret|draft|horse/);
});

test('folder_of_an_earlier_release_is_encrypted_once', async () => {
  const folder = await newFolder();
  const plain = (/** @type {string} */ key, /** @type {unknown} */ value) => JSON.stringify([['state', key, value]]);
  await writeFile(join(folder, 'journal.jsonl'), `${plain('draft/a', 'a secret')}\n`);
  assert.equal(await (await opened(folder, 'correct horse')).get('state', 'draft/a'), 'a secret');
  assert.doesNotMatch(await bytesIn(folder), /secret/);
  await writeFile(join(folder, 'journal.jsonl'), `${plain('draft/b', 'a lie')}\n`, { flag: 'a' });
  assert.equal(await (await opened(folder, 'correct horse')).get('state', 'draft/b'), undefined);
});

test('folder_that_was_wiped_takes_new_data_and_keeps_its_passphrase', async () => {
  const folder = await newFolder();
  const asked = /** @type {boolean[]} */ ([]);
  const storage = await opened(folder, 'correct horse', asked);
  await storage.write([['state', 'draft/a', 'before']]);
  await storage.wipe(); // as a client does that finds no account
  await storage.write([['state', 'draft/a', 'after']]);
  assert.equal(await (await opened(folder, 'correct horse', asked)).get('state', 'draft/a'), 'after');
  assert.deepEqual(asked, [true, false]);
});

test('salt_cut_off_by_a_crash_is_made_again', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'salt.new'), 'cut');
  await (await opened(folder, 'correct horse')).write([['state', 'draft/a', 'hello']]);
  assert.equal(await (await opened(folder, 'correct horse')).get('state', 'draft/a'), 'hello');
});

test('thief_without_the_passphrase_brings_in_no_value', async () => {
  const folder = await newFolder();
  await (await opened(folder, 'correct horse')).write([['state', 'draft/a', 'before']]);
  await rename(join(folder, 'salt'), join(folder, 'salt.new')); // as if it were not encrypted yet
  const lie = JSON.stringify([['state', 'draft/b', 'a lie']]);
  await writeFile(join(folder, 'journal.jsonl'), `${lie}\n`, { flag: 'a' });
  const storage = await opened(folder, 'correct horse');
  assert.deepEqual(await storage.all('state', 'draft/'), [['draft/a', 'before']]);
});
