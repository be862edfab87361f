// @ts-check

/** Whether a recovery key is missing, and which devices wait to be confirmed. @type {import('../../state/reducer.js').Slice} */
export function linkingSlice(_, event) {
  switch (event.type) {
    case 'snapshot':
      return { isRecoveryDue: event.isRecoveryDue ?? false, unconfirmed: event.unconfirmed ?? [] };
    case 'unconfirmed':
      return { unconfirmed: event.devices };
    case 'recovery':
      return { isRecoveryDue: event.isDue };
  }
}
