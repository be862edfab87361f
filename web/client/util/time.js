// @ts-check

export const DAY_MS = 24 * 3600 * 1000;
export const CLOCK_SKEW_S = 3600; // a clock of this machine may be wrong by this much

/** With room for a wrong clock of this machine. @param {{ notAfter: number }} list with a Unix time in seconds */
export function isOver({ notAfter }) {
  return notAfter < Date.now() / 1000 - CLOCK_SKEW_S;
}
