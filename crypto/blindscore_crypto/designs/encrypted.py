"""``encrypted``: the lender computes the score blind and reads nothing else of the person.

Who sees what: the source its own ledger (as today); the lender the total points under a pairwise pseudonym, and
ciphertext; the applicant masked numbers. Assumptions: ring-LWE, Ed25519, SHA-256. Not protected: the lender's card is
secret, so it may shift the score of a person whom it dislikes, and nobody can prove it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SOURCE_BLIND, Costs, Rule, Run
from blindscore.designs.plain import (
    LENDER_SCORES,
    bank_view,
    choose_threshold,
    everyone,
    financial,
    fit_card,
    messages,
    retrain,
    scoring_lender,
)
from blindscore.parties.view import View, columns
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.sample import check_sample

if TYPE_CHECKING:
    from blindscore_crypto.encrypted.protocol import Lender, Source

LENDER = "lender"


@dataclass(frozen=True)
class Encrypted:
    """Blind scoring under BFV: score only for the lender, points secret from everybody else."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "encrypted"
    order = 60
    summary = "The lender computes the score on encrypted figures and learns the score, never the figures."
    enforces = frozenset({CONSTANT_SIZES, SCORE_ONLY, NO_CONDUCT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample, and record views; see :class:`blindscore.designs.design.Design`."""
        return run_blind(population, scorecard, rng, self.approve, self.sample, play)


@dataclass
class Trial:
    """Real executions: what the lender read, and what each role spent."""

    parameters: Any
    bytes_up: int
    bytes_down: int
    read: list[tuple[int, ...]] = field(default_factory=list)  # by person: total and score, or the decision alone
    application: bytes = b""  # the last one that the lender received
    microseconds: dict[str, list[float]] = field(default_factory=lambda: {"applicant": [], "source": [], "lender": []})

    def spend(self, role: str, microseconds: float) -> None:
        """Add what a role spent on one person."""
        self.microseconds.setdefault(role, []).append(microseconds)

    def medians(self) -> dict[str, float]:
        """Median process time a person, by role, in microseconds."""
        return {role: round(float(np.median(spent)), 1) for role, spent in self.microseconds.items()}


def run_blind(
    population: Population,
    scorecard: Scorecard,
    rng: np.random.Generator,
    approve: float,
    sample: int,
    execute: Callable[[Card, NDArray[np.uint8], int], Trial],
    audit_share: float = 0.0,
    one_bit: bool = False,
) -> Run:
    """Fit a card on all financial features, ``execute`` the protocol on ``sample`` people, and record every view.

    ``execute`` gets card, bins and threshold. With ``one_bit`` the lender reads decisions in place of totals.
    """
    card = fit_card(population, scorecard, financial(population)).card_
    bins = card.bins(population.features)
    totals = card.totals(bins)
    scores = card.clip(totals)
    threshold = choose_threshold(scores[population.history], approve, card.scale.low, card.scale.high)
    chosen = rng.choice(len(population), min(sample, len(population)), replace=False)
    trial = execute(card, bins[chosen], threshold)
    decisions = scores >= threshold
    p, span = trial.parameters, card.max_total - card.min_total + 1
    # What the lender reads is the total, before it clips, or one bit.
    truth = decisions[chosen, None] if one_bit else np.stack([totals[chosen], scores[chosen]], axis=1)
    agree = np.array(trial.read) == truth
    clear = pd.DataFrame({"approved": decisions.astype(np.int8)} if one_bit else {"score": totals})
    lender = View(
        "lender",
        "pairwise",
        clear,
        columns("decision" if one_bit else "total", clear.columns),
        everyone(population),
        opaque_bytes=trial.bytes_up,
        received=trial.application,
        messages=messages(population, trial.bytes_up, trial.bytes_down),
        universe=2 if one_bit else span,
    )
    parameters: dict[str, object] = {
        "approve": approve,
        "threshold": threshold,
        "set": p.name,
        "ring_dimension": p.degree,
        "log2_q": round(math.log2(p.q), 1),
        "flooding_bits": round(p.flooding_bits(sum(card.n_bins)), 1),
        "mac_soundness_bits": round(p.soundness_bits(span), 1),
    }
    if not one_bit:
        parameters["totals_at_most"] = p.t  # of any card: it is secret, and nobody checks how far its points reach
    return Run(
        decisions=decisions,
        scores=scores,
        totals=totals,
        threshold=threshold,
        card=card,
        views={**scoring_lender(lender), "source": bank_view(population)},
        costs=Costs(MappingProxyType(trial.medians()), trial.bytes_up, trial.bytes_down, keys_bytes=0),
        parameters=MappingProxyType(parameters),
        real_runs=len(chosen),
        real_agree=int(agree.all(axis=1).sum()),
        audit_share=audit_share,
        train=retrain(population, scorecard, financial(population)),
        plays=LENDER_SCORES,
    )


def play(card: Card, bins: NDArray[np.uint8], threshold: int) -> Trial:
    """Play the protocol once for each row of bins, with keys, ciphertexts and signatures."""
    from blindscore_crypto.encrypted import protocol, wire

    source = protocol.Source()
    lender = protocol.Lender(LENDER, card, [source.public])
    p = lender.parameters
    up = wire.application_bytes(p) + wire.opening_bytes(p)
    trial = Trial(p, up, wire.reply_bytes(p))

    for i, row in enumerate(bins):
        watch = Watch(trial)
        _, _, opening = exchange(trial, watch, source, lender, f"person {i}", row)
        outcome = lender.conclude(opening)
        watch.lap("lender")
        watch.stop()
        trial.read.append((outcome.total, outcome.score))
    return trial


def exchange(
    trial: Trial, watch: Watch, source: Source, lender: Lender, legal_id: str, row: NDArray[np.uint8]
) -> tuple[bytes, bytes, bytes]:
    """Play the protocol for one person up to the opening; return application, reply and opening as sent."""
    from blindscore_crypto.encrypted.protocol import Applicant

    applicant = Applicant(LENDER, lender.layout, lender.parameters)
    ask = applicant.ask()
    watch.lap("applicant")
    attestation = source.attest(ask, legal_id, row)
    watch.lap("source")
    application = applicant.apply(attestation)
    watch.lap("applicant")
    trial.application = application
    reply = lender.answer(application)
    watch.lap("lender")
    opening = applicant.open(reply)
    watch.lap("applicant")
    return application, reply, opening


class Watch:
    """Sums up process time by role over one person, in microseconds."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._spent: dict[str, float] = {}
        self._since = time.process_time()

    def lap(self, role: str) -> None:
        """Book the time since the last lap on ``role``."""
        now = time.process_time()
        self._spent[role] = self._spent.get(role, 0.0) + 1e6 * (now - self._since)
        self._since = time.process_time()

    def stop(self) -> None:
        """Write the person's sums into the trial."""
        for role, spent in self._spent.items():
            self._trial.spend(role, spent)
