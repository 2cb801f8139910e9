"""Letterbox: a party that never does a thing twice, decides by the clock, and keeps each answer until it is fetched.

::

    wallet  --application-->  reply, at once                        the same message again: the same reply again
            --opening------>  noted; handled when the clock says so
            --fetch, ticket-> later | what the party had to say     before the deadline "later", whatever it is
    party   --check, result-> helper, auditor                       kept until it has been taken, then forgotten

Around a party whose wallets hold no line open. A wallet's ticket is the digest of what it sent first: who knows that
message may fetch, and nobody else (an application begins with the wallet's own secret salt, which source, helper and
auditor never see). What the party does, what it said and what it has still to say are kept together or not at all, so
that a crash at any moment, a lost reply or a doubled message changes nothing.

Who sees what: the party's own files hold what it has said for two days, the decision among it. Not protected: a party
that answers nobody.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, Party, day_of
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_app.town.bundle import pack, unpack

FETCH, LATER, NOTED_KIND = "fetch", "later", "noted"
TICKET_BYTES = 32
KEEP_DAYS = 2
_LABEL = "ticket "
SAID = TableSpec("said", Field("asked", "own"), (Field("answers", "opaque"),), KEEP_DAYS)
PROMISED = TableSpec("promised", Field("ticket", "own"), (Field("due", "own"),), KEEP_DAYS)
NOTED = TableSpec(
    "noted", Field("asked", "own"), (Field("kind", "own"), Field("body", "opaque"), Field("came", "own")), KEEP_DAYS
)
LETTERS = TableSpec("letters", Field("ticket", "own"), (Field("kind", "own"), Field("body", "decision")), KEEP_DAYS)
OUTGOING = TableSpec(
    "outgoing", Field("what", "own"), (Field("to", "own"), Field("kind", "own"), Field("body", "opaque")), KEEP_DAYS
)
SWEPT = TableSpec("swept", Field("what", "own"), (Field("day", "own"),))  # when rows were last dropped
TABLES = (SAID, PROMISED, NOTED, LETTERS, OUTGOING, SWEPT)


class Letterbox:
    """A party behind its letterbox.

    Parameters
    ----------
    party
        Who answers; one process serves it.
    known
        Names of institutions, whose messages are theirs and no wallet's.
    delay_s
        How long after a wallet's first message its answer is due, seconds; the same for everybody.
    deferred
        Kinds that are noted and handled by the clock.
    afresh
        Kinds that are answered anew each time, since many wallets say the same.
    """

    def __init__(
        self,
        party: Party,
        known: Callable[[str], bool],
        clock: Clock,
        *,
        delay_s: int = 0,
        deferred: frozenset[str] = frozenset({"opening"}),
        afresh: frozenset[str] = frozenset({"begin"}),
    ) -> None:
        self.party, self.role, self.name = party, party.role, party.name
        self._known, self._clock, self._delay, self._deferred = known, clock, delay_s, deferred
        self._afresh = afresh
        self._one_at_a_time = threading.RLock()
        self.store.declare(*TABLES)

    @property
    def store(self) -> Store:
        """The party's."""
        return self.party.store

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        with self._one_at_a_time, self.store.atomic():
            if message.kind == FETCH:
                return [self._fetched(message)]
            if message.kind in self._afresh:
                return self.party.handle(message)
            asked = ticket_of(message)
            said = self.store.get(SAID.name, self._named(message, asked))
            if said is not None:
                answers = unpack(blob_of(said, "answers"), message.sender, self.name)
                return [replace(answer, sender="") for answer in answers]
            if not self._known(message.sender):
                due: Row = {"due": int(self._clock()) + self._delay}
                self.store.insert_once(PROMISED.name, asked, due, self._today)
                if message.kind in self._deferred:
                    return self._note(message, asked)
            return self._worked(message, asked)

    def settle(self) -> int:
        """Handle what was noted; return how much. A service calls it by the clock."""
        done = 0
        for asked, _ in self.store.items(NOTED.name):
            with self._one_at_a_time, self.store.atomic():
                row = self.store.take(NOTED.name, asked)
                if row is not None:
                    self._work(Message(self.name, str(row["kind"]), blob_of(row, "body"), _LABEL + asked.hex()))
                    done += 1
        return done

    def outgoing(self) -> list[tuple[bytes, Message]]:
        """Return what must still reach other institutions, oldest first, each with what :meth:`taken` is told."""
        rows = self.store.items(OUTGOING.name)
        return [(key, Message(str(row["to"]), str(row["kind"]), blob_of(row, "body"))) for key, row in rows]

    def taken(self, what: bytes) -> None:
        """Forget a message that has been taken, and all that followed from it."""
        self.store.take(OUTGOING.name, what)

    def sweep(self) -> int:
        """Drop what has outlived its retention, the party's tables among it; return how many rows."""
        with self.store.atomic():
            dropped = self.store.sweep(self._today)
            if dropped:
                self.store.put(SWEPT.name, b"rows", {"day": self._today})
            return dropped

    @property
    def _today(self) -> int:
        return day_of(self._clock)

    def _named(self, message: Message, asked: bytes) -> bytes:
        """Return under what an institution's message is remembered: its own name goes in, a wallet's label does not."""
        sender = message.sender if self._known(message.sender) else ""
        return hashlib.sha256(sender.encode() + b"\0" + asked).digest()

    def _fetched(self, message: Message) -> Message:
        if len(message.body) != TICKET_BYTES:
            raise ForgeryError(f"an answer is fetched by {TICKET_BYTES} bytes")
        promised, letter = self.store.get(PROMISED.name, message.body), self.store.get(LETTERS.name, message.body)
        due, now = 0 if promised is None else int(promised["due"] or 0), self._clock()
        if promised is not None and due > now + self._delay:  # the clock ran ahead, and was set right: a wait from now
            self.store.put(PROMISED.name, message.body, {"due": int(now) + self._delay}, self._today)
        if promised is None or letter is None or now < due:
            return Message(message.sender, LATER, b"")
        return Message(message.sender, str(letter["kind"]), blob_of(letter, "body"))

    def _note(self, message: Message, asked: bytes) -> list[Message]:
        row: Row = {"kind": message.kind, "body": message.body, "came": int(self._clock())}
        self.store.put(NOTED.name, asked, row, self._today)
        return self._remembered(message, asked, [Message(message.sender, NOTED_KIND, b"")])

    def _worked(self, message: Message, asked: bytes) -> list[Message]:
        known = self._known(message.sender)
        label = message.sender if known else _LABEL + asked.hex()
        own = self._work(replace(message, sender=label), answered=label)
        return self._remembered(message, asked, [replace(answer, to=message.sender) for answer in own])

    def _remembered(self, message: Message, asked: bytes, answers: list[Message]) -> list[Message]:
        if all(answer.kind != "refusal" for answer in answers):  # what was refused may be better another time
            row: Row = {"answers": pack(answers)}
            self.store.insert_once(SAID.name, self._named(message, asked), row, self._today)
        return answers

    def _work(self, message: Message, answered: str = "") -> list[Message]:
        """Let the party work; return what it says to ``answered``, and keep all else for whom it is meant."""
        own = []
        for answer in self.party.handle(message):
            if answered and answer.to == answered:
                own.append(answer)
            elif answer.to.startswith(_LABEL):
                ticket = bytes.fromhex(answer.to.removeprefix(_LABEL))
                row: Row = {"kind": answer.kind, "body": answer.body}
                self.store.insert_once(LETTERS.name, ticket, row, self._today)
            else:
                sent: Row = {"to": answer.to, "kind": answer.kind, "body": answer.body}
                key = f"{self._clock():020.6f}".encode() + hashlib.sha256(answer.body).digest()[:8]
                self.store.put(OUTGOING.name, key, sent, self._today)
        return own


def ticket_of(message: Message) -> bytes:
    """Return what the answers to a message are fetched by: its digest, kind and body (32 bytes)."""
    return hashlib.sha256(b"blindscore/ticket/v1" + message.kind.encode() + b"\0" + message.body).digest()


def fetch(lender: str, ticket: bytes) -> Message:
    """Return the message that fetches an answer."""
    return Message(lender, FETCH, ticket)
