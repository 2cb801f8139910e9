"""``banded``: the bank sends bands, not figures. Who sees what: the lender a small number a figure, and the score.

Both stand under a pseudonym made for that lender alone. The bank publishes cut points, quantiles of its past customers,
and tells of each figure only between which two it lies. The scorecard is fitted on the numbers of the bands; categories
stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.plain import (
    LENDER_SCORES,
    bank_view,
    columns_of,
    everyone,
    financial,
    score_in_clear,
    scoring_lender,
)
from blindscore.errors import ParameterError
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard


@dataclass(frozen=True)
class Banded:
    """Score on the band that each figure lies in, under a pairwise pseudonym."""

    bands: int = 4  # of each figure, about equally many past customers in each
    approve: float = 0.75  # share of past customers whom the threshold approves

    name = "banded"
    order = 42
    summary = "Your bank tells the lender between which marks each figure lies, never the figure."
    enforces = frozenset({NO_CONDUCT})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = (("lender", "source"),)

    def __post_init__(self) -> None:
        """Refuse fewer than two bands, which would tell nothing."""
        if not 2 <= self.bands <= 100:
            raise ParameterError(f"bands must be 2 to 100, got {self.bands}")

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Band every figure, then score everybody; see :class:`blindscore.designs.design.Design`."""
        names = financial(population)
        marks = marks_of(population.features.loc[population.history, names], self.bands)

        def coarse(people: Population) -> Population:
            return replace(people, features=people.features.assign(**banded(people.features, marks)))

        told = coarse(population)
        scored = score_in_clear(told, scorecard, names, self.approve)
        clear = told.features[names].assign(score=scored.scores)
        columns = columns_of(told, clear, score="score")
        lender = View("lender", "pairwise", clear, columns, everyone(told), messages=scored.messages)

        def rescore(people: Population) -> NDArray[np.int16]:
            card = scored.card
            return card.scores(card.bins(coarse(people).features))

        views = {**scoring_lender(lender), "source": bank_view(population)}
        return scored.run(views, {"bands": self.bands}, rescore=rescore, plays=LENDER_SCORES)


def marks_of(figures: pd.DataFrame, bands: int) -> dict[str, NDArray[np.float64]]:
    """Return the cut points of each figure: quantiles, each once; a category has none and is left out."""
    steps = np.arange(1, bands) / bands
    numbers = [name for name in figures.columns if pd.api.types.is_numeric_dtype(figures[name])]
    return {name: np.unique(figures[name].quantile(steps).dropna().to_numpy(np.float64)) for name in numbers}


def banded(figures: pd.DataFrame, marks: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return the number of the band that each figure lies in, (n,) a column; NaN where there is no figure."""
    found = {}
    for name, cuts in marks.items():
        values = figures[name].to_numpy(np.float64, na_value=np.nan)
        found[name] = np.where(np.isnan(values), np.nan, np.searchsorted(cuts, values, side="right"))
    return found
