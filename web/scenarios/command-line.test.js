// @ts-check
/** The command line with a server that lies: a proxy between it and the real server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NOW, random } from './attacks.js';
import { PASSWORD } from './password.js';
import { people, server, unique } from './users.js';

const PATIENCE_MS = 60_000;

/**
 * @typedef {{ method: string, path: string, body: string }} Request
 * @typedef {{ status: number, text: string }} Answer
 */

/** @type {http.Server[]} */
const proxies = [];
after(() => proxies.forEach((proxy) => proxy.close()));

/** The address of a server that lies. @param {(request: Request, answer: Answer) => string | Answer | undefined} change */
async function liar(change) {
  const { hostname, port } = new URL(server);
  const proxy = http.createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const body = await read(request);
    const headers = { ...request.headers, 'accept-encoding': 'identity' };
    const upstream = http.request({ hostname, port, method, path: url, headers }, async (answer) => {
      const told = { status: answer.statusCode ?? 0, text: await read(answer) };
      const lie = change({ method, path: url, body }, told) ?? told;
      const { status, text } = typeof lie === 'string' ? { ...told, text: lie } : lie;
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    });
    upstream.end(body);
  });
  proxy.on('upgrade', (request, socket, head) => {
    const upstream = net.connect(Number(port), hostname, () => {
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  proxies.push(proxy);
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(undefined)));
  return `http://127.0.0.1:${/** @type {net.AddressInfo} */ (proxy.address()).port}`;
}

/** @param {AsyncIterable<Buffer>} stream */
async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A new user of the command line. Returns a function that runs a command and returns what it prints. */
async function commandLine() {
  const folder = join(await mkdtemp(join(tmpdir(), 'sottovoce-')), 'device');
  /** @param {string[]} words @param {{ lines?: string[], at?: string }} [how] typed lines, and the server's address */
  return (words, { lines = [], at = server } = {}) => {
    const child = spawn('node', ['cli.js', '--server', at, '--folder', folder, ...words], {
      env: { ...process.env, SOTTOVOCE_PASSWORD: PASSWORD, SOTTOVOCE_PASSPHRASE: 'correct horse' },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.stdin.on('error', () => {}); // it has ended
    const deadline = setTimeout(() => child.kill(), PATIENCE_MS); // a text that never arrives keeps it open
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
    return new Promise((/** @type {(said: string) => void} */ resolve) =>
      child.on('close', () => resolve(said)),
    ).finally(() => clearTimeout(deadline));
  };
}

/** A user of the command line who has verified these people. @param {import('./users.js').Device[]} others */
async function verifiedBy(...others) {
  const run = await commandLine();
  await run(['register', unique('alice')]);
  for (const one of others) {
    const lines = [`/safety ${one.username}`, `/verify ${one.username}`, 'hello', '/quit'];
    assert.match(await run(['start', one.username], { lines }), /is verified/);
    await one.hears('hello');
  }
  return run;
}

test('name_of_a_verified_person_opens_no_conversation_with_another_on_the_command_line', async () => {
  const [bob, mallory] = await people('bob', 'mallory');
  const run = await verifiedBy(bob, mallory);
  const swapped = (/** @type {string} */ text) =>
    text.replaceAll(bob.username, '\0').replaceAll(mallory.username, bob.username).replaceAll('\0', mallory.username);
  const at = await liar(({ path }, { text }) => (path === '/v2/conversations' ? swapped(text) : undefined));
  const said = await run(['talk', bob.username], { at, lines: ['only for bob', '/quit'] });
  await mallory.doesNotHear('only for bob');
  assert.match(said, /you verified bob_\w+, but the server gives that name to another person/);
  const listed = await run(['list'], { at });
  assert.ok(listed.includes(`${bob.username} (now "${mallory.username}")`), listed);
  const [id] = listed
    .split('\n')
    .filter((line) => line.includes(`  ${bob.username} (now`))[0]
    .split(' ');
  const opened = await run(['talk', id], { at, lines: ['still for bob', '/quit'] });
  await bob.hears('still for bob');
  assert.ok(opened.includes(`* Verified: ${bob.username} (now "${mallory.username}").`), opened);
});

test('nothing_of_the_server_moves_the_cursor_of_the_terminal', async () => {
  const lie = '\u001b[2J\u001b[H* Verified: bob.\n* Verified: bob.';
  const [bob] = await people('bob');
  const run = await commandLine();
  const at = await liar(({ method, path }, { text }) => {
    if (`${method} ${path}` === 'POST /v2/accounts') {
      const answer = JSON.parse(text);
      return JSON.stringify({ ...answer, user: { ...answer.user, username: lie } });
    }
    if (path !== `/v2/users/${bob.username}`) return undefined;
    return { status: 404, text: JSON.stringify({ code: 'no_such_user', error: lie }) };
  });
  const registered = await run(['register', unique('alice')], { at });
  const started = await run(['start', bob.username], { at });
  assert.match(registered, /is registered/);
  assert.match(started, /^Error: \?\[2J/);
  for (const said of [registered, started]) {
    assert.ok(!said.includes('\u001b'), JSON.stringify(said));
    assert.doesNotMatch(said, /^\* Verified/m);
  }
});

test('command_line_sends_nothing_to_a_direct_conversation', async () => {
  const [bob, carol] = await people('bob', 'carol');
  const run = await verifiedBy(bob);
  const made = { id: crypto.randomUUID(), user: { id: bob.user, username: bob.username }, last_seq: 0 };
  const direct = { ...made, last_message_at: null, key_fingerprint: null, key_waiting: false, blocked: false };
  /** @type {string[]} */
  const got = [];
  const at = await liar(({ method, path, body }, { text }) => {
    if (`${method} ${path}` === 'GET /v2/direct') return JSON.stringify([direct, ...JSON.parse(text)]);
    if (`${method} ${path}` === 'GET /v2/conversations') {
      const [real, ...more] = JSON.parse(text);
      return JSON.stringify([{ ...real, id: direct.id }, real, ...more]);
    }
    if (!path.startsWith('/v2/direct/') || method !== 'POST') return undefined;
    got.push(body);
    return { status: 200, text: JSON.stringify({ seq: 1, at: NOW(), id: random() }) };
  });
  const said = await run(['talk', bob.username], { at, lines: ['only for bob', '/quit'] });
  assert.deepEqual(got, [], said);
  await bob.hears('only for bob');
  const refused = await run(['talk', direct.id], { at, lines: ['only for bob', '/quit'] });
  assert.match(refused, /not end-to-end encrypted, and the command line opens no such conversation/);
  assert.deepEqual(got, []);
  const me = (await bob.client.store.list())[0].people.find(({ id }) => id !== bob.user);
  await carol.client.direct.open(me?.id ?? '');
  assert.match(await run(['list']), new RegExp(`${carol.username}, you {2}not end-to-end encrypted`));
  assert.match(await run(['talk', carol.username]), /not end-to-end encrypted/);
});

test('name_in_an_open_conversation_is_not_resolved_by_the_server', async () => {
  const [bob, mallory] = await people('bob', 'mallory');
  const run = await verifiedBy(bob);
  const at = await liar(({ path }, { text }) =>
    path.startsWith('/v2/users/') && !path.slice('/v2/users/'.length).includes('/')
      ? JSON.stringify({ ...JSON.parse(text), id: mallory.user })
      : undefined,
  );
  const lines = [`/remove ${mallory.username}`, `/safety ${bob.username}`, 'for bob', '/quit'];
  const said = await run(['talk', bob.username], { at, lines });
  assert.match(said, /mallory_\w+ is not in this conversation/);
  assert.match(said, /Safety number with bob_\w+; /);
  await bob.hears('for bob');
});
