// @ts-check
/** The thumbprint (RFC 7638) of an Ed25519 key, as CoreCrypto gives it of a leaf's signature key. */
import { toBase64url } from '../util/bytes.js';

/** @param {Uint8Array} key @returns {Promise<string>} in base64url */
export async function thumbprintOf(key) {
  const jwk = `{"crv":"Ed25519","kty":"OKP","x":"${toBase64url(key)}"}`;
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(jwk))));
}
