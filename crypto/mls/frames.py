"""Parsers of the RFC 9420 structures that pass a delivery service. They keep the fields that it needs."""

from typing import Literal, NewType

from msgspec import Struct, structs

from crypto.mls.wire import Malformed, Reader, opaque, read_all

LeafIndex = NewType("LeafIndex", int)

VERSION = 1  # mls10
SUITE = 1  # MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519

PUBLIC_MESSAGE, PRIVATE_MESSAGE, WELCOME, GROUP_INFO = 1, 2, 3, 4  # section 6, WireFormat
RATCHET_TREE, REQUIRED_CAPABILITIES, EXTERNAL_PUB = 0x0002, 0x0003, 0x0004  # section 17.3
BASIC = 1  # section 17.5
CAPABILITIES_MAX = 32  # of one leaf; with more, few leaves would use up the work of a group's frames
LEAF_WORK = 20  # parsing a leaf takes as long as this many vector elements

Source = Literal["key_package", "update", "commit"]
ContentType = Literal["application", "proposal", "commit"]

_WIRE_FORMATS = {
    PUBLIC_MESSAGE: "mls_public_message",
    PRIVATE_MESSAGE: "mls_private_message",
    WELCOME: "mls_welcome",
    GROUP_INFO: "mls_group_info",
}
_SOURCES: dict[int, Source] = {1: "key_package", 2: "update", 3: "commit"}
_CONTENT_TYPES: dict[int, ContentType] = {1: "application", 2: "proposal", 3: "commit"}


class Capabilities(Struct, frozen=True):
    """Capabilities, section 7.2, as numbers."""

    versions: list[int]
    cipher_suites: list[int]
    extensions: list[int]
    proposals: list[int]
    credentials: list[int]


class Leaf(Struct, frozen=True):
    """LeafNode, section 7.2, with a basic credential and without extensions."""

    encryption_key: bytes
    signature_key: bytes
    identity: bytes
    capabilities: Capabilities
    source: Source
    parent_hash: bytes  # of a commit, else empty
    not_before: int  # seconds since 1970; of a key package, else 0
    not_after: int
    signed: bytes  # covered by the signature; group id and leaf index follow, unless it is of a key package
    signature: bytes

    @property
    def encoded(self) -> bytes:
        """The bytes of the structure."""
        return self.signed + opaque(self.signature)


class ParentNode(Struct, frozen=True):
    """ParentNode, section 7.1."""

    encryption_key: bytes
    parent_hash: bytes
    unmerged_leaves: list[LeafIndex]

    @property
    def encoded(self) -> bytes:
        """The bytes of the structure."""
        unmerged = b"".join(leaf.to_bytes(4) for leaf in self.unmerged_leaves)
        return opaque(self.encryption_key) + opaque(self.parent_hash) + opaque(unmerged)


class UpdatePath(Struct, frozen=True):
    """UpdatePath, section 7.6: the committer's new leaf, and the new keys of its filtered direct path, from below."""

    leaf: Leaf
    encryption_keys: list[bytes]


class KeyPackage(Struct, frozen=True):
    """KeyPackage, section 10."""

    raw: bytes
    init_key: bytes
    leaf: Leaf
    signed: bytes
    signature: bytes


class Add(Struct, frozen=True):
    """Add proposal, section 12.1.1."""

    key_package: KeyPackage


class Remove(Struct, frozen=True):
    """Remove proposal, section 12.1.3."""

    leaf: LeafIndex


class ExternalInit(Struct, frozen=True):
    """ExternalInit proposal, section 12.1.6. Its KEM output is not kept."""


Proposal = Add | Remove | ExternalInit


class Commit(Struct, frozen=True):
    """Commit, section 12.4, in a PublicMessage. `sender` is None in an external commit (section 12.4.3.2)."""

    group_id: bytes
    epoch: int
    sender: LeafIndex | None
    proposals: list[Proposal]
    path: UpdatePath | None
    transcript: bytes  # ConfirmedTranscriptHashInput, section 8.2
    confirmation_tag: bytes

    @property
    def added(self) -> list[KeyPackage]:
        """The key packages of the Add proposals, in their order, which determines the leaves."""
        return [proposal.key_package for proposal in self.proposals if isinstance(proposal, Add)]

    @property
    def removed(self) -> list[LeafIndex]:
        """The leaves of the Remove proposals, in their order. The parser accepts a leaf that occurs twice."""
        return [proposal.leaf for proposal in self.proposals if isinstance(proposal, Remove)]


class PrivateMessage(Struct, frozen=True):
    """PrivateMessage, section 6.3. Sender and content are encrypted."""

    group_id: bytes
    epoch: int
    content_type: ContentType


class Welcome(Struct, frozen=True):
    """Welcome, section 12.4.3.1. `new_members` are the references of their key packages."""

    new_members: list[bytes]


class GroupInfo(Struct, frozen=True):
    """GroupInfo, section 12.4.3, with its ratchet tree: nodes that are not blank, by index (appendix C)."""

    group_id: bytes
    epoch: int
    tree_hash: bytes
    confirmed_transcript_hash: bytes
    extensions: dict[int, bytes]  # of the GroupContext, section 8.1
    nodes: dict[int, Leaf | ParentNode]
    external_pub: bytes
    confirmation_tag: bytes
    signer: LeafIndex
    signed: bytes
    signature: bytes

    @property
    def leaves(self) -> dict[LeafIndex, Leaf]:
        """The leaves that are not blank."""
        return {LeafIndex(index // 2): node for index, node in self.nodes.items() if isinstance(node, Leaf)}


def parse_key_package(data: bytes) -> KeyPackage:
    """Parse a KeyPackage that is not in an MLSMessage. Raises Malformed."""
    return read_all(data, _key_package)


def parse_commit(data: bytes) -> Commit:
    """Parse the MLSMessage of a commit, which must be a PublicMessage. Raises Malformed."""
    return read_all(data, _commit_message)


def parse_private_message(data: bytes) -> PrivateMessage:
    """Parse the MLSMessage of a PrivateMessage. Its content may be of any type. Raises Malformed."""
    return read_all(data, _private_message)


def parse_welcome(data: bytes) -> Welcome:
    """Parse the MLSMessage of a welcome. Raises Malformed."""
    return read_all(data, _welcome)


def parse_group_info(data: bytes) -> GroupInfo:
    """Parse the MLSMessage of a group info, which must contain the ratchet tree. Raises Malformed."""
    return read_all(data, _group_info)


def _header(reader: Reader, wire_format: int) -> None:
    _version(reader)
    if reader.uint(2) != wire_format:
        raise Malformed(f"WireFormat must be {_WIRE_FORMATS[wire_format]}")


def _version(reader: Reader) -> None:
    if reader.uint(2) != VERSION:
        raise Malformed("ProtocolVersion must be mls10")


def _suite(reader: Reader) -> None:
    if reader.uint(2) != SUITE:
        raise Malformed("CipherSuite must be MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519")


def u16(reader: Reader) -> int:
    """Read a uint16."""
    return reader.uint(2)


def _leaf_index(reader: Reader) -> LeafIndex:
    return LeafIndex(reader.uint(4))


def _extension(reader: Reader) -> tuple[int, bytes]:
    return reader.uint(2), reader.opaque()


def _extensions(reader: Reader) -> dict[int, bytes]:
    found = reader.vector(_extension)
    extensions = dict(found)
    if len(extensions) != len(found):
        raise Malformed("duplicate extension")  # section 13.4
    return extensions


def _hpke_ciphertext(reader: Reader) -> None:
    reader.skip_opaque()
    reader.skip_opaque()


def _leaf(reader: Reader) -> Leaf:
    reader.spend(LEAF_WORK)
    start = reader.position
    encryption_key, signature_key = reader.opaque(), reader.opaque()
    if reader.uint(2) != BASIC:
        raise Malformed("CredentialType must be basic")
    identity = reader.opaque()
    capabilities = Capabilities(*[reader.vector(u16) for _ in Capabilities.__struct_fields__])
    if sum(map(len, structs.astuple(capabilities))) > CAPABILITIES_MAX:
        raise Malformed(f"Capabilities of a leaf must have at most {CAPABILITIES_MAX} elements")
    source = _SOURCES.get(reader.uint(1))
    parent_hash, not_before, not_after = b"", 0, 0
    match source:
        case None:
            raise Malformed("unknown LeafNodeSource")
        case "key_package":
            not_before, not_after = reader.uint(8), reader.uint(8)
        case "commit":
            parent_hash = reader.opaque()
    if _extensions(reader):
        raise Malformed("extensions of a LeafNode are not supported")
    signed = reader.since(start)
    return Leaf(
        encryption_key=encryption_key,
        signature_key=signature_key,
        identity=identity,
        capabilities=capabilities,
        source=source,
        parent_hash=parent_hash,
        not_before=not_before,
        not_after=not_after,
        signed=signed,
        signature=reader.opaque(),
    )


def _key_package(reader: Reader) -> KeyPackage:
    start = reader.position
    _version(reader)
    _suite(reader)
    init_key, leaf = reader.opaque(), _leaf(reader)
    _extensions(reader)
    signed = reader.since(start)
    signature = reader.opaque()
    return KeyPackage(reader.since(start), init_key, leaf, signed, signature)


def _proposal(reader: Reader) -> Proposal:
    match reader.uint(2):
        case 1:
            return Add(_key_package(reader))
        case 3:
            return Remove(_leaf_index(reader))
        case 6:
            reader.skip_opaque()
            return ExternalInit()
    raise Malformed("ProposalType must be add, remove or external_init")


def _proposal_by_value(reader: Reader) -> Proposal:
    if reader.uint(1) != 1:
        raise Malformed("proposals by reference are not supported")
    return _proposal(reader)


def _update_path_node(reader: Reader) -> bytes:
    encryption_key = reader.opaque()
    reader.vector(_hpke_ciphertext)
    return encryption_key


def _update_path(reader: Reader) -> UpdatePath:
    return UpdatePath(_leaf(reader), reader.vector(_update_path_node))


def _commit_message(reader: Reader) -> Commit:
    _header(reader, PUBLIC_MESSAGE)
    start = reader.position - 2  # the transcript begins with the WireFormat
    group_id, epoch = reader.opaque(), reader.uint(8)
    sender: LeafIndex | None = None
    match reader.uint(1):
        case 1:
            sender = _leaf_index(reader)
        case 4:
            pass  # of an external commit, whose sender has no leaf yet
        case _:
            raise Malformed("SenderType must be member or new_member_commit")
    reader.skip_opaque()  # authenticated data
    if _CONTENT_TYPES.get(reader.uint(1)) != "commit":
        raise Malformed("ContentType must be commit")
    proposals, path = reader.vector(_proposal_by_value), reader.optional(_update_path)
    reader.skip_opaque()  # signature
    transcript, confirmation_tag = reader.since(start), reader.opaque()
    if sender is not None:
        reader.skip_opaque()  # membership tag
    return Commit(group_id, epoch, sender, proposals, path, transcript, confirmation_tag)


def _private_message(reader: Reader) -> PrivateMessage:
    _header(reader, PRIVATE_MESSAGE)
    group_id, epoch = reader.opaque(), reader.uint(8)
    content_type = _CONTENT_TYPES.get(reader.uint(1))
    if content_type is None:
        raise Malformed("unknown ContentType")
    for _ in range(3):
        reader.skip_opaque()  # authenticated data, encrypted sender data, ciphertext
    return PrivateMessage(group_id, epoch, content_type)


def _encrypted_group_secrets(reader: Reader) -> bytes:
    reference = reader.opaque()
    _hpke_ciphertext(reader)
    return reference


def _welcome(reader: Reader) -> Welcome:
    _header(reader, WELCOME)
    _suite(reader)
    new_members = reader.vector(_encrypted_group_secrets)
    reader.skip_opaque()  # encrypted group info
    return Welcome(new_members)


def _node(reader: Reader) -> Leaf | ParentNode:
    match reader.uint(1):
        case 1:
            return _leaf(reader)
        case 2:
            return ParentNode(reader.opaque(), reader.opaque(), reader.vector(_leaf_index))
    raise Malformed("unknown NodeType")


def _optional_node(reader: Reader) -> Leaf | ParentNode | None:
    return reader.optional(_node)


def _ratchet_tree(data: bytes) -> dict[int, Leaf | ParentNode]:
    """Section 12.4.3.3. Every second node is a leaf, from the first to the last, and the last is not blank."""
    nodes = read_all(data, lambda reader: reader.vector(_optional_node))
    if not nodes or nodes[-1] is None:
        raise Malformed("last node of the ratchet tree must not be blank")
    found = {index: node for index, node in enumerate(nodes) if node is not None}
    if any(isinstance(node, Leaf) == index % 2 for index, node in found.items()):
        raise Malformed("leaf at the index of a parent node, or the reverse")
    return found


def _group_info(reader: Reader) -> GroupInfo:
    _header(reader, GROUP_INFO)
    start = reader.position
    _version(reader)
    _suite(reader)
    group_id, epoch = reader.opaque(), reader.uint(8)
    tree_hash, transcript_hash = reader.opaque(), reader.opaque()
    context_extensions, extensions = _extensions(reader), _extensions(reader)
    if extensions.keys() != {RATCHET_TREE, EXTERNAL_PUB}:
        raise Malformed("group info must have the extensions ratchet_tree and external_pub, and no other")
    confirmation_tag, signer = reader.opaque(), _leaf_index(reader)
    signed = reader.since(start)
    return GroupInfo(
        group_id=group_id,
        epoch=epoch,
        tree_hash=tree_hash,
        confirmed_transcript_hash=transcript_hash,
        extensions=context_extensions,
        nodes=_ratchet_tree(extensions[RATCHET_TREE]),
        external_pub=read_all(extensions[EXTERNAL_PUB], Reader.opaque),
        confirmation_tag=confirmation_tag,
        signer=signer,
        signed=signed,
        signature=reader.opaque(),
    )
