// @ts-check
const SOON_MS = 200;

/** What many things call for is done once for all of them, a moment later. @param {() => unknown} work @returns {() => void} */
export function soon(work) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      work();
    }, SOON_MS);
  };
}
