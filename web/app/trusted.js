// @ts-check
/** The only addresses of scripts that this page starts by name: its own. See the server's Content-Security-Policy. */
const OURS = new Set(['/web/worker/main.js', '/sw.js']);

const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('sottovoce', {
  /** @param {string} url */
  createScriptURL(url) {
    if (!OURS.has(url)) throw new TypeError(`${url} is no script of ours`);
    return url;
  },
});

/** @param {string} url */
export function scriptUrl(url) {
  return policy ? policy.createScriptURL(url) : url;
}
