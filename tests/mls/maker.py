"""MLS frames as a delivery service sees them, made in Python: signed as in RFC 9420, without encrypted content.

The server reads who changes what and checks signatures; it cannot read secrets, so any bytes stand for those. A client
could not use these frames; they are for groups of any size and shape. CoreCrypto made those of frames.json.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat.model.groups import CommitBundle
from crypto.mls.checks import key_package_reference
from crypto.mls.wire import opaque

MLS10, SUITE = b"\0\1", b"\0\1"
UNLIMITED = (0, 2**32)  # lifetime: not_before 1970, not_after 2106
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

    def leaf(self, source: bytes, place: bytes = b"", encryption_key: bytes | None = None) -> bytes:
        """`source` with what follows it; `place`: group id and index, which are signed with a leaf of a group."""
        credential = (
            opaque(secrets.token_bytes(32) if encryption_key is None else encryption_key)
            + opaque(self.public_key)
            + b"\0\1"
            + opaque(self.identity)
        )
        signed = credential + bytes(5) + source + opaque(b"")
        return signed + self.sign("LeafNodeTBS", signed + place)

    def key_package(
        self,
        *,
        lifetime: tuple[int, int] = UNLIMITED,
        forge_leaf: bool = False,
        init_key: bytes | None = None,
        encryption_key: bytes | None = None,
    ) -> bytes:
        """`forge_leaf`: the leaf's signature is of something else, the package's is right."""
        leaf = self.leaf(of_key_package(lifetime), b"forged" if forge_leaf else b"", encryption_key)
        signed = MLS10 + SUITE + opaque(secrets.token_bytes(32) if init_key is None else init_key) + leaf + opaque(b"")
        return signed + self.sign("KeyPackageTBS", signed)


class MadeGroup:
    """A group that follows its commits. Make a commit that the server will refuse on a `copy`."""

    def __init__(self, group_id: UUID, creator: Signer) -> None:
        self.group_id, self.epoch = group_id, 0
        self.leaves = {0: creator}

    def copy(self) -> "MadeGroup":
        other = MadeGroup(self.group_id, self.leaves.get(0, Signer(b"")))
        other.epoch, other.leaves = self.epoch, dict(self.leaves)
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
        leaf_key: bytes | None = None,
        node_key: bytes | None = None,
    ) -> CommitBundle:
        """A commit by a member, or by a joining device. `add`: devices with the key packages claimed for them.

        The other options break rules. `with_init`, `without_init`: one ExternalInit more or less; `path_by`: the device
        of the path's leaf; `path_at`: the index that its signature covers;
        `leaf_key`, `node_key`: the encryption keys of its leaf and of its nodes.
        """
        place = {signer: leaf for leaf, signer in self.leaves.items()}
        proposals = [b"\1\0\1" + package for _, package in add]
        proposals += [b"\1\0\3" + place[signer].to_bytes(4) for signer in remove]
        for signer in remove:
            del self.leaves[place[signer]]
        for signer, _ in add:
            self.leaves[self._free()] = signer
        proposals += [b"\1\0\6" + opaque(b"kem output")] * (external + with_init - without_init)
        if external:
            at, sender = self._free(), b"\4"
        else:
            at, sender = place[by], b"\1" + place[by].to_bytes(4)
        self.leaves[at] = path_by or by
        where = opaque(self.group_id.bytes) + (at if path_at is None else path_at).to_bytes(4)
        head = MLS10 + b"\0\1" + opaque(self.group_id.bytes) + self.epoch.to_bytes(8) + sender
        content = opaque(b"") + b"\3" + opaque(b"".join(proposals))
        leaf = self.leaves[at].leaf(b"\3" + opaque(b"parent hash"), where, leaf_key)
        nodes = b"" if node_key is None else opaque(node_key) + opaque(b"")
        path = b"\1" + leaf + opaque(nodes) if with_path else b"\0"
        tags = opaque(b"signature") + opaque(b"confirmation") + (b"" if external else opaque(b"membership"))
        self.epoch += 1
        welcome = self._welcome([package for _, package in add]) if add else None
        return CommitBundle(head + content + path + tags, welcome, self.group_info(by, at), read)

    def message(self, data: bytes = b"ciphertext", *, epoch: int | None = None) -> bytes:
        """A PrivateMessage, of the current epoch unless it is given."""
        group = opaque(self.group_id.bytes) + (self.epoch if epoch is None else epoch).to_bytes(8)
        return MLS10 + b"\0\2" + group + b"\1" + opaque(b"") + opaque(b"sender") + opaque(data)

    def _free(self) -> int:
        return next(leaf for leaf in range(len(self.leaves) + 1) if leaf not in self.leaves)

    @staticmethod
    def _welcome(packages: Sequence[bytes]) -> bytes:
        secrets_ = b"".join(opaque(key_package_reference(package)) + opaque(b"") + opaque(b"") for package in packages)
        return MLS10 + b"\0\3" + SUITE + opaque(secrets_) + opaque(b"encrypted group info")

    def group_info(self, by: Signer, at: int) -> bytes:
        """The group info of the current epoch, signed by the device at this leaf."""
        nodes = []
        for leaf in range(max(self.leaves) + 1):
            signer = self.leaves.get(leaf)
            nodes.append(b"\0" if signer is None else b"\1\1" + signer.leaf(b"\2"))
            nodes.append(b"\0")  # a blank parent
        tree = opaque(opaque(b"".join(nodes[:-1])))
        context = MLS10 + SUITE + opaque(self.group_id.bytes) + self.epoch.to_bytes(8)
        context += opaque(b"tree hash") + opaque(b"transcript hash") + opaque(b"")
        extensions = opaque(b"\0\2" + tree + b"\0\4" + opaque(b"external key"))
        signed = context + extensions + opaque(b"confirmation") + at.to_bytes(4)
        return MLS10 + b"\0\4" + signed + by.sign("GroupInfoTBS", signed)
