"""Ratchet trees for made groups, computed independently of crypto/mls/tree.py: by recursion over the halves of a tree.

A subtree is (level, number), numbered from the left. A parent is a tuple of its key, its parent hash and its unmerged
leaves.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from crypto.mls.wire import opaque

Parent = tuple[bytes, bytes, list[int]]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def encoded(parent: Parent) -> bytes:
    key, parent_hash, unmerged = parent
    return opaque(key) + opaque(parent_hash) + opaque(b"".join(leaf.to_bytes(4) for leaf in unmerged))


@dataclass
class MadeTree:
    """`leaves`: LeafNodes as on the wire."""

    leaves: dict[int, bytes] = field(default_factory=dict)
    parents: dict[tuple[int, int], Parent] = field(default_factory=dict)

    def copy(self) -> "MadeTree":
        return MadeTree(dict(self.leaves), dict(self.parents))

    @property
    def height(self) -> int:
        return next(height for height in range(32) if max(self.leaves) < 2**height)

    def above(self, leaf: int) -> list[tuple[int, int]]:
        return [(level, leaf // 2**level) for level in range(1, 32)]

    def remove(self, leaf: int) -> None:
        del self.leaves[leaf]
        self.parents = {at: parent for at, parent in self.parents.items() if at not in self.above(leaf)}

    def add(self, leaf: int, node: bytes) -> None:
        self.leaves[leaf] = node
        for at in self.above(leaf):
            if at in self.parents:
                key, parent_hash, unmerged = self.parents[at]
                self.parents[at] = key, parent_hash, sorted([*unmerged, leaf])

    def is_empty(self, level: int, number: int) -> bool:
        return not any(leaf // 2**level == number for leaf in self.leaves)

    def set_path(self, leaf: int, new_key: Callable[[], bytes]) -> tuple[bytes, list[bytes]]:
        """Return the parent hash of the leaf, which the caller has to set, and the new keys from below."""
        self.leaves[leaf] = b""
        self.parents = {at: parent for at, parent in self.parents.items() if at not in self.above(leaf)}
        parent_hash, keys = b"", []
        for level in range(self.height, 0, -1):
            sibling = (level - 1, leaf // 2 ** (level - 1) ^ 1)
            if not self.is_empty(*sibling):
                keys.insert(0, new_key())
                self.parents[level, leaf // 2**level] = keys[0], parent_hash, []
                parent_hash = sha256(opaque(keys[0]) + opaque(parent_hash) + opaque(self.hash(*sibling)))
        return parent_hash, keys

    def hash(self, level: int, number: int) -> bytes:
        if level == 0:
            node = self.leaves.get(number)
            return sha256(b"\1" + number.to_bytes(4) + (b"\0" if node is None else b"\1" + node))
        parent = self.parents.get((level, number))
        halves = [opaque(self.hash(level - 1, 2 * number + side)) for side in (0, 1)]
        return sha256(b"\2" + (b"\0" if parent is None else b"\1" + encoded(parent)) + halves[0] + halves[1])

    def extension(self) -> bytes:
        """The data of the extension ratchet_tree."""
        nodes = self._nodes(self.height, 0)
        while nodes[-1] == b"\0":
            nodes.pop()  # a blank node
        return opaque(b"".join(nodes))

    def _nodes(self, level: int, number: int) -> list[bytes]:
        if level == 0:
            node = self.leaves.get(number)
            return [b"\0" if node is None else b"\1\1" + node]
        parent = self.parents.get((level, number))
        middle = b"\0" if parent is None else b"\1\2" + encoded(parent)
        return [*self._nodes(level - 1, 2 * number), middle, *self._nodes(level - 1, 2 * number + 1)]
