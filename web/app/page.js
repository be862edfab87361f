// @ts-check
/** The page itself: its dialog, its address and its toasts. */
import { t } from './messages/index.js';

const TOAST_MS = 5000;

/**
 * @typedef {import('./app.js').Dialog} Dialog
 * @typedef {ReturnType<typeof createPage>} Page
 */

/** @param {import('./state/store.js').Store} store @param {import('./app.js').App} app */
export function createPage(store, app) {
  let toasts = 0;
  const page = {
    app,

    /** @param {Dialog} dialog */
    show(dialog) {
      app.dialog = dialog;
    },

    close() {
      app.dialog = null;
    },

    /**
     * The address says which conversation is open, so that the back button works.
     * @param {string | null} conversation
     */
    open(conversation) {
      location.hash = conversation ? `c/${conversation}` : '';
    },

    /** Have a screen reader say it. @param {string} text */
    announce(text) {
      app.announced = text;
    },

    /** @param {string} text */
    toast(text) {
      const id = ++toasts;
      store.dispatch({ type: 'toast', toast: { id, text } });
      page.announce(text);
      setTimeout(() => store.dispatch({ type: 'toast expired', id }), TOAST_MS);
    },
  };
  return page;
}

/** @param {import('./actions.js').Context} context */
export function pageActions({ page }) {
  return {
    /** @param {{ dialog: Dialog }} detail */
    show: ({ dialog }) => page.show(dialog),

    /** @param {import('./ui/confirm.js').Question} question */
    confirm: (question) => page.show({ name: 'confirm', question }),

    close: () => page.close(),

    /** @param {{ text: string }} detail */
    async copy({ text }) {
      await navigator.clipboard.writeText(text);
      page.toast(t.common.copied);
    },
  };
}
