// @ts-check

/** Whether the user is looking at this tab: new messages are then seen, and otherwise notified. */
export function isTabActive() {
  return document.visibilityState === 'visible' && document.hasFocus();
}
