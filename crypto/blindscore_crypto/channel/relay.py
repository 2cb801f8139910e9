"""Relay: carries what it cannot read, gives a receipt for it, and keeps a public count of what stayed unanswered.

::

    wallet --sealed request--> relay --> institution        :mod:`.ohttp`; the relay's service moves the bytes
    wallet <--sealed answer, receipt-- relay                receipt: which request, what came back, if anything
    complaint: receipt -> one more for whom the answer that came says nothing

Who sees what: the relay sees an address, which institution, when, and a size; it keeps counts by day and digests of
receipts that were complained of, and no address. Assumptions: Ed25519, SHA-256; that relay and institution do not pool
what they know. Not protected: a relay that drops, which an institution cannot be told from by the receipt's holder; a
complaint says that a person was not served, and proves nothing of why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of, wall_clock
from blindscore.parties.store import COUNT, Field, Store, TableSpec
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey

KEEP_DAYS = 40
DIGEST_BYTES = 32
_HEAD = 2 * DIGEST_BYTES + 4
_MANY = 1 << 53
PASSED = TableSpec("passed", Field("day and institution", "own"), (COUNT,), KEEP_DAYS)
ANSWERED = TableSpec("answered", Field("day and institution", "own"), (COUNT,), KEEP_DAYS)
UNSERVED = TableSpec("unserved", Field("day and institution", "own"), (COUNT,), KEEP_DAYS)
COMPLAINTS = TableSpec("complaints", Field("receipt", "own"), (), KEEP_DAYS)
LONGEST_NAME = 64  # of an institution
LONGEST_PASSAGE = SIGNATURE_BYTES + _HEAD + LONGEST_NAME  # bytes
NOTHING = bytes(DIGEST_BYTES)  # in the place of an answer's digest, where none came


@dataclass(frozen=True)
class Passage:
    """What a relay says of one request that it passed on."""

    to: str  # institution
    day: int  # days since 1970-01-01
    request: bytes  # SHA-256 of what was passed on
    answer: bytes  # SHA-256 of what came back; zeros where nothing did
    signature: bytes = b""

    @property
    def answered(self) -> bool:
        """Whether something came back."""
        return self.answer != NOTHING

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return self.request + self.answer + self.day.to_bytes(4, "big") + self.to.encode()

    def encode(self) -> bytes:
        """Return the receipt."""
        return self.signature + self.signed

    @classmethod
    def read(cls, data: bytes, relay: VerifyingKey) -> Passage:
        """Return a receipt that this relay gave.

        Raises
        ------
        ForgeryError
            Malformed, or not signed by it.
        """
        signature, signed = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
        if not _HEAD < len(signed) <= _HEAD + LONGEST_NAME or not signed[_HEAD:].isascii():
            raise ForgeryError("a relay's receipt is cut short, or names no institution")
        relay.require(signed, signature, Purpose.PASSED)
        request, answer = signed[:DIGEST_BYTES], signed[DIGEST_BYTES : 2 * DIGEST_BYTES]
        return cls(signed[_HEAD:].decode(), int.from_bytes(signed[_HEAD - 4 : _HEAD]), request, answer, signature)


@dataclass(frozen=True)
class Count:
    """How often something was passed on to an institution on one day, and what became of it."""

    to: str
    day: int
    passed: int
    answered: int  # something came back
    unserved: int  # something came back that says nothing, by those who had sent it


class Relay:
    """A relay.

    Parameters
    ----------
    institutions
        To whom it carries.
    """

    role = "relay"

    def __init__(
        self, name: str, key: SigningKey, institutions: Iterable[str], store: Store, clock: Clock = wall_clock
    ) -> None:
        self.name, self.store, self.institutions = name, store, frozenset(institutions)
        self._key, self._clock = key, clock
        store.declare(PASSED, ANSWERED, UNSERVED, COMPLAINTS)

    @property
    def public(self) -> VerifyingKey:
        """The key of its receipts."""
        return self._key.public

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`. Nothing but complaints is for the relay itself."""
        try:
            if message.kind != "complaint":
                raise ForgeryError(f"a relay does not take messages of kind {message.kind!r}")
            self.complain(message.body)
        except ForgeryError:
            return [Message(message.sender, "refused", b"")]
        return [Message(message.sender, "counted", b"")]

    def passing(self, to: str) -> None:
        """Count a request that is about to be passed on: what is not known to be answered counts as unanswered.

        Raises
        ------
        ForgeryError
            The relay carries nothing to an institution of that name.
        """
        if to not in self.institutions:
            raise ForgeryError("this relay carries nothing there")
        self._add(PASSED, to, day_of(self._clock))

    def receipt(self, to: str, request: bytes, answer: bytes | None) -> Passage:
        """Return the receipt for a request, and count the answer where one came."""
        day = day_of(self._clock)
        if answer is not None:
            self._add(ANSWERED, to, day)
        made = Passage(to, day, _digest(request), NOTHING if answer is None else _digest(answer))
        return replace(made, signature=self._key.sign(made.signed, Purpose.PASSED))

    def complain(self, receipt: bytes) -> None:
        """Count that what came back said nothing; a receipt counts once.

        Raises
        ------
        ForgeryError
            No receipt of this relay, one for a request that was never answered, which is counted already, or one that
            is too old to be counted.
        """
        passage = Passage.read(receipt, self.public)
        if not passage.answered or passage.day < day_of(self._clock) - KEEP_DAYS:
            raise ForgeryError("a complaint is about an answer of the last weeks; what got none is counted as that")
        with self.store.atomic():
            if self.store.insert_once(COMPLAINTS.name, _digest(receipt), {}, passage.day) is None:
                self._add(UNSERVED, passage.to, passage.day)

    def counts(self) -> list[Count]:
        """Return the counts of all days that are kept, by day and institution."""
        tables = [dict(self.store.items(table.name)) for table in (PASSED, ANSWERED, UNSERVED)]
        found = []
        for key in sorted(set().union(*tables)):  # an answer may come on a day on which nothing was passed on
            counts = (int(table.get(key, {"count": 0})["count"] or 0) for table in tables)
            found.append(Count(key[4:].decode(), int.from_bytes(key[:4]), *counts))
        return found

    def published(self) -> tuple[bytes, bytes]:
        """Return the counts as all may read them, and the signature over them."""
        body = json.dumps([vars(count) for count in self.counts()], sort_keys=True).encode()
        return body, self._key.sign(body, Purpose.PASSED_COUNT)

    def sweep(self) -> int:
        """Drop what has outlived its retention; return how many rows."""
        return self.store.sweep(day_of(self._clock))

    def _add(self, table: TableSpec, to: str, day: int) -> None:
        self.store.count_up_to(table.name, day.to_bytes(4, "big") + to.encode(), _MANY, day)


def read_counts(body: bytes, signature: bytes, relay: VerifyingKey) -> list[Count]:
    """Return the counts that a relay published.

    Raises
    ------
    ForgeryError
        Not signed by it.
    """
    relay.require(body, signature, Purpose.PASSED_COUNT)
    return [Count(**one) for one in json.loads(body)]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
