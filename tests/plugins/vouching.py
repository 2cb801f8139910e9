"""``vouching``: a scorecard on money decides, and friends of a refused person who are customers vouch for it.

Who sees what: the network operator who is friends with whom, and every decision, by legal id; the lender score and
decision, by legal id. Lender and operator are two parties with records of their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.plain import (
    bank_view,
    choose_threshold,
    columns_of,
    everyone,
    financial,
    fit_card,
    messages,
)
from blindscore.parties.costs import Costs
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard


@dataclass(frozen=True)
class Vouching:
    """Approve by card, or by so many friends who are approved."""

    voices: int = 6  # approved friends that stand in for a score
    approve: float = 0.7  # share of past customers whom the card approves

    name = "vouching"
    order = 35
    summary = "Your friends can vouch for you; a company learns who they are."
    enforces = frozenset({NO_CONDUCT})
    rules = (Rule("approved friends stand in for a score", "modelled", "group lending, where members vouch"),)
    feared: tuple[tuple[str, ...], ...] = (("lender", "operator", "source"),)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody, then let friends vouch; see :class:`blindscore.designs.design.Design`."""
        card = fit_card(population, scorecard, financial(population)).card_
        plain = card.scores(card.bins(population.features))
        threshold = choose_threshold(plain[population.history], self.approve, card.scale.low, card.scale.high)

        def vouched(people: Population) -> NDArray[np.int16]:
            scores = card.scores(card.bins(people.features))
            if people.friends is None or len(people) != len(population):
                return scores  # strangers to the network
            voices = np.zeros(len(people), np.int64)
            for one, other in (people.friends.T, people.friends.T[::-1]):
                np.add.at(voices, one, scores[other] >= threshold)
            return np.where(voices >= self.voices, np.maximum(scores, threshold), scores).astype(np.int16)

        scores = vouched(population)
        seen = population.register.assign(score=scores)
        known = population.register.assign(approved=(scores >= threshold).astype(np.int8))
        who = everyone(population)
        wire = messages(population, up=40, down=np.where(scores >= threshold, 20, 60))
        told = columns_of(population, seen, score="score")
        lender = View("lender", "legal id", seen, told, who, messages=wire)
        scorer = View("scorer", "legal id", seen, told, who, messages=wire)
        decided = columns_of(population, known, approved="decision")
        operator = View("operator", "legal id", known, decided, who, friends=population.friends)
        views = {"scorer": scorer, "lender": lender, "source": bank_view(population), "operator": operator}
        costs = Costs(bytes_up=40, bytes_down=20)
        return Run(scores >= threshold, scores, threshold, card, views, costs, rescore=vouched)
