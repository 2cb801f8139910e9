"""``encrypted-audited``: as ``encrypted``, and a bent score is proved with a stated chance.

Who sees what: as in ``encrypted``; besides, an auditor holds the card, and reads the scores of the transcripts that
chance picks. Assumptions: as ``encrypted``, and an auditor that neither sides with the lender nor tells it what it
will pick. Not protected: an unfair card that treats everybody alike, and scores whose transcripts nobody picks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SOURCE_BLIND, VERIFIED_SCORE, Rule, Run
from blindscore.errors import ParameterError
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import LENDER, Trial, Watch, exchange, run_blind
from blindscore_crypto.designs.sample import check_sample

UNPROVED = -(2**31)  # no total at all: counts as a run that does not agree


@dataclass(frozen=True)
class EncryptedAudited:
    """Blind scoring by a lender that commits to its card and is audited at random."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed
    share: float = 0.1  # part of signed scores that the auditor replays

    name = "encrypted-audited"
    order = 65
    summary = "As encrypted, and an auditor recomputes a random share of signed scores from a committed scorecard."
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SOURCE_BLIND, VERIFIED_SCORE})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_sample(self.sample)
        if not 0 < self.share <= 1:
            raise ParameterError(f"the audited share must lie in (0, 1], got {self.share}")

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the audited protocol on a sample; see :class:`blindscore.designs.design.Design`."""
        return run_blind(population, scorecard, rng, self.approve, self.sample, self._play, audit_share=self.share)

    def _play(self, card: Card, bins: NDArray[np.uint8], threshold: int) -> Trial:
        """Play the audited protocol for each row of bins; every transcript of the sample is replayed."""
        from blindscore_crypto.encrypted import audit, protocol, wire

        source = protocol.Source()
        lender = audit.AuditedLender(LENDER, card, [source.public])
        p = lender.parameters
        auditor = audit.Auditor(lender.open_card(), lender.commitment, lender.public, p, self.share)
        up = wire.application_bytes(p) + wire.opening_bytes(p)
        trial = Trial(p, up, wire.reply_bytes(p) + audit.RESULT_BYTES)

        for i, row in enumerate(bins):
            watch = Watch(trial)
            application, reply, opening = exchange(trial, watch, source, lender, f"person {i}", row)
            frame = lender.sign(application, reply, opening)
            watch.lap("lender")
            transcript = audit.Transcript(application, reply, opening, frame)
            result = audit.read_result(transcript, p, lender.public)
            watch.lap("applicant")
            total = auditor.total(transcript, lender.reveal(application))
            watch.lap("auditor")
            watch.stop()
            trial.read.append((UNPROVED if total is None else total, result.score))
        return trial
