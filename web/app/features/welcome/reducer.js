// @ts-check

/** Which of the main screens is shown. @type {import('../../state/reducer.js').Slice} */
export function phaseSlice({ me, hasEnded }, event) {
  switch (event.type) {
    case 'snapshot':
      return { phase: event.me ? phaseOf(event.hasEnded ? undefined : event.standing) : 'welcome' };
    case 'standing':
      return me && !hasEnded ? { phase: phaseOf(event.standing) } : undefined;
    case 'logged out':
      return me ? { phase: 'home' } : undefined; // it was removed: what it has stays readable
    case 'start failed':
      return { phase: 'failed', failure: event.code };
  }
}

/** A device that its account has not confirmed can do nothing else. @param {string} [standing] */
function phaseOf(standing) {
  return standing === 'waiting' ? 'waiting' : 'home';
}
