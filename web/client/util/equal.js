// @ts-check
/** Whether two values are equal in storage. @param {unknown} one @param {unknown} other */
export function isEqual(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
