"""``platform``: one operator reads every context of life and computes score and perks.

Who sees what: the operator everything, by legal id; partner merchants the score, by legal id. Nothing is hidden from
the operator, and its card is secret, so nobody can tell a bent score from a straight one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blindscore.designs.design import Rule, Run
from blindscore.designs.parameters import check_ranges
from blindscore.designs.plain import bank_view, columns_of, everyone, own_records, score_in_clear
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard

RULES = (
    Rule(
        "one operator computes a score from 350 to 950 from five dimensions: credit history, behaviour, capacity "
        "to perform, identity, contacts",
        "reported",
        "press coverage of Sesame Credit: fintechnews.sg, 2015",
    ),
    Rule(
        "the dimensions weigh 35 (credit history), 25 (capacity to perform), 20 (behaviour), 15 (identity) and 5 per "
        "cent (contacts); here the card is fitted, and these weights are not used",
        "reported",
        "guides for customers (wodefinance.com, undated; one of 2025 swaps capacity and behaviour); the operator "
        "published dimensions, no weights",
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
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self, approve=(0.01, 0.99))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from all features; see :class:`blindscore.designs.design.Design`."""
        features = population.schema.names()
        scored = score_in_clear(population, scorecard, features, self.approve)
        person, wire = everyone(population), scored.messages
        records = own_records(population, features).assign(score=scored.scores)
        operator = View(
            "scorer",
            "legal id",
            records,
            columns_of(population, records, score="score"),
            person,
            friends=population.friends,
            visits=population.visits,
            messages=wire,
        )
        seen = population.register.assign(score=scored.scores)
        merchant = View("lender", "legal id", seen, columns_of(population, seen, score="score"), person, messages=wire)
        views = {"scorer": operator, "lender": merchant, "source": bank_view(population)}
        return scored.run(views, {"approve": self.approve, "features": len(features)})
