"""An append-only public log of scorecards, terms and keys: everybody is shown the same one, or can prove otherwise.

Source: RFC 9162 (Certificate Transparency 2.0), sections 2.1.1 (tree hash), 2.1.3 (inclusion) and 2.1.4 (consistency);
heads are signed with Ed25519. Who sees what: entries are public. Assumption: SHA-256 is collision resistant.
What it gives: a card bent for one person is either not in the log, and the wallet refuses it, or in it, where everybody
reads it. Two heads that do not extend each other, both signed, convict the log. Not protected: a wallet that never
compares its head with anybody else's can be shown a log of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey

MAX_SIZE = 1 << 32


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00, entry)."""
    return hashlib.sha256(b"\0" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of leaf hashes (RFC 9162, 2.1.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return _node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n) of section 2.1.3.1."""
    if len(leaves) <= 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*_path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*_path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def _subproof(m: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    """SUBPROOF(m, D_n, b) of section 2.1.4.1."""
    if m == len(leaves):
        return [] if known else [tree_hash(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], known), tree_hash(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), tree_hash(leaves[:k])]


@dataclass(frozen=True)
class Head:
    """A signed statement: after `size` entries the tree hash is `root`."""

    size: int
    root: bytes
    signature: bytes

    @staticmethod
    def signed(size: int, root: bytes) -> bytes:
        """What the log puts its name to."""
        return size.to_bytes(8, "big") + root

    def check(self, key: VerifyingKey) -> None:
        """Return if the log signed this head; raise ForgeryError otherwise."""
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != 32:
            raise ForgeryError("a log head states a size and a 32-byte root")
        key.require(self.signed(self.size, self.root), self.signature, Purpose.LOG_HEAD)


class Log:
    """The log's keeper. Holds its signing key; entries can only be appended."""

    def __init__(self, key: SigningKey | None = None) -> None:
        self._key = key or SigningKey()
        self._entries: list[bytes] = []
        self._leaves: list[bytes] = []

    @property
    def public(self) -> VerifyingKey:
        """The key that heads are checked with."""
        return self._key.public

    @property
    def entries(self) -> tuple[bytes, ...]:
        """All entries, for everybody to read."""
        return tuple(self._entries)

    def append(self, entry: bytes) -> int:
        """Add an entry; return its index."""
        self._entries.append(bytes(entry))
        self._leaves.append(leaf_hash(entry))
        return len(self._entries) - 1

    def head(self) -> Head:
        """Return the signed head of the log as it stands."""
        root = tree_hash(self._leaves)
        return Head(len(self._leaves), root, self._key.sign(Head.signed(len(self._leaves), root), Purpose.LOG_HEAD))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that entry `index` is in the log of the first `size` entries.

        Raises
        ------
        ParameterError
            No such entry or size.
        """
        if not 0 <= index < size <= len(self._leaves):
            raise ParameterError(f"the log has {len(self._leaves)} entries; index {index} of size {size} is none")
        return tuple(_path(index, self._leaves[:size]))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the log of `new` entries begins with that of `old` entries.

        Raises
        ------
        ParameterError
            Sizes that the log never had, or in the wrong order.
        """
        if not 0 < old <= new <= len(self._leaves):
            raise ParameterError(f"the log has {len(self._leaves)} entries; sizes {old} and {new} do not fit")
        return tuple(_subproof(old, self._leaves[:new], True))


def includes(head: Head, entry: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """Say whether an entry stands at `index` under a head (RFC 9162, 2.1.3.2). The head's signature is not checked."""
    if not 0 <= index < head.size or len(proof) > 64 or any(len(p) != 32 for p in proof):
        return False
    fn, sn, r = index, head.size - 1, leaf_hash(entry)
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
    return sn == 0 and r == head.root


def extends(old: Head, new: Head, proof: Sequence[bytes]) -> bool:
    """Say whether the newer log begins with the older one (RFC 9162, 2.1.4.2). Signatures are not checked."""
    if not 0 < old.size <= new.size or len(proof) > 64 or any(len(p) != 32 for p in proof):
        return False
    if old.size == new.size:
        return not proof and old.root == new.root
    path = list(proof)
    if old.size & (old.size - 1) == 0:
        path.insert(0, old.root)
    if not path:
        return False
    fn, sn = old.size - 1, new.size - 1
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
    return sn == 0 and fr == old.root and sr == new.root


class LogWatcher:
    """A wallet's or auditor's memory of a log: accepts only heads that extend the last one seen."""

    def __init__(self, key: VerifyingKey) -> None:
        self._key = key
        self.head: Head | None = None

    def update(self, head: Head, proof: Sequence[bytes]) -> None:
        """Move on to a newer head.

        Raises
        ------
        ForgeryError
            Not signed, or the log was rewritten: keep both heads, they convict it.
        """
        head.check(self._key)
        if self.head is not None and self.head.size and not extends(self.head, head, proof):
            raise ForgeryError("the new log head does not extend the last one seen; keep both, they convict the log")
        self.head = head

    def require(self, entry: bytes, index: int, proof: Sequence[bytes]) -> None:
        """Return if the entry is in the log under the current head.

        Raises
        ------
        ForgeryError
            It is not: what it names was not published to everybody.
        """
        if self.head is None or not includes(self.head, entry, index, proof):
            raise ForgeryError("this entry is not in the public log; use only what everybody is shown")
