// @ts-check
/** Dates, times and lists in the language of the page. */
import { locale, t } from './index.js';

const DAY_MS = 24 * 3600 * 1000;
/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const FORMATS = {
  clock: { hour: '2-digit', minute: '2-digit' },
  weekday: { weekday: 'long' },
  date: { day: 'numeric', month: 'long', year: 'numeric' },
  short: { day: '2-digit', month: '2-digit', year: '2-digit' },
  whole: { dateStyle: 'full', timeStyle: 'short' },
};
/** By locale and name; making one takes longer than using it. @type {Map<string, Intl.DateTimeFormat>} */
const made = new Map();

/** @param {keyof typeof FORMATS} name @param {string} at RFC 3339 */
function format(name, at) {
  const key = `${locale} ${name}`;
  const found = made.get(key) ?? new Intl.DateTimeFormat(locale, FORMATS[name]);
  made.set(key, found);
  return found.format(new Date(at));
}

/** @param {string} at */
export const timeOf = (at) => format('clock', at);

/** @param {string} at */
export const wholeTimeOf = (at) => format('whole', at);

/** Days between then and now, by the calendar. @param {string} at */
function daysAgo(at) {
  const then = new Date(at);
  const now = new Date();
  const midnight = (/** @type {Date} */ day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  return Math.round((midnight(now) - midnight(then)) / DAY_MS);
}

/** @param {string} at */
export function dayOf(at) {
  const ago = daysAgo(at);
  if (ago === 0) return t.common.today;
  if (ago === 1) return t.common.yesterday;
  return format(ago < 7 ? 'weekday' : 'date', at);
}

/** In the middle of a sentence: "today", "on 5 May 2026". @param {string} at */
export function onDay(at) {
  return daysAgo(at) === 0 ? t.notices.today : t.notices.onDay(format('date', at));
}

/** In a list: as short as it can be. @param {string} at */
export function momentOf(at) {
  const ago = daysAgo(at);
  if (ago === 0) return timeOf(at);
  if (ago === 1) return t.common.yesterday;
  return format(ago < 7 ? 'weekday' : 'short', at);
}

/** @param {string} one @param {string} other */
export function isSameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** @param {string[]} names */
export function listOf(names) {
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(names);
}
