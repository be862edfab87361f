// @ts-check
/**
 * Devices of a group that have sent nothing for a long time. Their keys are old, so any member removes their leaves (RFC
 * 9420, section 16.6). A device that is connected sends at least one update a week; one that comes back joins again.
 *
 * The times are of this device's clock: the server could give others.
 */

import { DAY_MS } from '../util/time.js';

/** @typedef {import('../conversations/reducer.js').Conversation} Conversation */

export const SILENT_MS = 90 * DAY_MS;

/**
 * When each device of the group was heard last, to a day: Unix times in ms, by device.
 * @param {Conversation} conversation @param {string | null} sender @param {number} now
 * @returns {Record<string, number>}
 */
export function heardFrom({ members, heard = {} }, sender, now) {
  return Object.fromEntries(
    members.map(({ device }) => {
      const before = heard[device] ?? now; // one that is new, or of a time before this was stored
      return [device, device === sender && now - before > DAY_MS ? now : before];
    }),
  );
}

/** Whether this device has heard nothing from it for that long. @param {Conversation} conversation @param {string} device @param {number} now */
export function isSilent({ heard }, device, now) {
  return now - (heard?.[device] ?? now) > SILENT_MS;
}
