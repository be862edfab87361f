// @ts-check
/** Short messages that disappear automatically. */

const TOASTS_MAX = 3;

/** @type {import('./reducer.js').Slice} */
export function toastsSlice({ toasts }, event) {
  switch (event.type) {
    case 'toast': {
      const others = toasts.filter(({ text }) => text !== event.toast.text);
      return { toasts: [...others, event.toast].slice(-TOASTS_MAX) };
    }
    case 'toast expired':
      return { toasts: toasts.filter(({ id }) => id !== event.id) };
  }
}
