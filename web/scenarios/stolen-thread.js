// @ts-check
/** A copied folder of a device, in a process's thread of its own: what can be read with its keys. */
import { parentPort, workerData } from 'node:worker_threads';
import { platformIn } from '../client/node/platform.js';
import { FOLDER_KEY } from './folder-key.js';
import { fromBase64 } from '../client/util/bytes.js';

/** @type {{ folder: string, me: import('../client/session/account.js').Me, conversation: string, log: import('../client/transport/frames.d.ts').LogEntry[] }} */
const { folder, me, conversation, log } = workerData;
const platform = await platformIn(folder, FOLDER_KEY);
const { Mls } = await import('../client/mls/core-crypto.js');
const mls = await Mls.open({ user: me.user.id, device: me.device }, () => platform.openDatabase(me));

/** @type {string[]} */
const read = [];
for (const { data } of log) {
  await mls
    .decrypt(conversation, fromBase64(data ?? ''), async (plaintext) => {
      if (!plaintext) return; // a commit
      const { kind, text } = JSON.parse(new TextDecoder().decode(plaintext));
      if (kind === 'text') read.push(text);
    })
    .catch(() => {}); // of an epoch that it cannot follow
}
parentPort?.postMessage(read);
