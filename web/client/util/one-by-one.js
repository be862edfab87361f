// @ts-check

/**
 * Runs pieces of work one after the other, in the order of the calls; one that fails stops no other.
 * @returns {<R>(work: () => Promise<R>) => Promise<R>}
 */
export function oneByOne() {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
