// @ts-check
/** The thumbprint (RFC 7638) of an Ed25519 key, as CoreCrypto gives it of a leaf's signature key. */
import { toBase64 } from '../util/bytes.js';

/** @param {Uint8Array} key @returns {Promise<string>} in base64url */
export async function thumbprintOf(key) {
  const jwk = `{"crv":"Ed25519","kty":"OKP","x":"${base64url(key)}"}`;
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(jwk))));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
