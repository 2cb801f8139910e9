"""An append-only list of hashes with proofs: RFC 9162 (Certificate Transparency 2.0), sections 2.1.1 to 2.1.4.

Source: tree hash 2.1.1, inclusion 2.1.3, consistency 2.1.4. Hashes of whole subtrees are kept, so that a head or a
proof of a list of n entries costs log n hashes. Who sees what: all is public. Assumption: SHA-256 is collision
resistant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from blindscore.errors import ParameterError

HASH_BYTES = 32
MAX_PROOF = 64  # hashes of a proof


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00, entry)."""
    return hashlib.sha256(b"\0" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of leaf hashes as section 2.1.1 defines it: the plain twin of :class:`Tree`."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return _node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


class Tree:
    """The list; any size that it had can be asked for."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]  # level h holds the hashes of whole subtrees of 2^h leaves

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, entry: bytes) -> int:
        """Add an entry; return its index."""
        index, carry, level = len(self), leaf_hash(entry), 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(carry)
            if len(self._levels[level]) % 2:
                return index
            carry, level = _node(*self._levels[level][-2:]), level + 1

    def root(self, size: int | None = None) -> bytes:
        """Return the tree hash of the first `size` entries, by default of all."""
        size = len(self) if size is None else size
        return self._hash(0, size) if size else hashlib.sha256(b"").digest()

    def _hash(self, start: int, end: int) -> bytes:
        """Return the hash of leaves start..end - 1, a subtree as section 2.1.1 cuts them."""
        n = end - start
        if n & (n - 1) == 0 and start % n == 0:
            level = n.bit_length() - 1
            return self._levels[level][start >> level]
        k = _split(n)
        return _node(self._hash(start, start + k), self._hash(start + k, end))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that entry `index` is in the list of the first `size` entries.

        Raises
        ------
        ParameterError
            No such entry or size.
        """
        if not 0 <= index < size <= len(self):
            raise ParameterError(f"the log has {len(self)} entries; index {index} of size {size} is none")
        start, end, path = 0, size, []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return tuple(reversed(path))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the list of `new` entries begins with that of `old` entries.

        Raises
        ------
        ParameterError
            Sizes that the list never had, or in the wrong order.
        """
        if not 0 < old <= new <= len(self):
            raise ParameterError(f"the log has {len(self)} entries; sizes {old} and {new} do not fit")
        start, end, whole, path = 0, new, True, []
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start, whole = middle, False
        return tuple(reversed(path if whole else [*path, self._hash(start, end)]))


def includes(root: bytes, size: int, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """Say whether a leaf hash stands at `index` of a list of this root and size (2.1.3.2)."""
    if not 0 <= index < size or len(proof) > MAX_PROOF or any(len(p) != HASH_BYTES for p in proof):
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = _node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = _node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def extends(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Say whether the newer list, (size, root), begins with the older one (2.1.4.2)."""
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 < old_size <= new_size or len(proof) > MAX_PROOF or any(len(p) != HASH_BYTES for p in proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root
