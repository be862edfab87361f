"""The checks of MLS that a delivery service can make: signatures, and the validity of key packages."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto.mls.frames import (
    BASIC,
    REQUIRED_CAPABILITIES,
    SUITE,
    VERSION,
    GroupInfo,
    KeyPackage,
    Leaf,
    LeafIndex,
    UpdatePath,
    u16,
)
from crypto.mls.wire import Malformed, opaque, read_all
from crypto.signatures import BadSignature, verify

DEFAULT_EXTENSIONS, DEFAULT_PROPOSALS = frozenset(range(1, 6)), frozenset(range(1, 8))  # no client has to list these

# Which scalar does not matter: the secret with a point of low order is zero for all of them.
_ANY_PRIVATE_KEY = X25519PrivateKey.from_private_bytes(bytes(32))


class Forged(Malformed):
    """Well-formed, but its signature does not verify."""


def key_package_reference(key_package: bytes) -> bytes:
    """Return the 32-byte hash by which a welcome names a key package, RFC 9420 section 5.2."""
    return hashlib.sha256(opaque(b"MLS 1.0 KeyPackage Reference") + opaque(key_package)).digest()


def check_key_package(key_package: KeyPackage, now: datetime) -> None:
    """Check a key package at the time `now`, RFC 9420 section 10.1, as far as that needs no group.

    Raises Malformed, Forged.
    """
    leaf = key_package.leaf
    if leaf.source != "key_package":
        raise Malformed("LeafNodeSource of a key package must be key_package")
    if key_package.init_key == leaf.encryption_key:
        raise Malformed("init_key and encryption_key of a key package must differ")
    if not leaf.not_before <= now.timestamp() < leaf.not_after:
        raise Malformed("key package is expired or not valid yet")
    check_hpke_key("init_key", key_package.init_key)
    check_leaf(leaf)
    _verify(leaf.signature_key, "KeyPackageTBS", key_package.signed, key_package.signature)


def check_leaf(leaf: Leaf, group_id: bytes = b"", index: int = 0) -> None:
    """Check a leaf as far as that needs no group, section 7.3. Raises Malformed, Forged.

    `group_id`, `index`: of its group, unless it is the leaf of a key package.
    """
    able = leaf.capabilities
    if able.versions != [VERSION]:
        raise Malformed("Capabilities of a leaf must have mls10 as its only version")  # CoreCrypto reads no other one
    if SUITE not in able.cipher_suites or BASIC not in able.credentials:
        raise Malformed("Capabilities of a leaf must have the group's cipher suite and the basic credential")
    check_hpke_key("encryption_key", leaf.encryption_key)
    place = b"" if leaf.source == "key_package" else opaque(group_id) + index.to_bytes(4)
    _verify(leaf.signature_key, "LeafNodeTBS", leaf.signed + place, leaf.signature)


def check_required_capabilities(leaf: Leaf, context_extensions: Mapping[int, bytes]) -> None:
    """Check that a leaf has the capabilities that the group's context requires, section 11.1. Raises Malformed."""
    data = context_extensions.get(REQUIRED_CAPABILITIES)
    if data is None:
        return
    extensions, proposals, credentials = read_all(data, lambda reader: [reader.vector(u16) for _ in range(3)])
    able = leaf.capabilities
    if not (
        set(extensions) <= DEFAULT_EXTENSIONS.union(able.extensions)
        and set(proposals) <= DEFAULT_PROPOSALS.union(able.proposals)
        and set(credentials) <= set(able.credentials)
    ):
        raise Malformed("Capabilities of a new leaf lack what the group requires")


def check_hpke_key(name: str, key: bytes) -> None:
    """Check that others can encrypt to an HPKE public key of the suite, which is a point of X25519. Raises Malformed.

    HPKE refuses a shared secret of zeros (RFC 9180 section 7.1.4), so one such key in a tree would stop every commit
    that encrypts to it.
    """
    try:
        _ANY_PRIVATE_KEY.exchange(X25519PublicKey.from_public_bytes(key))
    except ValueError as error:
        raise Malformed(f"{name} is not a usable X25519 public key") from error


def check_path(path: UpdatePath, group_id: bytes, index: LeafIndex) -> None:
    """Check the committer's new leaf (section 7.3) and the new keys of its path. Raises Malformed, Forged."""
    leaf = path.leaf
    if leaf.source != "commit":
        raise Malformed("LeafNodeSource of an update path must be commit")
    check_leaf(leaf, group_id, index)
    for key in path.encryption_keys:
        check_hpke_key("encryption_key", key)


def check_group_info(group_info: GroupInfo, signature_key: bytes) -> None:
    """Check the signature of a group info (section 12.4.3), and its external key. Raises Malformed, Forged."""
    check_hpke_key("external_pub", group_info.external_pub)
    _verify(signature_key, "GroupInfoTBS", group_info.signed, group_info.signature)


def _verify(key: bytes, label: str, content: bytes, signature: bytes) -> None:
    """Verify a signature: VerifyWithLabel, section 5.1.2. Raises Forged."""
    try:
        verify(key, opaque(f"MLS 1.0 {label}".encode()) + opaque(content), signature)
    except BadSignature as error:
        raise Forged(f"signature of {label} does not verify") from error
