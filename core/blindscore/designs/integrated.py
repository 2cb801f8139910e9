"""``integrated``: the article's feared end state: every register joined by a universal id, and posts move the score.

Who sees what: operator and state everything, by universal id; the lender score and blacklist. Each part can be left
out by its parameter. Each rule below carries
how well it is documented: several are not, and one (posts move the score) is denied by the company and stands here
because the article fears it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Rule, Run
from blindscore.designs.parameters import check_ranges
from blindscore.designs.plain import bank_view, columns_of, everyone, fit_card, own_records, score_in_clear
from blindscore.parties.view import KeyedBy, View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard

RULES = (
    Rule("posts on disliked topics lower the score", "article only", "denied by the company; no evidence found"),
    Rule(
        "a court blacklist lowers the score and blocks purchases",
        "documented",
        "memorandum of the Supreme People's Court with the operator, July 2015; 14.5 M people listed in 2019",
    ),
    Rule(
        "municipal points: 20 lost for each unpaid utility bill",
        "reported",
        "Suqian's points, base 1000; here taken off the one score, which no city is known to do",
    ),
    Rule("one universal identifier joins all registers", "reported", "one state's hub linking 52 departments"),
    Rule("orders: the state reads all that the operator has", "reported", "India, 7,500 to 9,000 a month, 2014"),
    Rule(
        "wiretap: mail, posts, messages and calls over the internet are searched by fixed lists of keywords",
        "reported",
        "NETRA, India: Wikipedia on DRDO NETRA; the420.in, 2025; Gupta and Muttoo, 2016",
    ),
    Rule("wiretap: it keeps what it finds, and who is in touch with whom, by name", "modelled", "this project"),
    Rule("a single nationwide score of each citizen", "article only", "a myth: none was found"),
)
LATE_BILLS = "late_utility_bills"
CAP = 10_000  # points; any penalty beyond the scale is the whole scale


@dataclass(frozen=True)
class Integrated:
    """Everything joined by a universal id; conduct moves the score; the state reads along."""

    points_per_post: int = 10  # points lost for each disliked post a month
    post_penalty_cap: int = 100  # points lost to posts at most
    blacklist_share: float = 0.01  # share of people on the court's list: those of the worst card score
    blacklist_penalty: int = 150  # points
    points_per_late_bill: int = 20  # municipal points lost for each late utility bill
    municipal_penalty_cap: int = 100  # points lost to late bills at most
    universal_id: bool = True  # one number in every register; else the operator's records carry one of its own
    orders: bool = True  # the state reads all that the operator has
    wiretap: bool = True  # the state reads posts, and who is in touch with whom, off the line
    approve: float = 0.75  # share of past customers whom the threshold approves
    disliked: str = "post_opposition"  # posts a month that the operator punishes, where the population has them

    name = "integrated"
    order = 10
    summary = "State and company join every register by one number; what you post costs you points."
    enforces: frozenset[str] = frozenset()
    rules = RULES
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        points = ("points_per_post", "post_penalty_cap", "blacklist_penalty", "points_per_late_bill")
        check_ranges(self, approve=(0.01, 0.99), blacklist_share=(0.0, 0.5), municipal_penalty_cap=(0, CAP))
        check_ranges(self, **dict.fromkeys(points, (0, CAP)))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from all features and conduct; see :class:`blindscore.designs.design.Design`."""
        features = population.schema.names()
        past = population.history
        straight = fit_card(population, scorecard, features).score_points(population.features[features])
        listed_below = float(np.quantile(straight[past], self.blacklist_share))

        def adjust(people: Population, scores: NDArray[np.int16]) -> NDArray[np.int16]:
            points = scores.astype(np.int32) - np.where(scores < listed_below, self.blacklist_penalty, 0)
            points -= _penalty(people, self.disliked, self.points_per_post, self.post_penalty_cap)
            points -= _penalty(people, LATE_BILLS, self.points_per_late_bill, self.municipal_penalty_cap)
            return np.clip(points, scorecard.low, scorecard.high).astype(np.int16)

        scored = score_in_clear(population, scorecard, features, self.approve, adjust)
        card, person, wire = scored.card, everyone(population), scored.messages
        seen = population.register.assign(score=scored.scores, blacklisted=straight < listed_below)
        records = pd.concat([own_records(population, features), seen[["score", "blacklisted"]]], axis=1)
        everything = View(
            "scorer",
            "legal id",
            records,
            columns_of(population, records, score="score", blacklisted="feature"),
            person,
            friends=population.friends,
            visits=population.visits,
            messages=wire,
        )
        told = columns_of(population, seen, score="score", blacklisted="feature")
        lender = View("lender", "legal id", seen, told, person, messages=wire)
        views = {"scorer": everything, "lender": lender, "source": bank_view(population)}
        if not self.universal_id:  # the operator knows its users by a number of its own, and reads no other register
            own, columns = everything.only([*features, "score"])
            views["scorer"] = everything = replace(everything, keyed_by="pairwise", clear=own, columns=columns)
        plays: dict[str, tuple[str, ...]] = {}
        if self.orders:  # state and operator are one: what one has the other has
            views["state"] = replace(everything, role="state")
            plays = {"operator": ("scorer", "state")}
        elif self.wiretap:
            views["state"] = self._on_the_line(population, person)
        return scored.run(
            views,
            {"features": len(features)},
            rescore=lambda people: adjust(people, card.scores(card.bins(people.features))),
            plays=MappingProxyType(plays),
        )

    def _on_the_line(self, population: Population, person: NDArray[np.int64]) -> View:
        """Return what a wiretap yields: what everybody writes, by topic, and who is in touch with whom."""
        heard = own_records(population, population.schema.names(contexts=("posts",)))
        if not self.universal_id:
            heard = heard.drop(columns=list(population.register.columns))
        keyed_by: KeyedBy = "legal id" if self.universal_id else "pairwise"
        return View("state", keyed_by, heard, columns_of(population, heard), person, friends=population.friends)


def _penalty(people: Population, feature: str, points: int, most: int) -> NDArray[np.int32]:
    """Return the points that each person loses to a feature; none where the population has no such feature."""
    if feature not in people.features.columns:
        return np.zeros(len(people), np.int32)
    count = np.nan_to_num(people.features[feature].to_numpy(np.float64))
    capped: NDArray[np.int32] = np.minimum(points * count, most).astype(np.int32)
    return capped
