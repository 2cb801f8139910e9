"""``private-model``: the lender reads what ``minimal`` reads, but the scorecard was trained with differential privacy.

Who sees what: the lender every financial figure of the applicant and the score, under a pairwise pseudonym. Assumption:
as in :mod:`blindscore_crypto.private_model.accounting`. Not protected: the applicant. Noise protects the past customers
on whom the card was trained; an applicant's figures lie before the lender in clear, exactly as without it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.plain import (
    LENDER_SCORES,
    bank_view,
    choose_threshold,
    columns_of,
    everyone,
    financial,
    messages,
    reply_bytes,
    scoring_lender,
    timed,
)
from blindscore.errors import DataError
from blindscore.parties.costs import Costs
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.binning import categories, kind_of
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.private_model.accounting import distance_within
from blindscore_crypto.private_model.audit import audit_gradient
from blindscore_crypto.private_model.domains import Category, Domain, Domains, Number
from blindscore_crypto.private_model.estimator import PrivateScorecard
from blindscore_crypto.private_model.noise import RandomBytes

AUDIT_RUNS = 300  # about a second; what more runs show stands in docs/private-model.md


@dataclass(frozen=True)
class PrivateModel:
    """All financial features in clear, under a pairwise pseudonym, with a card trained within (epsilon, delta).

    No feature is chosen by looking at the past customers, since that would spend budget. Where ``domains`` is not
    given, the edges of numbers are estimated from noisy counts within the same budget, and the list of a feature's
    categories is taken from the applicants, none of whom is in the training data. So is the threshold.

    Noise comes from the operating system. Only where the people are the synthetic society, so that there is nobody to
    protect, does it follow from the run's seed, and the run can be had again.

    There are no real runs to hold against the clear score: nothing here is computed on hidden values.
    """

    epsilon: float = 1.0
    delta: float = 1e-5
    domains: Domains | None = None
    approve: float = 0.75  # share of applicants whom the threshold approves

    name = "private-model"
    order = 50
    summary = (
        "The scorecard gives away next to nothing about the past customers it was trained on; "
        "the applicant's own figures are as open to the lender as before."
    )
    enforces = frozenset({NO_CONDUCT})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Train on past customers with noise, then score everybody; see :class:`blindscore.designs.design.Design`.

        Of ``scorecard`` only the scale, ``max_bins`` and ``monotone`` are used; its training reads data without noise.
        """
        features = financial(population)
        past = population.history
        if not features or past.all():
            raise DataError(f"{population.name}: this design needs financial features, and people outside history")
        domains = self.domains or public_domains(population.features.loc[~past, features])
        people = domains.restrict(population.features[features])
        model = PrivateScorecard(
            self.epsilon,
            self.delta,
            domains=domains,
            max_bins=scorecard.max_bins,
            monotone=scorecard.monotone,
            base_score=scorecard.base_score,
            base_odds=scorecard.base_odds,
            pdo=scorecard.pdo,
            low=scorecard.low,
            high=scorecard.high,
        )

        seed = rng.bytes(32) if population.synthetic else None

        def fit(members: NDArray[np.bool_], purpose: bytes) -> PrivateScorecard:
            source = None if seed is None else _simulated_bytes(seed, purpose, members)
            fresh = clone(model).set_params(insecure_simulation_bytes=source)
            fitted: PrivateScorecard = fresh.fit(people.loc[members], population.default[members])
            return fitted

        def train(members: NDArray[np.bool_]) -> Card:
            """Train with other people: what a membership attacker rehearses, on people of its own."""
            return fit(members, b"rehearsal").card_

        fitted = fit(past, b"release")
        bins, totals, us_per_person = timed(fitted.card_, people)
        scores = fitted.card_.clip(totals)
        threshold = choose_threshold(scores[~past], self.approve, scorecard.low, scorecard.high)
        sizes = reply_bytes(fitted.card_, bins, scores >= threshold)
        read = population.features[features].assign(score=scores)
        lender = View(
            "lender",
            "pairwise",
            read,
            columns_of(population, read, score="score"),
            everyone(population),
            messages=messages(population, up=8 * len(features), down=sizes),
        )
        return Run(
            decisions=scores >= threshold,
            scores=scores,
            totals=totals,
            threshold=threshold,
            card=fitted.card_,
            views={**scoring_lender(lender), "source": bank_view(population)},
            plays=LENDER_SCORES,
            costs=Costs(
                MappingProxyType({"scorer": round(us_per_person, 3)}), 8 * len(features), int(np.median(sizes))
            ),
            parameters=MappingProxyType(
                {
                    "epsilon": self.epsilon,
                    "delta": self.delta,
                    "epsilon_spent": round(fitted.epsilon_spent_, 4),
                    "approve": self.approve,
                    "threshold": threshold,
                    "edges": "declared" if self.domains else "estimated within the budget",
                }
            ),
            epsilon=self.epsilon,
            delta=self.delta,
            distance=distance_within(self.epsilon, self.delta),
            audit=audited(self.epsilon, self.delta),
            train=train,
        )


@lru_cache(maxsize=16)
def audited(epsilon: float, delta: float) -> str:
    """Return in words what a planted person's audit finds at this budget; the same every time.

    The auditor's people are made up, so that their noise may repeat. The attacker here sees every noisy sum and knows
    everybody else: far more than the holder of a card does.
    """
    found = audit_gradient(epsilon, delta, AUDIT_RUNS, people=20, features=2, seed=AUDIT_RUNS)
    hits, errors = found.true_alarms, found.false_alarms
    error = 1.96 * math.sqrt((hits * (1 - hits) + errors * (1 - errors)) / AUDIT_RUNS)
    return (
        f"a planted person, with every noisy sum in view, is told apart with advantage {found.advantage:.2f} "
        f"± {error:.2f} ({AUDIT_RUNS} trainings with and {AUDIT_RUNS} without)"
    )


def _simulated_bytes(seed: bytes, purpose: bytes, members: NDArray[np.bool_]) -> RandomBytes:
    """Return a seeded source of noise for one training run: other members or another purpose, other noise.

    An attacker who rehearses with the very people of the release must not meet the release's own noise.
    """
    digest = hashlib.sha256(b"blindscore simulated noise" + seed + purpose + np.packbits(members).tobytes()).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32)).bytes


def public_domains(applicants: pd.DataFrame) -> Domains:
    """Return domains for people whose code book nobody handed over.

    Numbers declare nothing, so that their edges spend budget. Categories are those that the applicants give: these
    people are not in the training data, and this design does not protect them.
    """
    declared: dict[str, Domain] = {}
    for name in applicants.columns:
        column = applicants[name]
        if kind_of(column) == "number":
            declared[str(name)] = Number()
        else:
            codes, names = categories(column)
            given = sorted(names[code] for code in np.unique(codes[codes >= 0]))
            declared[str(name)] = Category.of(given) if given else Number()
    return Domains.declared(declared)
