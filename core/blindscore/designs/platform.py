"""``platform``: one operator reads every context of life and computes score and perks.

Who sees what: the operator everything, by legal id; partner merchants the score, by legal id. Nothing is hidden from
the operator, and its card is secret, so nobody can tell a bent score from a straight one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from blindscore.designs.design import Costs, Rule, Run, View
from blindscore.designs.plain import (
    bank_view,
    choose_threshold,
    everyone,
    fit_card,
    messages,
    own_records,
    reply_bytes,
    retrain,
)
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard

RULES = (
    Rule(
        "one operator computes a score from 350 to 950 from five dimensions: credit history, behaviour, capacity "
        "to perform, identity, contacts",
        "reported",
        "press coverage of Sesame Credit, 2015; the weights (35, 25/20, 15, 5) differ between reports",
    ),
    Rule(
        "perks at thresholds: 600 deposit-free bicycles, 700 and 750 faster visas", "documented", "city and visa pages"
    ),
)


@dataclass(frozen=True)
class Platform:
    """One operator reads shopping, browsing, posts, friends and finances."""

    approve: float = 0.75  # share of past customers whom the threshold approves

    name = "platform"
    order = 0
    summary = "One company reads your finances, shopping, browsing, posts and friends, and scores you by name."
    enforces: frozenset[str] = frozenset()
    rules = RULES

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from all features; see :class:`blindscore.designs.design.Design`."""
        features = population.schema.names()
        fitted = fit_card(population, scorecard, features)
        scores = fitted.score_points(population.features[features])
        threshold = choose_threshold(scores[population.history], self.approve)
        records = own_records(population, features)
        sizes = reply_bytes(fitted.card_, fitted.card_.bins(population.features), scores >= threshold)
        wire = messages(population, rng, up=40, down=sizes)
        person = everyone(population)
        operator = View(
            "scorer",
            "legal id",
            records.assign(score=scores),
            person,
            friends=population.friends,
            visits=population.visits,
            messages=wire,
        )
        merchant = View("lender", "legal id", population.register.assign(score=scores), person, messages=wire)
        return Run(
            decisions=scores >= threshold,
            scores=scores,
            threshold=threshold,
            card=fitted.card_,
            views={"scorer": operator, "lender": merchant, "source": bank_view(population)},
            costs=Costs(),
            train=retrain(population, scorecard, features),
            parameters=MappingProxyType({"approve": self.approve, "threshold": threshold, "features": len(features)}),
        )
