"""The public part of a ratchet tree (RFC 9420 section 7): what a commit makes of it, and its tree hash.

The server cannot check the secrets of a tree. But it computes each tree from the one before and from the commit, as
the members do. So it stores the tree of the members who follow the commit, and the parent hashes in it are valid.

A node has a level, 0 for leaves, and a number from the left within the level. Only the leaves say how deep a tree is:
no deeper than the rightmost one needs (sections 7.7 and 7.8).
"""

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import structs

from crypto.mls.frames import Leaf, LeafIndex, ParentNode, UpdatePath
from crypto.mls.wire import Malformed, opaque

Place = tuple[int, int]  # level and number


class RatchetTree:
    """A ratchet tree. `nodes`: those that are not blank, by their indices in the array of appendix C."""

    def __init__(self, nodes: Mapping[int, Leaf | ParentNode]) -> None:
        self.nodes = dict(nodes)
        self._hashes: dict[Place, bytes] = {}

    def hash(self) -> bytes:
        """Return the tree hash, section 7.8."""
        return self._hash((self._depth(), 0))

    def after(
        self,
        removed: Iterable[LeafIndex],
        added: Mapping[LeafIndex, Leaf],
        path: UpdatePath | None,
        sender: LeafIndex,
    ) -> "RatchetTree":
        """Return the tree that a commit makes: first it removes, then it adds, then it sets the path (section 12.4.2).

        Raises Malformed.
        """
        tree = RatchetTree(self.nodes)
        tree._remove(removed)
        there = {node.encryption_key for node in tree.nodes.values()}
        fresh = [leaf.encryption_key for leaf in added.values()]
        tree._add(added)
        if path is not None:
            fresh += [path.leaf.encryption_key, *path.encryption_keys]
            tree._set_path(sender, path)
        if len(there.union(fresh)) != len(there) + len(fresh):
            raise Malformed("an encryption_key of the commit is in the tree already")  # section 7.3
        return tree

    def _remove(self, leaves: Iterable[LeafIndex]) -> None:
        """Section 12.1.3."""
        depth = self._depth()
        for leaf in leaves:
            self._blank((0, leaf))
            for place in _direct_path(leaf, depth):
                self._blank(place)

    def _add(self, leaves: Mapping[LeafIndex, Leaf]) -> None:
        """Section 12.1.1."""
        self.nodes |= {_index((0, number)): leaf for number, leaf in leaves.items()}
        depth = self._depth()
        for leaf in leaves:
            for index in map(_index, _direct_path(leaf, depth)):
                node = self.nodes.get(index)
                if isinstance(node, ParentNode):
                    unmerged = sorted([*node.unmerged_leaves, leaf])
                    self.nodes[index] = structs.replace(node, unmerged_leaves=unmerged)

    def _set_path(self, sender: LeafIndex, path: UpdatePath) -> None:
        """Set the sender's leaf and the nodes above it, sections 7.5 and 7.9. Raises Malformed."""
        self.nodes[_index((0, sender))] = path.leaf
        steps = []
        below: Place = (0, sender)
        for place in _direct_path(sender, self._depth()):
            self._blank(place)
            level, number = below
            sibling = (level, number ^ 1)
            if self._has_leaf(sibling):
                steps.append((place, sibling))
            below = place
        if len(path.encryption_keys) != len(steps):
            raise Malformed("the update path has too few or too many nodes")
        parent_hash = b""
        for (place, sibling), key in zip(reversed(steps), reversed(path.encryption_keys), strict=True):
            self.nodes[_index(place)] = ParentNode(key, parent_hash, [])
            # A new node has no unmerged leaves, so the sibling's original tree hash is its tree hash.
            parent_hash = _sha256(opaque(key) + opaque(parent_hash) + opaque(self._hash(sibling)))
        if path.leaf.parent_hash != parent_hash:
            raise Malformed("parent_hash of the update path's leaf is not the one of the tree")

    def _hash(self, place: Place) -> bytes:
        """Return the tree hash of a subtree. It is kept, so nothing of that subtree may change afterwards."""
        found = self._hashes.get(place)
        if found is None:
            level, number = place
            node = self.nodes.get(_index(place))
            encoded = b"\0" if node is None else b"\1" + node.encoded
            if level == 0:
                found = _sha256(b"\1" + number.to_bytes(4) + encoded)
            else:
                left, right = (self._hash((level - 1, 2 * number + side)) for side in (0, 1))
                found = _sha256(b"\2" + encoded + opaque(left) + opaque(right))
            self._hashes[place] = found
        return found

    def _depth(self) -> int:
        return (max(self.nodes, default=0) // 2).bit_length()

    def _blank(self, place: Place) -> None:
        self.nodes.pop(_index(place), None)

    def _has_leaf(self, place: Place) -> bool:
        """Whether the subtree has a leaf. If it has none, its resolution is empty: parents without leaves are blank."""
        level, number = place
        first = number << level
        return any(_index((0, leaf)) in self.nodes for leaf in range(first, first + (1 << level)))


def _index(place: Place) -> int:
    """Return the index of a node in the array of appendix C."""
    level, number = place
    return (number << level + 1) + (1 << level) - 1


def _direct_path(leaf: int, depth: int) -> list[Place]:
    """Return the parents of a leaf, from below."""
    return [(level, leaf >> level) for level in range(1, depth + 1)]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
