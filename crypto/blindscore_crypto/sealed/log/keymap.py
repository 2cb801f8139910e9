"""A map from 32-byte keys to 32-byte values under one hash, with proofs of presence and of absence.

A binary tree over the bits of the key; a subtree with one entry is that entry, one with none is 32 zero bytes. Along
the path of a key, the root fixes each hash, and the hashes of entries, of inner nodes and of nothing cannot be mistaken
for one another: a key has one value, or none, under one root. Source: the sparse Merkle tree of Dahlberg, Pulls and
Peeters (NordSec 2016), with single entries lifted as in CONIKS (USENIX Security 2015).
Who sees what: all is public. Assumption: SHA-256 is collision resistant.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from blindscore.errors import ParameterError
from blindscore_crypto.sealed.wire import Reader

KEY_BYTES, HASH_BYTES, MAX_DEPTH = 32, 32, 256
EMPTY = bytes(HASH_BYTES)


@dataclass(frozen=True)
class _Leaf:
    key: bytes
    value: bytes
    hash: bytes


@dataclass(frozen=True)
class _Inner:
    left: _Node
    right: _Node
    hash: bytes


_Node = _Leaf | _Inner | None


def _leaf(key: bytes, value: bytes) -> bytes:
    return hashlib.sha256(b"\x02" + key + value).digest()


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x03" + left + right).digest()


def _bit(key: bytes, depth: int) -> int:
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def _hash(node: _Node) -> bytes:
    return EMPTY if node is None else node.hash


@dataclass(frozen=True)
class MapProof:
    """Hashes beside the path from the root down, and the other entry that stands where the key would."""

    siblings: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None = None  # (key, value); absence only

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        head = len(self.siblings).to_bytes(2, "big") + bytes([self.other is not None])
        return head + b"".join(self.siblings) + b"".join(self.other or ())

    @classmethod
    def read(cls, reader: Reader) -> MapProof:
        """Take a proof off a message."""
        count, with_other = reader.count(2, MAX_DEPTH), reader.count(1, 1)
        siblings = tuple(reader.take(HASH_BYTES) for _ in range(count))
        return cls(siblings, (reader.take(KEY_BYTES), reader.take(HASH_BYTES)) if with_other else None)


class KeyMap:
    """The map; a key is set once."""

    def __init__(self) -> None:
        self._root: _Node = None

    @property
    def root(self) -> bytes:
        """The hash of all of it."""
        return _hash(self._root)

    def get(self, key: bytes) -> bytes | None:
        """Return a key's value, or None."""
        node, depth = self._root, 0
        while isinstance(node, _Inner):
            node, depth = (node.left, node.right)[_bit(key, depth)], depth + 1
        return node.value if node is not None and node.key == key else None

    def insert(self, key: bytes, value: bytes) -> None:
        """Set a key.

        Raises
        ------
        ParameterError
            It is set already, or key or value have another length.
        """
        if len(key) != KEY_BYTES or len(value) != HASH_BYTES:
            raise ParameterError(f"keys have {KEY_BYTES} bytes, values {HASH_BYTES}")
        self._root = _insert(self._root, _Leaf(key, value, _leaf(key, value)), 0)

    def prove(self, key: bytes) -> MapProof:
        """Return the proof of a key's presence or absence."""
        node, depth, siblings = self._root, 0, []
        while isinstance(node, _Inner):
            pair = (node.left, node.right)
            bit = _bit(key, depth)
            siblings.append(_hash(pair[1 - bit]))
            node, depth = pair[bit], depth + 1
        other = None if node is None or node.key == key else (node.key, node.value)
        return MapProof(tuple(siblings), other)


def _insert(node: _Node, leaf: _Leaf, depth: int) -> _Leaf | _Inner:
    if node is None:
        return leaf
    if isinstance(node, _Leaf):
        if node.key == leaf.key:
            raise ParameterError("this key is set already")
        bit = _bit(node.key, depth)
        node = _Inner(None if bit else node, node if bit else None, EMPTY)
    left, right = node.left, node.right
    if _bit(leaf.key, depth):
        right = _insert(right, leaf, depth + 1)
    else:
        left = _insert(left, leaf, depth + 1)
    return _Inner(left, right, _inner(_hash(left), _hash(right)))


def holds(root: bytes, key: bytes, value: bytes | None, proof: MapProof) -> bool:
    """Say whether, under this root, the key has this value, or (None) has none."""
    depth = len(proof.siblings)
    if len(key) != KEY_BYTES or depth > MAX_DEPTH or any(len(s) != HASH_BYTES for s in proof.siblings):
        return False
    if value is not None:
        if proof.other is not None:
            return False
        at = _leaf(key, value)
    elif proof.other is None:
        at = EMPTY
    else:
        if proof.other[0] == key or any(_bit(key, d) != _bit(proof.other[0], d) for d in range(depth)):
            return False
        at = _leaf(*proof.other)
    for d in reversed(range(depth)):
        at = _inner(proof.siblings[d], at) if _bit(key, d) else _inner(at, proof.siblings[d])
    return at == root
