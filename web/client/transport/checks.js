// @ts-check
/** Checks of decoded JSON; a check throws Malformed, which names the field, or returns. */

/** Something that the server sent does not have the form that docs/PROTOCOL.md gives it. */
export class Malformed extends Error {
  name = 'Malformed';
  code = 'malformed';

  /** @param {string} path of the field, like `entry.seq` @param {string} wanted */
  constructor(path, wanted) {
    super(`${path} is not ${wanted}`);
    this.path = path;
  }
}

/**
 * @template T
 * @typedef {((value: unknown, path: string) => void) & { type?: T }} Check `type` exists for the type checker only
 */
/** @template C @typedef {C extends Check<infer T> ? T : never} Checked */

/** @template T @param {string} wanted @param {(value: unknown) => boolean} isValid @returns {Check<T>} */
function check(wanted, isValid) {
  return (value, path) => {
    if (!isValid(value)) throw new Malformed(path, wanted);
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DEVICE = /^[0-7][0-9a-f]{15}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const SENT_ID = /^[!-~]{1,64}$/;

/**
 * @param {string} wanted @param {RegExp} pattern @param {(text: string) => boolean} [isValid] @returns {Check<string>}
 */
function matching(wanted, pattern, isValid = () => true) {
  return check(wanted, (value) => typeof value === 'string' && pattern.test(value) && isValid(value));
}

/** Also one that the calendar has: a date of February 30 moves to March. @param {string} text */
function isDate(text) {
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(Date.parse(text)) && date.toISOString().startsWith(text.slice(0, 10));
}

/** @type {Check<string>} */
export const string = check('a string', (value) => typeof value === 'string');
/** @type {Check<boolean>} */
export const boolean = check('a boolean', (value) => typeof value === 'boolean');
export const uuid = matching('a UUID', UUID);
export const device = matching('the id of a device', DEVICE);
export const sentId = matching('the id of a message', SENT_ID);
/** What a header can carry. */
export const token = matching('a token', /^[\x21-\x7e]{1,1000}$/);
export const base64 = matching('base64', BASE64, (text) => text.length % 4 === 0);
export const time = matching('an RFC 3339 time', RFC3339, isDate);
/** The number of an entry; the first is 1. Between two of them there must be room for fractions. @type {Check<number>} */
export const seq = check(
  'a sequence number',
  (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) < 2 ** 32,
);
/** A number that begins with 0. @type {Check<number>} */
export const count = check('a count', (value) => Number.isSafeInteger(value) && Number(value) >= 0);
/** Nothing that the client reads. @type {Check<void>} */
export const ignored = () => {};

/** @template {string} T @param {...T} values @returns {Check<T>} */
export function oneOf(...values) {
  return check(`one of ${values.join(', ')}`, (value) => values.some((one) => one === value));
}

/** @template T @param {Check<T>} inner @returns {Check<T | undefined>} */
export function optional(inner) {
  return (value, path) => {
    if (value !== undefined) inner(value, path);
  };
}

/** @template T @param {Check<T>} inner @returns {Check<T | null>} */
export function nullable(inner) {
  return (value, path) => {
    if (value !== null) inner(value, path);
  };
}

/** @template A, B @param {Check<A>} one @param {Check<B>} other @returns {Check<A | B>} */
export function either(one, other) {
  return (value, path) => {
    try {
      one(value, path);
    } catch {
      other(value, path);
    }
  };
}

/** @template T @param {Check<T>} inner @returns {Check<T[]>} */
export function list(inner) {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Malformed(path, 'a list');
    value.forEach((/** @type {unknown} */ one, index) => inner(one, `${path}[${index}]`));
  };
}

/**
 * Other fields, of a newer server, are allowed.
 * @template {object} T @param {{ [Field in keyof T]-?: Check<T[Field]> }} fields @returns {Check<T>}
 */
export function object(fields) {
  /** @type {[string, Check<unknown>][]} */
  const checks = Object.entries(fields);
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed(path, 'an object');
    const given = /** @type {Record<string, unknown>} */ (value);
    for (const [name, inner] of checks) {
      const field = Object.hasOwn(given, name) ? given[name] : undefined;
      inner(field, `${path}.${name}`);
    }
  };
}
