// @ts-check
/** Trusted Types: the only scripts that this page may start by their address. See the Content-Security-Policy. */

/**
 * @typedef {{ createScriptURL: (url: string) => string }} Policy
 * @typedef {{ trustedTypes?: { createPolicy: (name: string, rules: Policy) => Policy } }} WithTrustedTypes
 */

const SCRIPTS = new Set(['/web/worker/main.js', '/sw.js']);

const { trustedTypes } = /** @type {WithTrustedTypes} */ (globalThis); // not in every browser
const policy = trustedTypes?.createPolicy('sottovoce', {
  createScriptURL(url) {
    if (!SCRIPTS.has(url)) throw new TypeError(`${url} is not a script of this client`);
    return url;
  },
});

/** @param {string} url */
export function scriptUrl(url) {
  return policy ? policy.createScriptURL(url) : url;
}
