"""``integrated``: the article's feared end state: every register joined by a universal id, and posts move the score.

Who sees what: operator and state everything, by universal id; the lender score and blacklist. Each rule below carries
how well it is documented: several are not, and one (posts move the score) is denied by the company and stands here
because the article fears it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Rule, Run, View
from blindscore.designs.plain import bank_view, everyone, fit_card, own_records, score_in_clear
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard

RULES = (
    Rule("posts on disliked topics lower the score", "article only", "denied by the company; no evidence found"),
    Rule(
        "a court blacklist lowers the score and blocks purchases",
        "documented",
        "memorandum of the Supreme People's Court with the operator, July 2015; 14.5 M people listed in 2019",
    ),
    Rule("one universal identifier joins all registers", "reported", "one state's hub linking 52 departments"),
    Rule("central orders to intercept, 7,500 to 9,000 a month", "reported", "India, 2014"),
    Rule("keyword search over mail, posts and calls", "reported", "NETRA, India"),
)


@dataclass(frozen=True)
class Integrated:
    """Everything joined by a universal id; conduct moves the score; the state reads along."""

    points_per_post: int = 10  # points lost for each disliked post a month
    post_penalty_cap: int = 100  # points lost to posts at most
    blacklist_share: float = 0.01  # share of people on the court's list: those of the worst card score
    blacklist_penalty: int = 150  # points
    approve: float = 0.75  # share of past customers whom the threshold approves
    disliked: str = "post_opposition"  # posts a month that the operator punishes, where the population has them

    name = "integrated"
    order = 10
    summary = "State and company join every register by one number; what you post costs you points."
    enforces: frozenset[str] = frozenset()
    rules = RULES

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from all features and conduct; see :class:`blindscore.designs.design.Design`."""
        features = population.schema.names()
        past = population.history
        straight = fit_card(population, scorecard, features).score_points(population.features[features])
        listed_below = float(np.quantile(straight[past], self.blacklist_share))

        def adjust(people: Population, scores: NDArray[np.int16]) -> NDArray[np.int16]:
            points = scores.astype(np.int32) - np.where(scores < listed_below, self.blacklist_penalty, 0)
            points -= np.minimum(self.points_per_post * self._posts(people), self.post_penalty_cap).astype(np.int32)
            return np.clip(points, scorecard.low, scorecard.high).astype(np.int16)

        scored = score_in_clear(population, scorecard, features, self.approve, adjust)
        card, person, wire = scored.card, everyone(population), scored.messages
        seen = population.register.assign(score=scored.scores, blacklisted=straight < listed_below)
        everything = View(
            "scorer",
            "legal id",
            pd.concat([own_records(population, features), seen[["score", "blacklisted"]]], axis=1),
            person,
            friends=population.friends,
            visits=population.visits,
            messages=wire,
        )
        lender = View("lender", "legal id", seen, person, messages=wire)
        return scored.run(
            {"scorer": everything, "state": everything, "lender": lender, "source": bank_view(population)},
            {
                "approve": self.approve,
                "points_per_post": self.points_per_post,
                "post_penalty_cap_points": self.post_penalty_cap,
                "blacklist_share": self.blacklist_share,
                "blacklist_penalty_points": self.blacklist_penalty,
            },
            rescore=lambda people: adjust(people, card.scores(card.bins(people.features))),
        )

    def _posts(self, people: Population) -> NDArray[np.float64]:
        """Disliked posts of each person; zeros where the population records none."""
        if self.disliked not in people.features.columns:
            return np.zeros(len(people))
        return np.nan_to_num(people.features[self.disliked].to_numpy(np.float64))
