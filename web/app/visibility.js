// @ts-check

/** Whether somebody sits before this page: what comes is seen then, and otherwise told. */
export function isLookedAt() {
  return document.visibilityState === 'visible' && document.hasFocus();
}
