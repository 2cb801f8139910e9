"""ReadScore: the lender reads the total points, and nothing else of the person.

Who sees what: the lender the total under a pseudonym, and when. Assumption: none for the MAC. Does not protect: against
a lender that shifts the score it has read, or that uses other points for one person.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from blindscore.parties.message import Message
from blindscore.parties.party import day_of
from blindscore.parties.store import Field, Row, TableSpec
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.encrypted.parties.lender import Lender, check_threshold, tell
from blindscore_crypto.encrypted.parties.scorer import Answered
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.encrypted.wire import Attested, Opening

SCORES = TableSpec("scores", Field("nonce", "own"), (Field("total", "total"), Field("pseudonym", "handle")))


@dataclass(frozen=True)
class Outcome:
    """What the lender has learnt in the end."""

    total: int  # points before clipping
    score: int  # clipped to the card's scale
    pseudonym: bytes


@dataclass(frozen=True)
class ReadScore:
    """Read totals; approve from ``threshold`` on."""

    threshold: int

    def join(self, lender: Lender) -> None:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`."""
        check_threshold(lender.scorer.card, self.threshold)
        lender.store.declare(SCORES)

    def prepare(self, lender: Lender, attested: Attested, extra: bytes) -> bytes:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`; nothing comes beside the application."""
        if extra:
            raise refuse(Kind.APPLICATION, f"{len(extra)} bytes too many")
        return b""

    def draw(self, application: bytes) -> Draw:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: the operating system."""
        return os.urandom

    def answered(
        self, lender: Lender, sender: str, application: bytes, answered: Answered, kept: bytes
    ) -> list[Message]:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: the reply."""
        return [Message(sender, "reply", answered.reply)]

    def handle(self, lender: Lender, message: Message) -> list[Message]:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: an opening brings the total."""
        if message.kind != "opening":
            return []
        opening = Opening.read(message.body, lender.scorer.parameters)
        outcome, line = conclude(lender, opening)
        return [tell(lender, line, opening.nonce, outcome.score >= self.threshold)]


def conclude(lender: Lender, opening: Opening) -> tuple[Outcome, str]:
    """Settle an opening and write the total down; return it, and where the applicant's answer goes.

    Raises
    ------
    ForgeryError
        See :meth:`~blindscore_crypto.encrypted.parties.lender.Lender.settle`.
    """
    total, session = lender.settle(opening)
    row: Row = {"total": total, "pseudonym": session.by}
    lender.store.put("scores", opening.nonce, row, day=day_of(lender.scorer.clock))
    return Outcome(total, int(lender.scorer.card.clip(np.array([total]))[0]), session.by), session.line
