"""Ed25519 signatures, verified as strictly as the strictest client does.

Verifiers differ on signatures that no honest signer makes (https://eprint.iacr.org/2020/1244). OpenSSL accepts keys and
commitments of low order, CoreCrypto refuses them. What the server accepted and clients refuse would end a group.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_P = 2**255 - 19
_ORDER_8 = 0x5FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_LOW_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})  # the y of the eight points whose order divides 8
_SIGN_BIT = 1 << 255


class BadSignature(ValueError):
    """The signature is not one of the key over the content."""


def verify(key: bytes, content: bytes, signature: bytes) -> None:
    """Verify a signature of 64 bytes with a public key of 32 bytes. Raises BadSignature."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (ValueError, InvalidSignature) as error:
        raise BadSignature from error
    if _is_low_order(key) or _is_low_order(signature[:32]):
        raise BadSignature


def _is_low_order(point: bytes) -> bool:
    return (int.from_bytes(point, "little") & ~_SIGN_BIT) % _P in _LOW_ORDER
