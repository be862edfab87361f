// @ts-check
/** What has been written: drafts, and messages that the server does not have yet. */

/** @type {import('../../state/reducer.js').Slice} */
export function composerSlice({ waiting, drafts }, event) {
  switch (event.type) {
    case 'snapshot':
      // What was typed while the page started is newer.
      return { waiting: event.waiting ?? [], drafts: { ...Object.fromEntries(event.drafts ?? []), ...drafts } };
    case 'draft':
      return { drafts: { ...drafts, [event.conversation]: event.text } };
    case 'waiting': {
      const isKnown = waiting.some(({ id }) => id === event.waiting.id);
      if (!isKnown) return { waiting: [...waiting, event.waiting] };
      return { waiting: waiting.map((one) => (one.id === event.waiting.id ? event.waiting : one)) };
    }
    case 'sent':
    case 'dropped':
      return { waiting: waiting.filter(({ id }) => id !== event.id) };
    case 'item': {
      const rest = waiting.filter(({ id }) => id !== event.item.id);
      return rest.length === waiting.length ? undefined : { waiting: rest };
    }
  }
}
