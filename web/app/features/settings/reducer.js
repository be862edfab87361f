// @ts-check

/** @type {import('../../state/reducer.js').Slice} */
export function settingsSlice(_, event) {
  if (event.type === 'snapshot' || event.type === 'settings') return { settings: event.settings };
}
