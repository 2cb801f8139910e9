"""Lookup: what a wallet asks the log, and what it checks before it believes the answer.

The wallet remembers the last head that it saw, and takes a new one only if that extends it. An entry counts if it
stands in the list and, under its key, in the map; its absence counts if the map proves it. Who sees what: the log
learns that somebody asks for a lender's terms, not who. Assumptions: those of :mod:`.tree`, :mod:`.keymap` and
:mod:`.head`.
"""

from __future__ import annotations

from collections.abc import Sequence

from blindscore.errors import ForgeryError, ParameterError
from blindscore.parties.store import Field, Store, TableSpec, blob_of
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import MAX_ENTRY, Entry
from blindscore_crypto.sealed.log.head import Head, Trust
from blindscore_crypto.sealed.log.keymap import KEY_BYTES, MapProof, holds
from blindscore_crypto.sealed.log.tree import HASH_BYTES, MAX_PROOF, extends, includes, leaf_hash
from blindscore_crypto.sealed.wire import Reader, blob

MAX_KEYS = 64
SEEN = TableSpec("log seen", Field("what", "own"), (Field("head", "own"),))


def ask(keys: Sequence[bytes], seen: int) -> bytes:
    """Return the question: the entries under these keys, and how the log extends its first `seen` entries."""
    if not 0 < len(keys) <= MAX_KEYS:
        raise ParameterError(f"a lookup names 1 to {MAX_KEYS} keys")
    return seen.to_bytes(8, "big") + bytes([len(keys)]) + b"".join(keys)


def answer(book: Book, head: Head, question: bytes) -> bytes:
    """Return the log's answer under its current head.

    Raises
    ------
    ForgeryError
        The question is malformed.
    """
    reader = Reader("lookup", question)
    seen, count = reader.number(8), reader.count(1, MAX_KEYS)
    keys = [reader.take(KEY_BYTES) for _ in range(count)]
    reader.end()
    proof = book.tree.consistency(seen, head.size) if 0 < seen <= head.size else ()
    parts = [blob(head.encode()), _hashes(proof)]
    for key in keys:
        index = book.find(key)
        parts.append(bytes([index is not None]))
        if index is not None:
            parts += [index.to_bytes(8, "big"), blob(book.entries[index])]
            parts.append(_hashes(book.tree.inclusion(index, head.size)))
        parts.append(book.map.prove(key).encode())
    return b"".join(parts)


def _hashes(hashes: Sequence[bytes]) -> bytes:
    return bytes([len(hashes)]) + b"".join(hashes)


def _read_hashes(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.take(HASH_BYTES) for _ in range(reader.count(1, MAX_PROOF)))


class Watcher:
    """A reader's memory of the log, in its own store."""

    def __init__(self, trust: Trust, store: Store) -> None:
        store.declare(SEEN)
        self._trust, self._store = trust, store

    @property
    def head(self) -> Head | None:
        """The last head that was believed."""
        row = self._store.get(SEEN.name, b"head")
        return None if row is None else Head.read(Reader("kept head", blob_of(row, "head")))

    def ask(self, keys: Sequence[bytes]) -> bytes:
        """Return the question for the entries under these keys."""
        return ask(keys, 0 if self.head is None else self.head.size)

    def read(self, keys: Sequence[bytes], data: bytes, now: float) -> list[Entry | None]:
        """Check the log's answer whole; return the entry under each key, or None where the log has none.

        Raises
        ------
        ForgeryError
            Malformed; a head that is stale, not cosigned, or does not extend the last one seen (keep both: they convict
            the log); or an entry that is not in list and map, or not absent.
        """
        reader = Reader("log's answer", data)
        head_reader = Reader("log's head", reader.blob(1 << 14))
        head, proof = Head.read(head_reader), _read_hashes(reader)
        head_reader.end()
        self._trust.require(head, now)
        found = [self._entry(reader, key, head) for key in keys]
        reader.end()
        self._move_to(head, proof)
        return found

    def _entry(self, reader: Reader, key: bytes, head: Head) -> Entry | None:
        if not reader.count(1, 1):
            if not holds(head.map_root, key, None, MapProof.read(reader)):
                raise ForgeryError("the log says that it has no such entry and does not prove it")
            return None
        index, data = reader.number(8), reader.blob(MAX_ENTRY)
        path, proof = _read_hashes(reader), MapProof.read(reader)
        leaf = leaf_hash(data)
        if not includes(head.root, head.size, leaf, index, path) or not holds(head.map_root, key, leaf, proof):
            raise ForgeryError("this entry is not in the public log; use only what everybody is shown")
        entry = Entry.decode(data)
        if key not in set(entry.keys()):
            raise ForgeryError("the log answers with an entry that belongs under another key")
        return entry

    def _move_to(self, head: Head, proof: Sequence[bytes]) -> None:
        """Move on to a newer head, unless another reader of this store has moved further meanwhile."""
        with self._store.atomic():
            last = self.head
            if last is not None:
                known = (last.size, last.root), (head.size, head.root)
                if last.size and (not extends(*known, proof) or head.time < last.time):
                    raise ForgeryError(
                        "the new log head does not extend the last one seen; keep both, they convict the log"
                    )
                if head.size == last.size and head.map_root != last.map_root:
                    raise ForgeryError("two heads of one size have different maps; keep both, they convict the log")
            self._store.put(SEEN.name, b"head", {"head": head.encode()})
