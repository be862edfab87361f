// @ts-check

/** Tell the tab of this worker that it cannot lead; the tab shows why. @param {unknown} error */
export function reportFailure(error) {
  const { message, code = 'error' } = /** @type {{ message: string, code?: string }} */ (
    error instanceof Error ? error : new Error(String(error))
  );
  self.postMessage({ failed: message, code });
}
