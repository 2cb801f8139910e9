"""``encrypted``: the lender computes the score blind and reads nothing else of the person.

Who sees what: the source its own ledger (as today); the lender the total points under a pairwise pseudonym, and
ciphertext; the applicant masked numbers. Assumptions: ring-LWE, Ed25519, SHA-256. Not protected: the lender's card is
secret, so it may shift the score of a person whom it dislikes, and nobody can prove it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT, SCORE_ONLY, SOURCE_BLIND, Costs, Rule, Run, View
from blindscore.designs.plain import bank_view, choose_threshold, everyone, financial, fit_card, messages
from blindscore.errors import ParameterError
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard

LENDER = "lender"


@dataclass(frozen=True)
class Encrypted:
    """Blind scoring under BFV: score only for the lender, points secret from everybody else."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "encrypted"
    order = 60
    summary = "The lender computes the score on encrypted figures and learns the score, never the figures."
    enforces = frozenset({SCORE_ONLY, NO_CONDUCT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ParameterError(f"sample must be at least 1 person, got {self.sample}")

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample, and record views; see :class:`blindscore.designs.design.Design`."""
        from blindscore_crypto.encrypted import protocol

        card = fit_card(population, scorecard, financial(population)).card_
        bins = card.bins(population.features)
        totals = card.totals(bins)
        scores = card.clip(totals)
        threshold = choose_threshold(scores[population.history], self.approve, card.scale.low, card.scale.high)
        chosen = rng.choice(len(population), min(self.sample, len(population)), replace=False)
        trial = _execute(card, bins[chosen])
        p = trial.parameters
        up, down = protocol.application_bytes(p) + protocol.opening_bytes(p), protocol.reply_bytes(p)
        lender = View(
            LENDER,
            "pairwise",
            pd.DataFrame({"score": totals}),  # what the lender reads is the total, before it clips
            everyone(population),
            opaque_bytes=protocol.application_bytes(p),
            messages=messages(population, rng, up, down),
            universe=card.max_total - card.min_total + 1,
        )
        return Run(
            decisions=scores >= threshold,
            scores=scores,
            threshold=threshold,
            card=card,
            views={"scorer": lender, "lender": lender, "source": bank_view(population)},
            costs=Costs(MappingProxyType(trial.medians()), up, down, keys_bytes=0),
            parameters=MappingProxyType(
                {
                    "approve": self.approve,
                    "threshold": threshold,
                    "set": p.name,
                    "ring_dimension": p.degree,
                    "log2_q": round(float(np.log2(float(p.q))), 1),
                    "flooding_bits": round(p.flooding_bits(sum(card.n_bins)), 1),
                    "mac_soundness_bits": round(p.soundness_bits(card.max_total - card.min_total + 1), 1),
                }
            ),
            real_runs=len(chosen),
            real_agree=int(np.sum((trial.totals == totals[chosen]) & (trial.scores == scores[chosen]))),
        )


@dataclass
class _Trial:
    """Real executions: what the lender read, and what each role spent."""

    parameters: Any
    totals: NDArray[np.int64]
    scores: NDArray[np.int64]
    microseconds: dict[str, list[float]] = field(default_factory=lambda: {"applicant": [], "source": [], "lender": []})

    def medians(self) -> dict[str, float]:
        """Median process time a person, by role, in microseconds."""
        return {role: round(float(np.median(spent)), 1) for role, spent in self.microseconds.items()}


def _execute(card: Card, bins: NDArray[np.uint8]) -> _Trial:
    """Play the protocol once for each row of bins, with keys, ciphertexts and signatures."""
    from blindscore_crypto.encrypted.protocol import Applicant, Lender, Source

    source = Source()
    lender = Lender(LENDER, card, [source.public])
    read = np.empty((len(bins), 2), np.int64)
    trial = _Trial(lender.parameters, read[:, 0], read[:, 1])

    for i, row in enumerate(bins):
        marks = [time.process_time()]
        applicant = Applicant(LENDER, lender.layout, lender.parameters)
        ask = applicant.ask()
        marks.append(time.process_time())
        attestation = source.attest(ask, f"person {i}", row)
        marks.append(time.process_time())
        application = applicant.apply(attestation)
        marks.append(time.process_time())
        reply = lender.answer(application)
        marks.append(time.process_time())
        opening = applicant.open(reply)
        marks.append(time.process_time())
        outcome = lender.conclude(opening)
        marks.append(time.process_time())
        read[i] = outcome.total, outcome.score
        spent = np.diff(marks) * 1e6
        trial.microseconds["applicant"].append(float(spent[0] + spent[2] + spent[4]))
        trial.microseconds["source"].append(float(spent[1]))
        trial.microseconds["lender"].append(float(spent[3] + spent[5]))
    return trial
