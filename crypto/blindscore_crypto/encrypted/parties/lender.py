"""Lender: one blind scorer, and one of three ways to conclude: :class:`ReadScore`, ``SignScore``, ``ReadDecision``.

Who sees what: see the way. What outlives a message stands in the store: a lender that restarts on the same store
refuses what it has answered, and concludes what waits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from blindscore.errors import BlindscoreError, DataError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import day_of
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parties.scorer import Answered, BlindScorer
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.encrypted.wire import Attested, Opening, application_bytes, decision_frame, refusal_frame

OPEN = TableSpec(
    "open",
    Field("nonce", "own"),
    (
        Field("mask", "own"),
        Field("reply", "own"),  # SHA-256 of the reply that was sent
        Field("by", "handle"),  # pseudonym
        Field("line", "own"),  # where the applicant's answer goes
        Field("kept", "own"),  # what the way needs besides
    ),
    keep_days=1,
)


class Way(Protocol):
    """How a lender concludes what it has answered."""

    def join(self, lender: Lender) -> None:
        """Declare tables, and check that lender and way go together."""
        ...

    def prepare(self, lender: Lender, attested: Attested, extra: bytes) -> bytes:
        """Check what came beside the application, and return what to keep of it, before anything is answered."""
        ...

    def draw(self, application: bytes) -> Draw:
        """Return where this application's mask and noise come from."""
        ...

    def answered(
        self, lender: Lender, sender: str, application: bytes, answered: Answered, kept: bytes
    ) -> list[Message]:
        """Say what follows an answer; the session stands in the store already."""
        ...

    def handle(self, lender: Lender, message: Message) -> list[Message]:
        """Take any message but an application."""
        ...


class Lender:
    """A lender at its address.

    Parameters
    ----------
    scorer
        Card, store, clock and limits.
    way
        How it concludes.
    """

    role = "lender"

    def __init__(self, scorer: BlindScorer, way: Way) -> None:
        self.scorer, self.way = scorer, way
        self.store.declare(OPEN)
        way.join(self)

    @property
    def name(self) -> str:
        """Its address, and the name that pseudonyms hide."""
        return self.scorer.name

    @property
    def store(self) -> Store:
        """All that outlives a message."""
        return self.scorer.store

    def handle(self, message: Message) -> list[Message]:
        """Serve: whatever is wrong, the refusal of an application is one and the same, as long as a reply."""
        if message.kind == "refusal":
            return []
        try:
            if message.kind == "application":
                return self.answer(message.body, message.sender)
            return self.way.handle(self, message)
        except DataError:  # its own disk, and nobody's fault: nothing was kept, so it may be said again
            raise
        except BlindscoreError:
            return [Message(message.sender, "refusal", refusal_frame(self.scorer.parameters))]

    def answer(self, body: bytes, sender: str) -> list[Message]:
        """Answer an application and what came beside it.

        Raises
        ------
        ForgeryError
            See :meth:`~blindscore_crypto.encrypted.parties.scorer.BlindScorer.check` and ``answer``, and the way.
        """
        length = application_bytes(self.scorer.parameters)
        application, extra = body[:length], body[length:]
        attested = self.scorer.check(application)
        kept = self.way.prepare(self, attested, extra)
        answered = self.scorer.answer(attested, self.way.draw(application))
        row: Row = {
            "mask": answered.mask.encode(),
            "reply": hashlib.sha256(answered.reply).digest(),
            "by": answered.pseudonym,
            "line": sender,
            "kept": kept,
        }
        self.store.put("open", answered.nonce, row, day=day_of(self.scorer.clock))
        return self.way.answered(self, sender, application, answered, kept)

    def session(self, nonce: bytes, kind: Kind) -> Session:
        """Take the session that waits for a message: of many who ask at once, one gets it.

        Raises
        ------
        ForgeryError
            None waits.
        """
        row = self.store.take("open", nonce)
        if row is None:
            raise refuse(kind, "no answered application waits for it")
        return Session.of(self.scorer.parameters.t, self.scorer.parameters.outputs, row)

    def settle(self, opening: Opening) -> tuple[int, Session]:
        """Return the total points that an opening stands for; one attempt an application.

        Raises
        ------
        ForgeryError
            No answered application waits for it, it opens another reply, or it is not what the reply contained.
        """
        session = self.session(opening.nonce, Kind.OPENING)
        points = self.scorer.points
        settled = session.mask.settle(opening.values, points.low, points.high)
        if settled is None or session.reply != opening.reply:
            raise refuse(Kind.OPENING, "it is not what the reply contained")
        return points.offset + settled, session


@dataclass(frozen=True)
class Session:
    """An answered application that waits to be concluded."""

    mask: Mask
    reply: bytes
    by: bytes
    line: str
    kept: bytes

    @classmethod
    def of(cls, t: int, outputs: int, row: Row) -> Session:
        """Return a session as it stands in the store."""
        mask, reply, by, kept = (blob_of(row, name) for name in ("mask", "reply", "by", "kept"))
        return cls(Mask.decode(t, outputs, mask), reply, by, str(row["line"]), kept)


def check_threshold(card: Card, threshold: int) -> int:
    """Return a threshold on the card's scale, above its lowest score; else raise :class:`ParameterError`."""
    if not card.scale.low < threshold <= card.scale.high:
        raise ParameterError(f"threshold {threshold}: must lie above {card.scale.low}, up to {card.scale.high}")
    return threshold


def tell(lender: Lender, line: str, nonce: bytes, approved: bool) -> Message:
    """Return the message that tells an applicant the decision."""
    return Message(line, "decision", decision_frame(lender.scorer.parameters, nonce, approved))
