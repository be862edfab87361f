"""Ed25519 signatures that verifiers differ on."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto.signatures import BadSignature, verify

P = 2**255 - 19
NEUTRAL = (1).to_bytes(32, "little")
ZERO = bytes(32)
LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


def content_that_openssl_accepts(key: bytes) -> bytes:
    """A content for which the neutral point and zero are a signature of a key of low order.

    Any content, if this OpenSSL refuses the key itself.
    """
    for number in range(200):
        content = f"{number}".encode()
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(NEUTRAL + ZERO, content)
        except InvalidSignature:
            continue
        break
    return content


@pytest.mark.parametrize("key", LOW_ORDER)
def test_signature_of_a_key_of_low_order_is_refused(key: str) -> None:
    content = content_that_openssl_accepts(bytes.fromhex(key))
    with pytest.raises(BadSignature):
        verify(bytes.fromhex(key), content, NEUTRAL + ZERO)


def test_signature_with_a_neutral_commitment_is_refused() -> None:
    """S = k * a: it needs the private key, and OpenSSL accepts it."""
    private = Ed25519PrivateKey.generate()
    key = private.public_key().public_bytes_raw()
    scalar = bytearray(hashlib.sha512(private.private_bytes_raw()).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 63 | 64
    k = int.from_bytes(hashlib.sha512(NEUTRAL + key + b"x").digest(), "little")
    order = 2**252 + 27742317777372353535851937790883648493
    signature = NEUTRAL + (k * int.from_bytes(scalar, "little") % order).to_bytes(32, "little")
    private.public_key().verify(signature, b"x")
    with pytest.raises(BadSignature):
        verify(key, b"x", signature)


@pytest.mark.parametrize("wrong", ["content", "signature", "key", "a short key"])
def test_signature_of_another_content_or_key_is_refused(wrong: str) -> None:
    private, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    key = private.public_key().public_bytes_raw()
    verify(key, b"x", private.sign(b"x"))
    values = {
        "content": (key, b"y", private.sign(b"x")),
        "signature": (key, b"x", other.sign(b"x")),
        "key": (other.public_key().public_bytes_raw(), b"x", private.sign(b"x")),
        "a short key": (key[:31], b"x", private.sign(b"x")),
    }
    with pytest.raises(BadSignature):
        verify(*values[wrong])
