"""``bureau``: today's credit bureau collects the financial records of all banks and sells score and report.

Who sees what: bureau and lender the financial features and the score, by legal id. Conduct outside finance stays out.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from blindscore.designs.design import NO_CONDUCT, Costs, Rule, Run, View
from blindscore.designs.plain import (
    bank_view,
    choose_threshold,
    everyone,
    financial,
    fit_card,
    messages,
    own_records,
    reply_bytes,
    retrain,
)
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard


@dataclass(frozen=True)
class Bureau:
    """Financial features of all banks, pooled by legal id."""

    approve: float = 0.75  # share of past customers whom the threshold approves

    name = "bureau"
    order = 20
    summary = "A credit bureau collects every bank's records of you and sells them, with a score, by name."
    enforces = frozenset({NO_CONDUCT})
    rules: tuple[Rule, ...] = ()

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from financial features; see :class:`blindscore.designs.design.Design`."""
        features = financial(population)
        fitted = fit_card(population, scorecard, features)
        scores = fitted.score_points(population.features[features])
        threshold = choose_threshold(scores[population.history], self.approve)
        report = own_records(population, features).assign(score=scores)
        sizes = reply_bytes(fitted.card_, fitted.card_.bins(population.features), scores >= threshold)
        wire = messages(population, rng, up=40, down=sizes)
        person = everyone(population)
        bureau = View("scorer", "legal id", report, person, messages=wire)
        lender = View("lender", "legal id", report, person, messages=wire)
        return Run(
            decisions=scores >= threshold,
            scores=scores,
            threshold=threshold,
            card=fitted.card_,
            views={"scorer": bureau, "lender": lender, "source": bank_view(population)},
            costs=Costs(),
            train=retrain(population, scorecard, features),
            parameters=MappingProxyType({"approve": self.approve, "threshold": threshold, "features": len(features)}),
        )
