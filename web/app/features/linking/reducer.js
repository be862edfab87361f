// @ts-check

/** Whether there is a recovery key, and which devices wait to be confirmed. @type {import('../../state/reducer.js').Slice} */
export function linkingSlice(_, event) {
  switch (event.type) {
    case 'snapshot':
      return { recovery: event.recovery ?? 'postponed', unconfirmed: event.unconfirmed ?? [] };
    case 'unconfirmed':
      return { unconfirmed: event.devices };
    case 'recovery':
      return { recovery: event.recovery };
  }
}
