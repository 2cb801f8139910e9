"""Lender: holds the points and one share of the bins, and learns whether an applicant passes.

Who sees what: one bit an application under a pairwise pseudonym; uniform values. What it checks: the source's
signature, layout, pseudonym and date; that the helper opens the shares that it was dealt, that they are valid, and that
its share of the token is right. A lender that cheats learns the same bit, or nothing; it may stay silent towards its
applicant. Does not protect: against lender and helper together, who have the bins.
"""

from __future__ import annotations

from collections.abc import Iterable

from blindscore.errors import BlindscoreError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import COUNT, Field, Row, Store, TableSpec, blob_of
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.encrypted.parties.scorer import LIMIT, MAX_AGE
from blindscore_crypto.encrypted.wire import pseudonym
from blindscore_crypto.layout import Layout
from blindscore_crypto.shared.check import lenders_decision, lenders_proof
from blindscore_crypto.shared.deal import LendersHalf
from blindscore_crypto.shared.enrol import Enrol, Keys, MaskedCard
from blindscore_crypto.shared.field import Numbers, T
from blindscore_crypto.shared.line import Line, open_box
from blindscore_crypto.shared.points import Enrolled, Points
from blindscore_crypto.shared.wire import (
    Attested,
    Challenge,
    Masked,
    TokenShare,
    body_bytes,
    decision_frame,
    read_application,
    refusal_frame,
)

_SESSION = (Field("source", "own"), Field("half", "own"), Field("by", "handle"), Field("line", "own"))
_TABLES = (
    TableSpec("boxes", Field("box", "own"), (Field("secret", "own"),), keep_days=MAX_AGE),
    TableSpec("enrolled", Field("source", "own"), (Field("seed", "own"),)),
    TableSpec("answered", Field("nonce", "own"), (), keep_days=MAX_AGE + 1),
    TableSpec("asked", Field("pseudonym", "handle"), (COUNT,)),
    TableSpec("open", Field("nonce", "own"), _SESSION, keep_days=MAX_AGE),
    TableSpec("proved", Field("nonce", "own"), (*_SESSION, Field("challenge", "own")), keep_days=MAX_AGE),
)
DECISIONS = TableSpec("decisions", Field("nonce", "own"), (Field("approved", "decision"), Field("pseudonym", "handle")))


class SharingLender:
    """A lender.

    Parameters
    ----------
    name
        Under which applicants address it.
    card, threshold
        Its scorecard, and the least score that passes; only the layout leaves it.
    sources
        Signature keys of the sources that it believes.
    helper, line
        The helper's address, and its line to it.
    store, clock
        What it keeps, and what time it is.
    limit
        Most applications a pseudonym.
    """

    role = "lender"

    def __init__(
        self,
        name: str,
        card: Card,
        threshold: int,
        sources: Iterable[VerifyingKey],
        helper: str,
        line: Line,
        store: Store,
        clock: Clock,
        limit: int = LIMIT,
    ) -> None:
        self.name, self.store, self.limit = name, store, limit
        self.points, self.layout = Points.of(card, threshold), Layout.of(card)
        self.sources = {key.id: key for key in sources}
        self.helper, self._line, self._clock = helper, line, clock
        self._cards: dict[bytes, Enrolled] = {}  # grown from what the store holds, once a source
        store.declare(*_TABLES, DECISIONS)

    def handle(self, message: Message) -> list[Message]:
        """Serve: whatever is wrong, the refusal of an application is one and the same, as long as a decision."""
        from_helper = message.sender == self.helper
        try:
            match message.kind:
                case "begin":
                    return [Message(message.sender, "box", self._box())]
                case "application":
                    return [Message(self.helper, "masked", self.answer(message.body, message.sender))]
                case "keys" if from_helper:
                    return [Message(self.helper, "card", self._card(message.body))]
                case "challenge" if from_helper:
                    return [Message(self.helper, "proof", self._prove(message.body))]
                case "token" if from_helper:
                    return [self._decide(message.body)]
        except BlindscoreError:
            return [Message(message.sender, "refusal", refusal_frame())]
        return []

    def _box(self) -> bytes:
        secret, box = new_box()
        self.store.put("boxes", box, {"secret": secret}, day=day_of(self._clock))
        return box

    def _secret(self, box: bytes) -> bytes:
        row = self.store.take("boxes", box)
        if row is None:
            raise refuse(Kind.KEYS, "it is not sealed to a box that this lender has given out")
        return blob_of(row, "secret")

    # -- its card -------------------------------------------------------------------------------------------------

    def enrol(self, source: bytes) -> Message:
        """Return what asks the helper to enrol its card for the customers of the source whose key has this id.

        Raises
        ------
        ParameterError
            It does not believe this source.
        """
        if source not in self.sources:
            raise ParameterError("a card is enrolled for a source that is believed; this one is not")
        return Message(self.helper, "enrol", Enrol(source, self._box(), self.layout).seal(self._line))

    def _card(self, frame: bytes) -> bytes:
        keys = Keys.read(frame, self.sources)
        if keys.layout != self.layout.fingerprint:
            raise refuse(Kind.KEYS, "they were dealt for another layout")
        seed = keys.open(self._secret(keys.box))
        if self.store.insert_once("enrolled", keys.signer, {"seed": seed}) is not None:
            raise refuse(Kind.KEYS, "the card is enrolled for this source's customers already")
        enrolled = Enrolled.of(self.points.shape, seed)
        return MaskedCard(keys.box, (self.points.weights - enrolled.pads) % T).seal(self._line)

    def _enrolled(self, source: bytes) -> Enrolled:
        if source not in self._cards:
            row = self.store.get("enrolled", source)
            if row is None:
                raise refuse(Kind.APPLICATION, "the card is not enrolled for this source's customers")
            self._cards[source] = Enrolled.of(self.points.shape, blob_of(row, "seed"))
        return self._cards[source]

    # -- applications ---------------------------------------------------------------------------------------------

    def check(self, application: bytes) -> Attested:
        """Return what a believed source vouches for, if this lender may answer it.

        Raises
        ------
        ForgeryError
            Malformed, unsigned, stale, for another lender or layout, or of a source for whose customers no card is
            enrolled.
        """
        salt, attestation = read_application(application, self.points.shape)
        attested = Attested.read(attestation, self.points.shape, self.sources)
        if attested.layout != self.layout.fingerprint:
            raise refuse(Kind.APPLICATION, "it was made for another scorecard layout")
        if attested.pseudonym != pseudonym(self.name, salt):
            raise refuse(Kind.APPLICATION, "it was made for another lender")
        now = day_of(self._clock)
        if not now - MAX_AGE <= attested.day <= now + 1:  # one day of grace for clocks that differ
            raise refuse(Kind.APPLICATION, "its date has passed or is still to come")
        self._enrolled(attested.signer)
        return attested

    def answer(self, application: bytes, sender: str) -> bytes:
        """Return the masked frame for the helper; once an application.

        Raises
        ------
        ForgeryError
            See :meth:`check`; or replayed, beyond the limit, or not sealed to this lender.
        """
        attested, today = self.check(application), day_of(self._clock)
        with self.store.atomic():  # used up together, or not at all
            if self.store.insert_once("answered", attested.nonce, {}, day=max(today, attested.day)) is not None:
                raise refuse(Kind.APPLICATION, "it has been used before")
            if not self.store.count_up_to("asked", attested.pseudonym, self.limit, day=today):
                raise refuse(Kind.APPLICATION, f"this pseudonym has had its {self.limit} answers")
            sealed = attested.sealed
            half = open_box(self._secret(attested.box), attested.box, sealed, b"application" + attested.nonce)
            read = LendersHalf.decode(self.points.shape, half)
            row: Row = {"source": attested.signer, "half": half, "by": attested.pseudonym, "line": sender}
            self.store.put("open", attested.nonce, row, day=today)
        return self._line.seal(Kind.MASKED, Masked(attested.nonce, self._delta(read)).encode())

    def _delta(self, half: LendersHalf) -> Numbers:
        return (self.points.weights - half.grown.pads_of_points) % T

    def _half(self, row: Row) -> LendersHalf:
        return LendersHalf.decode(self.points.shape, blob_of(row, "half"))

    def _prove(self, frame: bytes) -> bytes:
        shape = self.points.shape
        body = self._line.open(Kind.CHALLENGE, frame, body_bytes(shape, Kind.CHALLENGE))
        asked = Challenge.decode(shape, body)
        with self.store.atomic():
            row = self.store.take("open", asked.nonce)
            if row is None:
                raise refuse(Kind.CHALLENGE, "no application waits for it")
            self.store.put("proved", asked.nonce, {**row, "challenge": body}, day=day_of(self._clock))
        half, enrolled = self._half(row), self._enrolled(blob_of(row, "source"))
        return self._line.seal(Kind.PROOF, lenders_proof(half, enrolled, self._delta(half), asked).encode())

    def _decide(self, frame: bytes) -> Message:
        shape = self.points.shape
        last = TokenShare.decode(self._line.open(Kind.TOKEN, frame, body_bytes(shape, Kind.TOKEN)))
        row = self.store.take("proved", last.nonce)
        if row is None:
            raise refuse(Kind.TOKEN, "no application waits for it")
        half = self._half(row)
        asked = Challenge.decode(shape, blob_of(row, "challenge"))
        approved, token = lenders_decision(half, self._delta(half), asked, last)
        decided: Row = {"approved": int(approved), "pseudonym": row["by"]}
        self.store.put("decisions", last.nonce, decided, day=day_of(self._clock))
        return Message(str(row["line"]), "decision", decision_frame(last.nonce, approved, token))
