"""``encrypted-decision``: as ``encrypted``, and the lender learns the decision alone, with a second server's help.

Who sees what: the lender one bit an application under a pairwise pseudonym, and uniform values; the helper uniform
values; source and applicant as in ``encrypted``. Assumptions: as ``encrypted``, AES, and a helper that does not pool
what it sees with the lender's: together they have the score. Not protected: as in ``encrypted``, a secret card and
threshold may be bent for one person, and nobody can prove it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND, Rule, Run
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import LENDER, Trial, Watch, exchange, run_blind
from blindscore_crypto.designs.sample import check_sample


@dataclass(frozen=True)
class EncryptedDecision:
    """Blind scoring of which the lender reads one bit."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "encrypted-decision"
    order = 70
    summary = (
        "As encrypted, but the lender learns only the decision: a second server helps to compare, and sees nothing."
    )
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample; see :class:`blindscore.designs.design.Design`."""
        return run_blind(population, scorecard, rng, self.approve, self.sample, play, one_bit=True)


def play(card: Card, bins: NDArray[np.uint8], threshold: int) -> Trial:
    """Play the protocol once for each row of bins, between source, applicant, lender and helper."""
    from blindscore_crypto.channel.frames import HEADER_BYTES
    from blindscore_crypto.encrypted import decision, wire
    from blindscore_crypto.encrypted.parameters import fitting
    from blindscore_crypto.encrypted.points import Points
    from blindscore_crypto.layout import Layout

    source = decision.DealingSource()
    helper = decision.Helper(fitting(Layout.of(card).size, Points.of(card).span), [source.public])
    lender = decision.DecidingLender(LENDER, card, [source.public], threshold, helper.public)
    p = lender.parameters
    up = wire.application_bytes(p) + wire.opening_bytes(p) + 2 * decision.KEYS_FRAME_BYTES
    trial = Trial(p, up, wire.reply_bytes(p))

    for i, row in enumerate(bins):
        watch = Watch(trial)
        application, _, opening = exchange(trial, watch, source, lender, f"person {i}", row)
        nonce = opening[HEADER_BYTES : HEADER_BYTES + wire.NONCE_BYTES]
        to_lender, to_helper = source.deal(nonce, p)
        watch.lap("source")
        check = lender.consult(nonce, to_lender)
        watch.lap("lender")
        share = helper.compare(check, lender.public, to_helper, opening)
        watch.lap("helper")
        approved = lender.decide(share)
        watch.lap("lender")
        watch.stop()
        trial.application = application + to_lender
        trial.read.append((int(approved),))
    return trial
