// @ts-check
/**
 * The only way from the server into the client: every frame of the socket and every answer of the API is checked here
 * against `frames.d.ts`. A malformed one never reaches the client's state, nor does a name that the server's own rule
 * forbids: it can look like another one.
 */
import {
  Malformed,
  base64,
  boolean,
  count,
  device,
  either,
  ignored,
  list,
  nullable,
  object,
  oneOf,
  optional,
  sentId,
  seq,
  string,
  time,
  token,
  uuid,
} from './checks.js';
import { cleanUsername } from '../util/username.js';

export { Malformed };

/**
 * @typedef {import('./frames.d.ts').ServerFrame} ServerFrame
 * @typedef {import('./frames.d.ts').User} User
 */
/** @template T @typedef {import('./checks.js').Check<T>} Check */

/** @type {Check<User>} */
const user = object({ id: uuid, username: string, bio: optional(string), picture: optional(string) });
const directText = { seq, sender: uuid, text: string, at: time, id: optional(string), edited_at: optional(time) };
const logEntry = {
  conversation: uuid,
  seq,
  epoch: count,
  kind: string,
  sender: device,
  at: time,
  data: optional(base64),
  id: optional(sentId),
};

/** By type. @type {{ [Type in ServerFrame['type']]: Check<Omit<Extract<ServerFrame, { type: Type }>, 'type'>> }} */
const FRAMES = {
  entry: object(logEntry),
  welcome: object({ conversation: uuid, seq, data: optional(nullable(base64)) }),
  sent: object({ id: sentId, seq, at: time }),
  refused: object({ id: sentId, code: string, error: string }),
  direct: object({ conversation: uuid, ...directText }),
  direct_changed: object({ conversation: uuid, seq: optional(seq) }),
  ready: object({}),
  pong: object({}),
  key_packages_low: object({}),
  links_changed: object({}),
  devices_changed: object({ user: uuid }),
  members_changed: object({ conversation: uuid }),
  profile_changed: object({ user: uuid }),
  deleted: object({ conversation: uuid, seq }),
  typing: object({ conversation: uuid, user: uuid }),
  problem: object({ code: string, error: string }),
};

/** @type {Check<import('./frames.d.ts').Server>} */
const server = object({ version: string, registration: oneOf('open', 'invite', 'closed'), motd: string });
/** @type {Check<import('./frames.d.ts').LoggedIn>} */
const loggedIn = object({ token, user });
/** @type {Check<import('./frames.d.ts').OwnAccount>} */
const ownAccount = object({
  id: uuid,
  username: string,
  email: nullable(string),
  bio: nullable(string),
  role: string,
  picture: nullable(string),
  invited_by: nullable(user),
});
/** @type {Check<import('./frames.d.ts').Session>} */
const session = object({ id: uuid, created_at: time, expires_at: time, device: nullable(device), current: boolean });
/** @type {Check<import('./frames.d.ts').Device>} */
const deviceShown = object({
  id: device,
  user: uuid,
  name: string,
  signature_key: base64,
  identity: string,
  created_at: time,
});
/** @type {Check<import('./frames.d.ts').ShareCode>} */
const shareCode = object({ code: either(count, string), expires_at: time });
/** @type {Check<import('./frames.d.ts').Member>} */
const member = object({
  id: uuid,
  username: string,
  role: oneOf('owner', 'admin', 'member'),
  picture: optional(string),
});
/** @type {Check<import('./frames.d.ts').ListedConversation>} */
const conversation = object({
  id: uuid,
  epoch: count,
  last_seq: count,
  state: oneOf('joined', 'requested', 'ignored', 'blocked'),
  members: list(member),
  commit_hash: optional(base64),
});
/** @type {Check<import('./frames.d.ts').ListedDirect>} */
const direct = object({
  id: uuid,
  user,
  last_seq: count,
  last_message_at: nullable(time),
  key_fingerprint: nullable(base64),
  key_waiting: boolean,
  blocked: boolean,
});
/** @type {Check<import('./frames.d.ts').AcceptedCommit>} */
const accepted = object({ seq, epoch: count, at: time });
/** @type {Check<import('./frames.d.ts').ClaimedKeyPackage>} */
const keyPackage = object({ device, key_package: base64, last_resort: boolean });

/** The answer of each request; `*` stands for one part of the path, or for a query. */
const ANSWERS = {
  'GET server': server,
  'POST accounts': loggedIn,
  'GET account': ownAccount,
  'PATCH account': ignored,
  'DELETE account': ignored,
  'PUT account/password': ignored,
  'PUT account/picture': ignored,
  'POST sessions': loggedIn,
  'GET sessions': list(session),
  'PUT sessions/current': object({ token, expires_at: time }),
  'DELETE sessions/*': ignored,
  'GET users/*': user,
  'GET users/*/devices': list(deviceShown),
  'GET users/*/device-list': object({ account_key: base64, device_list: base64, signature: base64 }),
  'PUT account/device-list': ignored,
  'GET account/recovery': object({ recovery: base64 }),
  'PUT account/recovery': ignored,
  'GET links': list(object({ device, request: base64, answer: nullable(base64) })),
  'PUT links': ignored,
  'PUT links/*': ignored,
  'POST users/*/key-packages/claim': list(keyPackage),
  'POST contacts': user,
  'GET codes': list(shareCode),
  'POST codes': object({ code: count }),
  'DELETE codes/*': ignored,
  'GET invites': list(shareCode),
  'POST invites': object({ code: string, expires_at: time }),
  'DELETE invites/*': ignored,
  'GET blocks': list(user),
  'PUT blocks/*': ignored,
  'DELETE blocks/*': ignored,
  'POST devices': ignored,
  'GET devices': list(deviceShown),
  'DELETE devices/*': ignored,
  'POST key-packages': ignored,
  'GET key-packages/count': object({ count }),
  'GET conversations': list(conversation),
  'POST conversations': accepted,
  'POST conversations/*/commits': accepted,
  'POST conversations/*/messages': object({ seq, at: time }),
  'GET conversations/*/log?*': list(object(logEntry)),
  'GET conversations/*/group-info': object({ epoch: count, group_info: base64 }),
  'GET conversations/*/removals': object({ devices: list(device), unused: optional(list(device)) }),
  'DELETE conversations/*/messages/*': ignored,
  'PUT conversations/*/state': ignored,
  'PUT conversations/*/members/*': ignored,
  'POST conversations/*/leave': ignored,
  'GET direct': list(direct),
  'PUT direct/*': object({ conversation: uuid }),
  'POST direct/*/key': object({ conversation: uuid, key: base64, reset: boolean }),
  'POST direct/*/key/claim': object({ key: nullable(base64) }),
  'GET direct/*/messages?*': list(object(directText)),
  'POST direct/*/messages': object({ seq, at: time }),
  'PATCH direct/*/messages/*': ignored,
  'DELETE direct/*/messages/*': ignored,
};

/** Lists whose entries do not depend on each other: a malformed one is left out. */
const INDEPENDENT = new Set(['GET conversations', 'GET direct']);

/** @typedef {typeof ANSWERS} Answers */
/**
 * @template {string} Name
 * @typedef {Name extends `${infer Start}*${infer Rest}` ? `${Start}${string}${Pattern<Rest>}` : Name} Pattern
 */
/**
 * A `*` at the end does not stand for further parts of the path.
 * @template {string} Request @template {string} Name
 * @typedef {Request extends Pattern<Name> ? Name extends `${infer Start}*` ? Request extends `${Start}${string}/${string}` ? false : true : true : false} Matches
 */
/**
 * @template {string} Request
 * @typedef {{ [Name in keyof Answers]: Matches<Request, Name> extends true ? import('./checks.js').Checked<Answers[Name]> : never }[keyof Answers]} AnswerOf
 */

const PATTERNS = Object.entries(ANSWERS).map(([name, answer]) => {
  const source = name.replace(/[?]/g, '\\?').replace(/\*$/, '[^/]+').replaceAll('*', '[^/?]+');
  return { name, pattern: new RegExp(`^${source}$`), answer: /** @type {Check<unknown>} */ (answer) };
});

/**
 * Returns null for a type that this client does not know: a newer server sent it. Throws Malformed.
 * @param {string} text @returns {ServerFrame | null}
 */
export function decodeFrame(text) {
  const frame = parseJson(text, 'frame');
  object({ type: string })(frame, 'frame');
  const { type } = /** @type {{ type: string }} */ (frame);
  if (!Object.hasOwn(FRAMES, type)) return null;
  FRAMES[/** @type {ServerFrame['type']} */ (type)](frame, type);
  return /** @type {ServerFrame} */ (frame);
}

/**
 * Throws Malformed, also where a list depends on a malformed entry; `onDropped` gets the error of one that is left out.
 * @param {string} method @param {string} path @param {string} text @param {(error: Malformed) => void} onDropped
 * @returns {unknown}
 */
export function decodeAnswer(method, path, text, onDropped) {
  const request = `${method} ${path}`;
  const found = PATTERNS.find(({ pattern }) => pattern.test(request));
  if (!found) throw new TypeError(`${request} is not in the table of answers`);
  if (found.answer === ignored) return undefined;
  const answer = parseJson(text, found.name);
  if (!INDEPENDENT.has(found.name) || !Array.isArray(answer)) {
    found.answer(answer, found.name);
    return answer;
  }
  /** @type {unknown[]} */
  const entries = answer;
  return entries.filter((one) => {
    try {
      found.answer([one], found.name);
      return true;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      onDropped(error);
      return false;
    }
  });
}

/** @param {string} text @param {string} path */
function parseJson(text, path) {
  try {
    return /** @type {unknown} */ (JSON.parse(text, withCleanName));
  } catch {
    throw new Malformed(path, 'JSON');
  }
}

/** Every name of a user is in a field `username`. @param {string} field @param {unknown} value */
function withCleanName(field, value) {
  return field === 'username' && typeof value === 'string' ? cleanUsername(value) : value;
}
