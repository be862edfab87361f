// @ts-check

/**
 * Without the characters that could change the terminal, or begin a line: for everything that comes from outside.
 * @param {string} text
 */
export function printable(text) {
  // eslint-disable-next-line no-control-regex -- these are the ones
  return text.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g, '?');
}

/** The same for a message: its further lines are indented. @param {string} text */
export function printableLines(text) {
  return text.split('\n').map(printable).join('\n    ');
}
