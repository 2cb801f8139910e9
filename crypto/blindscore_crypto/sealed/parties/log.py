"""Log keeper and witness: who keeps the public log, and who makes sure that it is one.

::

    institution --publish: entry-->   keeper  --extend: head, entries since-->  witness
                <--published--                <--cosigned: key id, signature--
    wallet      --lookup: keys, size--> keeper --found--> wallet

The keeper admits entries by the rules of :mod:`.book`; a witness applies the same rules to the same entries, and
cosigns a head only if it comes out at the same hashes, so that it never cosigns two logs. Who sees what: entries are
public; the keeper learns that somebody looks a lender up. Assumptions: those of :mod:`.head`. Not protected: fewer
than k honest witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from blindscore.errors import BlindscoreError, DataError, ForgeryError
from blindscore.parties.cast import StoreOf
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, wall_clock
from blindscore.parties.store import Field, Store, TableSpec, blob_of
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import ID_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.log import lookup
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import MAX_ENTRY, Entry
from blindscore_crypto.sealed.log.head import Head
from blindscore_crypto.sealed.wire import Reader, blob

WITNESSES, NEEDED = 3, 2
MAX_EXTEND = 256  # entries of one message to a witness
ENTRIES = TableSpec("entries", Field("index", "own"), (Field("entry", "own"),))
SEEN = TableSpec("cosigned", Field("what", "own"), (Field("time", "own"),))


def _book(registrar: VerifyingKey, store: Store) -> Book:
    """Read a book back from a store; its entries were admitted before and are again."""
    store.declare(ENTRIES)
    book = Book(registrar)
    for _, row in store.items(ENTRIES.name):
        book.append(blob_of(row, "entry"))
    return book


class LogKeeper:
    """Keeps the log. Holds its signing key; entries can only be appended.

    Parameters
    ----------
    witnesses
        Names (addresses) of the witnesses.
    """

    role, name = "log", "log"

    def __init__(
        self,
        key: SigningKey,
        registrar: VerifyingKey,
        store: Store,
        witnesses: Iterable[str] = (),
        clock: Clock = wall_clock,
    ) -> None:
        self.store, self._key, self._clock = store, key, clock
        self._witnesses = dict.fromkeys(witnesses, 0)  # how far each has followed
        self.book = _book(registrar, store)
        self._head: Head | None = None

    @property
    def public(self) -> VerifyingKey:
        """The key that heads are checked with."""
        return self._key.public

    def append(self, entry: bytes) -> int:
        """Admit an entry; return its index. ForgeryError if the rules do not admit it."""
        self.book.admitted(entry)
        index = len(self.book.entries)
        # Kept before it is believed: a head over what the disk does not hold would be denied after a restart.
        if self.store.insert_once(ENTRIES.name, index.to_bytes(8, "big"), {"entry": entry}) is not None:
            raise DataError("another keeper has written to this log's store; one keeps it")
        self.book.append(entry)
        self._head = None
        return index

    def head(self) -> Head:
        """Return the signed head of the log as it stands, with the cosignatures that have come."""
        if self._head is None:
            book = self.book
            self._head = Head.sign(self._key, len(book.tree), book.tree.root(), book.map.root, int(self._clock()))
        return self._head

    def refresh(self) -> list[Message]:
        """Sign a head with the present time, and return what asks the witnesses to cosign it."""
        self._head = None
        return [self._extend(name) for name in self._witnesses]

    def _extend(self, witness: str) -> Message:
        since, head = self._witnesses[witness], self.head()
        new = self.book.entries[since : since + MAX_EXTEND]
        body = blob(head.encode()) + since.to_bytes(8, "big") + len(new).to_bytes(2, "big")
        return Message(witness, "extend", body + b"".join(map(blob, new)))

    def look_up(self, question: bytes) -> bytes:
        """Return the answer to a lookup; ForgeryError if the question is malformed."""
        return lookup.answer(self.book, self.head(), question)

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        try:
            if message.kind == "publish":
                index = self.append(message.body)
                published = Message(message.sender, "published", index.to_bytes(8, "big"))
                return [published, *(self._extend(name) for name in self._witnesses)]
            if message.kind == "lookup":
                return [Message(message.sender, "found", self.look_up(message.body))]
            if message.kind in ("cosigned", "followed") and message.sender in self._witnesses:
                return self._cosigned(message)
            if message.kind == "refused" and message.sender in self._witnesses:
                self._witnesses[message.sender] = 0  # it lost what it had: told from the start next time
                return []
            raise ForgeryError(f"a log does not take messages of kind {message.kind!r}")
        except BlindscoreError:
            return [Message(message.sender, "refused", b"")]

    def _cosigned(self, message: Message) -> list[Message]:
        reader = Reader("cosignature", message.body)
        size = reader.count(8, len(self.book.tree))
        self._witnesses[message.sender] = size
        if message.kind == "followed":
            reader.end()
            return [self._extend(message.sender)] if size < len(self.book.tree) else []
        pair = reader.take(ID_BYTES), reader.take(SIGNATURE_BYTES)
        reader.end()
        head = self.head()
        if size == head.size and pair[0] not in {name for name, _ in head.cosigned}:
            self._head = replace(head, cosigned=(*head.cosigned, pair))
        return []


class Witness:
    """Follows the log and cosigns its heads. Holds its own key and its own copy of the entries."""

    role = "witness"

    def __init__(
        self,
        name: str,
        key: SigningKey,
        log: VerifyingKey,
        registrar: VerifyingKey,
        store: Store,
        clock: Clock = wall_clock,
        tolerance_s: int = 600,
    ) -> None:
        self.name, self.store = name, store
        self._key, self._log, self._clock, self._tolerance = key, log, clock, tolerance_s
        self._registrar = registrar
        self.book = _book(registrar, store)
        self._behind = False  # whether what the store holds must be read again
        store.declare(SEEN)

    @property
    def public(self) -> VerifyingKey:
        """The key that cosignatures are checked with."""
        return self._key.public

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        try:
            if message.kind != "extend":
                raise ForgeryError(f"a witness does not take messages of kind {message.kind!r}")
            return [self._follow(message)]
        except BlindscoreError:
            return [Message(message.sender, "refused", b"")]

    def _follow(self, message: Message) -> Message:
        reader = Reader("extension of the log", message.body)
        head_reader = Reader("log's head", reader.blob(1 << 14))
        head = Head.read(head_reader)
        since, count = reader.number(8), reader.count(2, MAX_EXTEND)
        entries = [reader.blob(MAX_ENTRY) for _ in range(count)]
        reader.end()
        self._log.require(head.signed, head.signature, Purpose.LOG_HEAD)
        book = self._grown(head.size, since, entries)
        if len(book.tree) < head.size:
            return Message(message.sender, "followed", len(book.tree).to_bytes(8, "big"))
        if (book.tree.root(head.size), book.map.root) != (head.root, head.map_root) or len(book.tree) != head.size:
            raise ForgeryError("the log's head is not what its entries come to")
        if abs(self._clock() - head.time) > self._tolerance:
            raise ForgeryError("the log's head is not of this time")
        seen = self.store.get(SEEN.name, b"head")
        if seen is not None and int(seen["time"] or 0) > head.time:
            raise ForgeryError("the log's head is older than the last one")
        self.store.put(SEEN.name, b"head", {"time": head.time})
        body = head.size.to_bytes(8, "big") + self.public.id + head.cosign(self._key)
        return Message(message.sender, "cosigned", body)

    def _grown(self, size: int, since: int, entries: list[bytes]) -> Book:
        """Return the book with these entries, each kept before anything is cosigned."""
        if self._behind:
            self.book, self._behind = _book(self._registrar, self.store), False
        book, known = self.book, len(self.book.entries)
        if since > known or since + len(entries) > size:
            raise ForgeryError("the log's extension leaves entries out")
        if any(book.entries[i] != entry for i, entry in enumerate(entries[: known - since], since)):
            raise ForgeryError("the log has changed an entry; its two heads convict it")
        # Until all of it is kept, memory is ahead of the disk, and a restart would cosign another log of this size.
        self._behind = True
        with self.store.atomic():
            for index, entry in enumerate(entries[known - since :], known):
                book.append(entry)
                self.store.insert_once(ENTRIES.name, index.to_bytes(8, "big"), {"entry": entry})
        self._behind = False
        return book


def found_log(
    registrar: VerifyingKey, store_of: StoreOf, clock: Clock, key_of: Callable[[str], SigningKey]
) -> tuple[LogKeeper, list[Witness]]:
    """Return the keeper of an empty log and its witnesses."""
    names = [f"witness {i}" for i in range(WITNESSES)]
    keeper = LogKeeper(key_of("log"), registrar, store_of("log"), names, clock)
    return keeper, [Witness(n, key_of(n), keeper.public, registrar, store_of(n), clock) for n in names]


def keep(keeper: LogKeeper, witnesses: Iterable[Witness], entries: Iterable[Entry]) -> None:
    """Let the keeper admit the entries and the witnesses follow, message by message."""
    for entry in entries:
        keeper.append(entry.encode())
    by_name, waiting = {witness.name: witness for witness in witnesses}, keeper.refresh()
    while waiting:
        message = waiting.pop(0)
        for reply in by_name[message.to].handle(replace(message, sender=keeper.name)):
            waiting += keeper.handle(replace(reply, sender=message.to))
