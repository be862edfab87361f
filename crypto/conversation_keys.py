"""Keys of direct conversations: generated here, stored wrapped until fetched, then known only by their fingerprint.

This is key distribution by the server, not end-to-end encryption: the server can unwrap a key until both users have
fetched it (docs/THREATS.md).
"""

import os
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D section 8.2.2: random


class UnreadableKey(Exception):
    """The key was wrapped with another key-encryption key, or modified."""


class KeyWrapper:
    """Wraps keys with AES-256-GCM. The associated data binds a key to its conversation and recipient."""

    def __init__(self, key_encryption_key: bytes) -> None:
        """`key_encryption_key`: 32 bytes. Raises ValueError for any other length."""
        if len(key_encryption_key) != KEY_BYTES:
            raise ValueError("the key-encryption key must be 32 bytes")
        self._aead = AESGCM(key_encryption_key)

    def wrap(self, key: bytes, conversation_id: UUID, recipient_id: int) -> bytes:
        """Return nonce, ciphertext and tag: 60 bytes for a key of 32 bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, key, _associated_data(conversation_id, recipient_id))

    def unwrap(self, wrapped: bytes, conversation_id: UUID, recipient_id: int) -> bytes:
        """Return the key in the result of `wrap`. Raises UnreadableKey."""
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._aead.decrypt(nonce, ciphertext, _associated_data(conversation_id, recipient_id))
        except (InvalidTag, ValueError) as error:
            raise UnreadableKey from error


def new_key() -> bytes:
    """Return a random key of KEY_BYTES."""
    return os.urandom(KEY_BYTES)


def fingerprint(key: bytes) -> bytes:
    """Return the SHA-256 of `key`. It identifies the key but does not reveal it: a key has 256 bits of entropy."""
    return sha256(key).digest()


def _associated_data(conversation_id: UUID, recipient_id: int) -> bytes:
    return conversation_id.bytes + recipient_id.to_bytes(8, "big")
