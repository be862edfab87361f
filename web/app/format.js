// @ts-check
/** Times, days and links, as people read them. */
import { tokenize } from '../vendor/linkify.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const short = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: '2-digit', year: '2-digit' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const LINKED_MAX = 5000; // characters in which links are looked for; a longer text can be made to take seconds
const DAY_MS = 24 * 3600 * 1000;

/** @param {string} at */
export const timeOf = (at) => clock.format(new Date(at));

/** @param {string} at */
export const wholeTimeOf = (at) => whole.format(new Date(at));

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
  if (ago === 0) return 'Today';
  if (ago === 1) return 'Yesterday';
  return ago < 7 ? weekday.format(new Date(at)) : date.format(new Date(at));
}

/** In a list: as short as it can be. @param {string} at */
export function momentOf(at) {
  const ago = daysAgo(at);
  if (ago === 0) return timeOf(at);
  if (ago === 1) return 'Yesterday';
  return ago < 7 ? weekday.format(new Date(at)) : short.format(new Date(at));
}

/** @param {string} one @param {string} other */
export function isSameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/**
 * Text in parts; those with an `href` lead somewhere that opens safely.
 * @param {string} text @returns {{ text: string, href?: string }[]}
 */
export function partsOf(text) {
  if (text.length > LINKED_MAX) return [...partsOf(text.slice(0, LINKED_MAX)), { text: text.slice(LINKED_MAX) }];
  return tokenize(text).map((token) => {
    const part = token.toString();
    if (!token.isLink) return { text: part };
    const href = token.toHref('https');
    return /^(https?|mailto):/i.test(href) ? { text: part, href } : { text: part };
  });
}

/** Only emoji, and few: they are shown large. @param {string} text */
export function isJumbo(text) {
  return /^(\p{Emoji_Presentation}|\p{Extended_Pictographic}|[\u200d\ufe0f\u{1f3fb}-\u{1f3ff}\s]){1,12}$/u.test(text) && /\p{Extended_Pictographic}/u.test(text);
}

/** @param {string[]} names */
export function listOf(names) {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names);
}

/** @param {string} text */
export function initialsOf(text) {
  const words = text.trim().split(/[\s,]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[1]] : [words[0] ?? '?'];
  return letters.map((word) => [...word][0].toUpperCase()).join('');
}

/** One of `count`, always the same for the same id. @param {string} id @param {number} count */
export function hueOf(id, count) {
  return parseInt(id.slice(0, 8), 16) % count || 0;
}
