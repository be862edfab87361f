// @ts-check

/** Which of the main screens is shown. @type {import('../../state/reducer.js').Slice} */
export function phaseSlice(_, event) {
  switch (event.type) {
    case 'snapshot':
      return { phase: event.me ? 'home' : 'welcome' };
    case 'start failed':
      return { phase: 'failed', failure: event.code };
  }
}
