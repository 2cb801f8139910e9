"""``bureau``: today's credit bureau collects the financial records of all banks and sells score and report.

Who sees what: bureau and lender the financial features and the score, by legal id. Conduct outside finance stays out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.parameters import check_ranges
from blindscore.designs.plain import bank_view, columns_of, everyone, financial, own_records, score_in_clear
from blindscore.parties.view import View
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
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self, approve=(0.01, 0.99))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from financial features; see :class:`blindscore.designs.design.Design`."""
        features = financial(population)
        scored = score_in_clear(population, scorecard, features, self.approve)
        report = own_records(population, features).assign(score=scored.scores)
        columns = columns_of(population, report, score="score")
        bureau = View("scorer", "legal id", report, columns, everyone(population), messages=scored.messages)
        views = {"scorer": bureau, "lender": replace(bureau, role="lender"), "source": bank_view(population)}
        return scored.run(views, {"approve": self.approve, "features": len(features)})
