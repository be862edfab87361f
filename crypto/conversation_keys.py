"""Keys of direct conversations: made here, wrapped at rest, known afterwards by a fingerprint only.

DESIGN section 5. This is a key hand-out, not end-to-end secrecy: until both have fetched the key, the server could
open it.
"""

import os
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D section 8.2.2: random


class UnreadableKey(Exception):
    """EncryptedPart under another key-encryption key, or tampered with."""


class KeyWrapper:
    """Seals keys at rest with AES-256-GCM; conversation and recipient are bound as associated data."""

    def __init__(self, key_encryption_key: bytes) -> None:
        """32 bytes. Raises ValueError for any other length."""
        if len(key_encryption_key) != KEY_BYTES:
            raise ValueError("the key-encryption key must be 32 bytes")
        self._aead = AESGCM(key_encryption_key)

    def wrap(self, key: bytes, conversation_id: UUID, recipient_id: int) -> bytes:
        """Nonce, ciphertext and tag: 60 bytes for a key of 32."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, key, _bound_to(conversation_id, recipient_id))

    def unwrap(self, wrapped: bytes, conversation_id: UUID, recipient_id: int) -> bytes:
        """Raises UnreadableKey."""
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._aead.decrypt(nonce, ciphertext, _bound_to(conversation_id, recipient_id))
        except (InvalidTag, ValueError) as error:
            raise UnreadableKey from error


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def fingerprint(key: bytes) -> bytes:
    """SHA-256 of the key: tells two keys apart, gives none away (the key has 256 bits of entropy)."""
    return sha256(key).digest()


def _bound_to(conversation_id: UUID, recipient_id: int) -> bytes:
    return conversation_id.bytes + recipient_id.to_bytes(8, "big")
