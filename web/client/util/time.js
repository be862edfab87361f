// @ts-check

export const DAY_MS = 24 * 3600 * 1000;
export const CLOCK_SKEW_S = 3600; // a clock of this machine may be wrong by this much
