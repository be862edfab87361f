"""MLS frames as a delivery service sees them, made in Python: signed as in RFC 9420, without encrypted content.

The server reads who changes what, and checks signatures and hashes; it cannot read secrets, so any bytes stand for
those. A client could not use these frames; they are for groups of any size and shape. CoreCrypto made those of
frames.json.
"""

import secrets
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat.model.groups import CommitBundle
from crypto.mls.checks import key_package_reference
from crypto.mls.frames import parse_key_package
from crypto.mls.wire import opaque
from tests.mls.trees import MadeTree, sha256

MLS10, SUITE = b"\0\1", b"\0\1"
UNLIMITED = (0, 2**32)  # lifetime: not_before 1970, not_after 2106
BASIC = opaque(b"\0\1")
CAPABILITIES = opaque(MLS10) + opaque(SUITE) + opaque(b"") + opaque(b"") + BASIC
REQUIRED_CAPABILITIES = opaque(b"") + opaque(b"") + BASIC  # what CoreCrypto requires in each group, too
TAG = b"confirmation"
UNUSABLE_KEYS = {  # HPKE public keys to which nobody can encrypt
    "empty": b"",
    "too short": b"\t" * 31,
    "too long": b"\t" * 33,
    "zero": bytes(32),
    "one": b"\1" + bytes(31),
    "of order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "minus one": b"\xec" + b"\xff" * 30 + b"\x7f",
    "zero, not reduced": b"\xed" + b"\xff" * 30 + b"\x7f",
}


def of_key_package(lifetime: tuple[int, int] = UNLIMITED) -> bytes:
    """The source of a leaf in a key package, with its lifetime in Unix times."""
    return b"\1" + b"".join(at.to_bytes(8) for at in lifetime)


@dataclass(frozen=True)
class Signer:
    """A device: its MLS identity and its key."""

    identity: bytes
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, label: str, content: bytes) -> bytes:
        """SignWithLabel, section 5.1.2."""
        return opaque(self.key.sign(opaque(f"MLS 1.0 {label}".encode()) + opaque(content)))

    def leaf(
        self,
        source: bytes,
        place: bytes = b"",
        encryption_key: bytes | None = None,
        capabilities: bytes = CAPABILITIES,
        extensions: bytes = b"",
    ) -> bytes:
        """`source` with what follows it; `place`: group id and index, which are signed with a leaf of a group."""
        credential = (
            opaque(secrets.token_bytes(32) if encryption_key is None else encryption_key)
            + opaque(self.public_key)
            + b"\0\1"
            + opaque(self.identity)
        )
        signed = credential + capabilities + source + opaque(extensions)
        return signed + self.sign("LeafNodeTBS", signed + place)

    def key_package(
        self,
        *,
        lifetime: tuple[int, int] = UNLIMITED,
        forge_leaf: bool = False,
        init_key: bytes | None = None,
        encryption_key: bytes | None = None,
        capabilities: bytes = CAPABILITIES,
    ) -> bytes:
        """`forge_leaf`: the leaf's signature is of something else, the package's is right."""
        leaf = self.leaf(of_key_package(lifetime), b"forged" if forge_leaf else b"", encryption_key, capabilities)
        signed = MLS10 + SUITE + opaque(secrets.token_bytes(32) if init_key is None else init_key) + leaf + opaque(b"")
        return signed + self.sign("KeyPackageTBS", signed)


class MadeGroup:
    """A group that follows its commits. Make a commit that the server will refuse on a `copy`."""

    def __init__(self, group_id: UUID, creator: Signer) -> None:
        self.group_id, self.epoch = group_id, 0
        self.leaves: dict[int, Signer] = {}
        self.tree = MadeTree()
        self.interim_transcript_hash = self.confirmed_transcript_hash = b""
        self.place(0, creator)

    def place(self, leaf: int, signer: Signer) -> None:
        """Put a device at a leaf, as if it had always been there."""
        self.leaves[leaf] = signer
        self.tree.leaves[leaf] = signer.leaf(of_key_package())

    def copy(self) -> "MadeGroup":
        other = copy(self)
        other.leaves, other.tree = dict(self.leaves), self.tree.copy()
        return other

    def commit(
        self,
        by: Signer,
        *,
        add: Sequence[tuple[Signer, bytes]] = (),
        remove: Sequence[Signer] = (),
        external: bool = False,
        read: int = 2**62,
        with_init: bool = False,
        without_init: bool = False,
        with_path: bool = True,
        path_by: Signer | None = None,
        path_at: int | None = None,
        wrong: Mapping[str, Any] = {},
    ) -> CommitBundle:
        """A commit by a member, or by a joining device. `add`: devices with the key packages claimed for them.

        The other options break rules. `with_init`, `without_init`: one ExternalInit more or less; `path_by`: the device
        of the path's leaf; `path_at`: the index that its signature covers; `wrong`: fields of the update path and of
        the group info by their names in the RFC, and `leaf_key`, `node_key`: encryption keys in the path.
        """
        place = {signer: leaf for leaf, signer in self.leaves.items()}
        proposals = [b"\1\0\1" + package for _, package in add]
        proposals += [b"\1\0\3" + place[signer].to_bytes(4) for signer in remove]
        for signer in remove:
            del self.leaves[place[signer]]
            self.tree.remove(place[signer])
        for signer, package in add:
            self.tree.add(self._free(), parse_key_package(package).leaf.encoded)
            self.leaves[self._free()] = signer
        proposals += [b"\1\0\6" + opaque(b"kem output")] * (external + with_init - without_init)
        if external:
            at, sender = self._free(), b"\4"
        else:
            at, sender = place[by], b"\1" + place[by].to_bytes(4)
        self.leaves[at] = path_by or by
        path = b"\1" + self._path(at, at if path_at is None else path_at, wrong) if with_path else b"\0"
        head = b"\0\1" + opaque(self.group_id.bytes) + self.epoch.to_bytes(8) + sender
        content = head + opaque(b"") + b"\3" + opaque(b"".join(proposals)) + path + opaque(b"signature")
        self.confirmed_transcript_hash = sha256(self.interim_transcript_hash + content)
        self.interim_transcript_hash = sha256(self.confirmed_transcript_hash + opaque(TAG))
        commit = MLS10 + content + opaque(TAG) + (b"" if external else opaque(b"membership"))
        self.epoch += 1
        welcome = self._welcome([package for _, package in add]) if add else None
        return CommitBundle(commit, welcome, self.group_info(by, at, wrong), read)

    def message(self, data: bytes = b"ciphertext", *, epoch: int | None = None) -> bytes:
        """A PrivateMessage, of the current epoch unless it is given."""
        group = opaque(self.group_id.bytes) + (self.epoch if epoch is None else epoch).to_bytes(8)
        return MLS10 + b"\0\2" + group + b"\1" + opaque(b"") + opaque(b"sender") + opaque(data)

    def _free(self) -> int:
        return next(leaf for leaf in range(len(self.leaves) + 1) if leaf not in self.leaves)

    def _path(self, at: int, place: int, wrong: Mapping[str, Any]) -> bytes:
        """An UpdatePath of the leaf `at`."""
        parent_hash, keys = self.tree.set_path(at, lambda: wrong.get("node_key", secrets.token_bytes(32)))
        source = b"\3" + opaque(wrong.get("parent_hash", parent_hash))
        where = opaque(self.group_id.bytes) + place.to_bytes(4)
        signer = self.leaves[at]
        node = signer.leaf(source, where, wrong.get("leaf_key"), wrong.get("capabilities", CAPABILITIES))
        self.tree.leaves[at] = node
        keys += wrong.get("more_nodes", [])
        return node + opaque(b"".join(opaque(key) + opaque(b"") for key in keys))

    @staticmethod
    def _welcome(packages: Sequence[bytes]) -> bytes:
        secrets_ = b"".join(opaque(key_package_reference(package)) + opaque(b"") + opaque(b"") for package in packages)
        return MLS10 + b"\0\3" + SUITE + opaque(secrets_) + opaque(b"encrypted group info")

    def group_info(self, by: Signer, at: int, wrong: Mapping[str, Any] = {}) -> bytes:
        """The group info of the current epoch, signed by the device at this leaf."""
        fields = {
            "tree_hash": self.tree.hash(self.tree.height, 0),
            "confirmed_transcript_hash": self.confirmed_transcript_hash,
            "context_extensions": b"\0\3" + opaque(REQUIRED_CAPABILITIES),
            "extensions": b"",
            "ratchet_tree": self.tree.extension(),
            "external_pub": b"\t" * 32,
            "confirmation_tag": TAG,
        } | wrong
        context = MLS10 + SUITE + opaque(self.group_id.bytes) + self.epoch.to_bytes(8)
        context += opaque(fields["tree_hash"]) + opaque(fields["confirmed_transcript_hash"])
        context += opaque(fields["context_extensions"])
        extensions = b"\0\2" + opaque(fields["ratchet_tree"]) + b"\0\4" + opaque(opaque(fields["external_pub"]))
        signed = context + opaque(extensions + fields["extensions"]) + opaque(fields["confirmation_tag"])
        signed += at.to_bytes(4)
        return MLS10 + b"\0\4" + signed + by.sign("GroupInfoTBS", signed)
