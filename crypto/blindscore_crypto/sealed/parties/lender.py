"""Lender: promises a decision on an answer it has not seen, then gives it, off the path of the reply.

::

    ask -> offer; commit -> receipt; answer -> noted; (settle) ; fetch -> decision, or later

``answer`` only stores; ``settle`` checks all that waits in one batch, and a fetch before the deadline is told "later"
whatever the answer was, so that the time of a reply says nothing of it. ``file`` is for a judge who shows an answer.

Who sees what: the lender learns one bit an answer and holds commitments, which hide; it spends nullifiers in its store,
so that a restart or a second process answers no proof twice. Assumptions: those of :mod:`.check`, Ed25519, and a store
that keeps what it acknowledged. Not protected: a lender that gives no offer or receipt *refuses to serve*
(:mod:`.judge`); in the sealed form, a lender that colludes with a source recognises the answer after the receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from blindscore.errors import BlindscoreError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of, wall_clock
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.check import answer_bytes, check_each
from blindscore_crypto.sealed.offer import (
    DIGEST_BYTES,
    NO_CHANNEL,
    Checked,
    Decision,
    Offer,
    Receipt,
    Verdict,
    digest,
    read_commit,
)
from blindscore_crypto.sealed.terms import Terms

KEEP_DAYS = 40  # longer than an epoch
MAX_WAITING = 10_000  # receipts that wait for their answers
RECEIPTS = TableSpec("receipts", Field("offer", "own"), (Field("answer", "own"), Field("deadline", "own")), KEEP_DAYS)
ANSWERS = TableSpec("answers", Field("digest", "own"), (Field("answer", "opaque"),), KEEP_DAYS)
WAITING = TableSpec("waiting", Field("digest", "own"), (Field("offer", "own"), Field("terms", "own")), KEEP_DAYS)
ARRIVED = TableSpec("arrived", Field("digest", "own"), (), KEEP_DAYS)  # answers that are still to be decided
OVER = TableSpec("over", Field("epoch", "own"), ())
SWEPT = TableSpec("swept", Field("what", "own"), (Field("day", "own"),))  # when rows were last dropped
SPENT = TableSpec("spent", Field("nullifier", "own"), (Field("by", "own"),), KEEP_DAYS)
DECIDED = TableSpec(
    "decided", Field("digest", "own"), (Field("approved", "decision"), Field("signed", "own")), KEEP_DAYS
)


class _Used(Exception):
    """A nullifier is spent; `by` is the digest of the answer that spent it."""

    def __init__(self, by: bytes) -> None:
        super().__init__("used")
        self.by = by


class Lender:
    """One lender under one document of terms.

    Parameters
    ----------
    delay_s
        How long after the receipt a decision is due, seconds; the same for everybody.
    channel_of
        The channel on which a message came, 32 bytes as both ends of the line see them; by default none is bound.
    share
        ``(k, n)``: of n processes over one store this is the k-th, counted from 0, and settles the answers whose digest
        falls to it. Which process stored an answer makes no difference.

    Raises
    ------
    ForgeryError
        The key is not the one that the terms publish.
    """

    def __init__(
        self,
        terms: Terms,
        key: SigningKey,
        store: Store,
        *,
        clock: Clock = wall_clock,
        delay_s: int = 0,
        channel_of: Callable[[Message], bytes] = lambda _: NO_CHANNEL,
        role: str = "lender",
        share: tuple[int, int] = (0, 1),
    ) -> None:
        if key.public != terms.lender_key:
            raise ForgeryError("this signing key is not the one that the terms publish")
        self.role, self.name, self.store, self.terms = role, terms.lender, store, terms
        self._key, self._clock, self._delay, self._channel_of, self._share = key, clock, delay_s, channel_of, share
        store.declare(RECEIPTS, ANSWERS, WAITING, ARRIVED, SPENT, DECIDED, OVER, SWEPT)

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        action = {
            "ask": self._ask,
            "commit": self._commit,
            "answer": self._answer,
            "fetch": self._fetch,
        }.get(message.kind)
        try:
            if action is None:
                raise ForgeryError(f"a lender does not take messages of kind {message.kind!r}")
            kind, body = action(message)
        except BlindscoreError:
            return [Message(message.sender, "refused", b"")]
        return [Message(message.sender, kind, body)]

    def _open_day(self) -> int:
        """Return today's number; refuse where the epoch is over, or was over when rows were last dropped."""
        today = day_of(self._clock)
        if today > self.terms.epoch.last_day or self.store.get(OVER.name, self.terms.epoch.encode()) is not None:
            raise ForgeryError("these terms' epoch is over")
        return today

    def waiting(self) -> int:
        """Return how many receipts wait for their answer or its decision."""
        return self.store.count(WAITING.name)

    def sweep(self) -> int:
        """Drop what has outlived its retention; return how many rows.

        An epoch that is over by the clock of that moment stays over: if the clock was wrong, what was spent in it may
        be gone, and nobody may spend it again.
        """
        today = day_of(self._clock)
        with self.store.atomic():
            if today > self.terms.epoch.last_day:
                self.store.insert_once(OVER.name, self.terms.epoch.encode(), {})
            dropped = self.store.sweep(today)
            if dropped:
                self.store.put(SWEPT.name, b"rows", {"day": today})
            return dropped

    def _ask(self, message: Message) -> tuple[str, bytes]:
        today = self._open_day()
        if message.body[DIGEST_BYTES:] != self._channel_of(message):
            raise ForgeryError("the offer is asked for on another channel than this")
        return "offer", Offer.make(self.terms, self._key, message.body, day=today).encode()

    def _commit(self, message: Message) -> tuple[str, bytes]:
        offer, name = read_commit(self.terms, message.body)
        today = self._open_day()
        if offer.day != today:
            raise ForgeryError("the offer was made on another day; ask for a new one")
        if offer.channel != self._channel_of(message):
            raise ForgeryError("the offer was made on another channel")
        deadline = int(self._clock()) + self._delay
        with self.store.atomic():
            row: Row = {"answer": name, "deadline": deadline}
            first = self.store.insert_once(RECEIPTS.name, offer.nullifier, row, today)
            if first is None:
                if self.waiting() >= MAX_WAITING:
                    raise ForgeryError("too many answers wait; come back later")
                wait: Row = {"offer": offer.nullifier, "terms": self.terms.fingerprint}
                self.store.put(WAITING.name, name, wait, today)
            elif first["answer"] != name:
                raise ForgeryError("another answer to this offer has a receipt already; ask for a new offer")
            else:
                deadline = int(first["deadline"] or 0)  # the reply was lost: the same receipt again
        return "receipt", Receipt.make(self._key, offer.nullifier, name, deadline).encode()

    def _answer(self, message: Message) -> tuple[str, bytes]:
        """Store the answer. Nothing of it is checked but its size and that it has a receipt."""
        if len(message.body) != answer_bytes(self.terms):
            raise ForgeryError(f"an answer has {answer_bytes(self.terms)} bytes")
        self._keep(message.body)
        return "noted", b""

    def _keep(self, answer: bytes) -> bytes:
        name, today = digest(answer), day_of(self._clock)
        with self.store.atomic():
            waits = self.store.get(WAITING.name, name) is not None
            if not waits and self.store.get(DECIDED.name, name) is None:
                raise ForgeryError("no receipt was given for this answer")
            self.store.insert_once(ANSWERS.name, name, {"answer": answer}, today)
            if waits:
                self.store.insert_once(ARRIVED.name, name, {}, today)
        return name

    def _fetch(self, message: Message) -> tuple[str, bytes]:
        if len(message.body) != DIGEST_BYTES:
            raise ForgeryError(f"a decision is fetched by {DIGEST_BYTES} bytes")
        waiting = self.store.get(WAITING.name, message.body)
        if waiting is not None:
            receipt = self._row(self.store.get(RECEIPTS.name, blob_of(waiting, "offer")))
            if self._clock() < int(receipt["deadline"] or 0):
                return "later", b""
            self._settle([message.body])  # it is due, and the process whose share it is has not come to it
        row = self._row(self.store.get(DECIDED.name, message.body))
        return "decision", blob_of(row, "signed")

    def settle(self) -> int:
        """Decide every answer of this share that has come; return how many. A service calls it by the clock."""
        k, n = self._share
        return self._settle(name for name, _ in self.store.items(ARRIVED.name) if name[0] % n == k)

    def _settle(self, names: Iterable[bytes]) -> int:
        arrived = []
        for name in names:
            row, kept = self.store.get(WAITING.name, name), self.store.get(ANSWERS.name, name)
            # Another epoch's answer is decided by whoever has its terms.
            if row is not None and kept is not None and row["terms"] == self.terms.fingerprint:
                arrived.append((name, blob_of(row, "offer"), blob_of(kept, "answer")))
        if not arrived:
            return 0
        checked = check_each(self.terms, [answer for _, _, answer in arrived])
        with self.store.atomic():  # written through once, however many there are
            for (name, offer, _), one in zip(arrived, checked, strict=True):
                self._decide(name, offer, one)
        return len(arrived)

    def _decide(self, name: bytes, offer: bytes, checked: Checked | None) -> None:
        """Spend all nullifiers of an answer or none, and sign what follows; one process decides, the others find it."""
        # Within the transaction of settle: a nullifier is spent with what is said of it, or not at all.
        today = day_of(self._clock)
        if checked is None or checked.offer.nullifier != offer:
            verdict, other = Verdict.VOID, bytes(DIGEST_BYTES)
        else:
            verdict, other = Verdict.APPROVED if checked.approved else Verdict.REFUSED, bytes(DIGEST_BYTES)
            try:
                with self.store.atomic():
                    for nullifier in checked.nullifiers:
                        first = self.store.insert_once(SPENT.name, nullifier, {"by": name}, today)
                        if first is not None and first["by"] != name:
                            raise _Used(blob_of(first, "by"))
            except _Used as used:
                verdict, other = Verdict.USED, used.by
        signed = Decision.make(self._key, name, verdict, other).encode()
        said = int(verdict == Verdict.APPROVED) if verdict in (Verdict.APPROVED, Verdict.REFUSED) else None
        self.store.insert_once(DECIDED.name, name, {"approved": said, "signed": signed}, today)
        self.store.take(WAITING.name, name)
        self.store.take(ARRIVED.name, name)

    def file(self, answer: bytes) -> tuple[bytes, bytes | None]:
        """Return the decision on an answer that a judge shows, and the earlier answer where it says "used before".

        Raises
        ------
        ForgeryError
            This lender never promised to decide this answer.
        """
        name = self._keep(answer)
        self._settle([name])
        signed = blob_of(self._row(self.store.get(DECIDED.name, name)), "signed")
        said = Decision.decode(self.terms, name, signed)
        other = self.store.get(ANSWERS.name, said.other) if said.verdict == Verdict.USED else None
        return signed, None if other is None else blob_of(other, "answer")

    def approved(self, name: bytes) -> bytes | None:
        """Return the answer with this digest if it was approved: what an office hands tokens out for."""
        row = self.store.get(DECIDED.name, name)
        if row is None or row["approved"] != 1:
            return None
        return blob_of(self._row(self.store.get(ANSWERS.name, name)), "answer")

    @staticmethod
    def _row(row: Row | None) -> Row:
        if row is None:
            raise ForgeryError("nothing is known under this name")
        return row
