// @ts-check
/** Links in texts, large emoji, initials and colours. Dates and lists are in `messages/format.js`. */
import { tokenize } from '../vendor/linkify.js';

/** Longer texts are searched for links only up to here: a crafted one can take seconds. */
const LINKED_MAX = 5000;

/**
 * Text in parts; those with an `href` are links that open safely.
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

const FEW_EMOJI = /^(\p{Emoji_Presentation}|\p{Extended_Pictographic}|\u200d|\ufe0f|[\u{1f3fb}-\u{1f3ff}\s]){1,12}$/u;

/** Only emoji, and few: they are shown large. @param {string} text */
export function isJumbo(text) {
  return FEW_EMOJI.test(text) && /\p{Extended_Pictographic}/u.test(text);
}

/** @param {string} text */
export function initialsOf(text) {
  const words = text
    .trim()
    .split(/[\s,]+/)
    .filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[1]] : [words[0] ?? '?'];
  return letters.map((word) => [...word][0].toUpperCase()).join('');
}

/** One of `count` colours, always the same for the same id. @param {string} id @param {number} count */
export function hueOf(id, count) {
  return parseInt(id.slice(0, 8), 16) % count || 0;
}
