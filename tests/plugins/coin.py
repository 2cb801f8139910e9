"""``coin``: approve by the toss of a coin. Who sees what: the lender one bit, which says nothing of the applicant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, Rule, Run
from blindscore.designs.plain import LENDER_SCORES, bank_view, everyone, financial, fit_card, messages, scoring_lender
from blindscore.parties.costs import Costs
from blindscore.parties.view import View, columns
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard


@dataclass(frozen=True)
class Coin:
    """Approve three of four people, whoever they are."""

    approve: float = 0.75  # chance of approval

    name = "coin"
    order = 95
    summary = "A coin decides; nobody reads anything about you."
    enforces = frozenset({NO_CONDUCT, ONE_BIT, CONSTANT_SIZES})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Toss for everybody; see :class:`blindscore.designs.design.Design`."""
        card = fit_card(population, scorecard, financial(population)).card_
        low, high = card.scale.low, card.scale.high
        scores = np.where(rng.random(len(population)) < self.approve, high, low).astype(np.int16)
        clear = pd.DataFrame({"approved": (scores == high).astype(np.int8)})
        wire = messages(population, up=1, down=1)
        told = columns("decision", clear.columns)
        lender = View("lender", "one-time", clear, told, everyone(population), messages=wire, universe=2)
        return Run(
            decisions=scores == high,
            scores=scores,
            threshold=high,
            card=card,
            views={**scoring_lender(lender), "source": bank_view(population)},
            costs=Costs(bytes_up=1, bytes_down=1),
            rescore=lambda people: np.resize(scores, len(people)),  # the toss falls as it falls, whatever one does
            plays=LENDER_SCORES,
        )
