// @ts-check

/** Whether a recovery key is missing. @type {import('../../state/reducer.js').Slice} */
export function linkingSlice(_, event) {
  switch (event.type) {
    case 'snapshot':
      return { isRecoveryDue: event.isRecoveryDue ?? false };
    case 'recovery':
      return { isRecoveryDue: event.isDue };
  }
}
