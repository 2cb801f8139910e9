"""``aggregator``: consent-based sharing, as India's Account Aggregators do it: the pipe is blind, the lender is not.

Who sees what: the lender the financial features in clear, by legal id, for as long as the consent lasts; afterwards
the score is all that it keeps. The aggregator in the middle carries ciphertext. Nothing hides the figures from the
lender while it decides, and nobody can check its score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.parameters import check_ranges
from blindscore.designs.plain import (
    LENDER_SCORES,
    bank_view,
    columns_of,
    everyone,
    financial,
    own_records,
    score_in_clear,
    scoring_lender,
)
from blindscore.parties.view import View, kept_for
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard

RULES = (
    Rule(
        "the aggregator cannot read what it carries; data flow under a consent that names purpose and data life",
        "documented",
        "Reserve Bank of India, Master Direction on Non-Banking Financial Company - Account Aggregator, 2016",
    ),
    Rule("the lender deletes the features when the data life ends", "modelled", "taken from the consent's terms"),
)


@dataclass(frozen=True)
class Aggregator:
    """Financial features by consent, in clear at the lender, deleted after the decision."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    keeps_features: bool = False  # the lender ignores the data life of the consent

    name = "aggregator"
    order = 30
    summary = "With your consent the lender reads your financial figures by name; the pipe between cannot."
    enforces = frozenset({NO_CONDUCT})
    rules = RULES
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self, approve=(0.01, 0.99))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from financial features; see :class:`blindscore.designs.design.Design`."""
        features = financial(population)
        scored = score_in_clear(population, scorecard, features, self.approve)
        records = own_records(population, features).assign(score=scored.scores)
        columns = columns_of(population, records, score="score")
        if not self.keeps_features:  # what the register says too stays
            columns = kept_for(columns, 0, set(features) - set(population.register.columns))
        lender = View("lender", "legal id", records, columns, everyone(population), messages=scored.messages)
        views = {**scoring_lender(lender), "source": bank_view(population)}
        parameters = {"approve": self.approve, "features": len(features), "keeps_features": self.keeps_features}
        return scored.run(views, parameters, plays=LENDER_SCORES)
