"""``minimal``: the lender reads the fewest financial features that keep the score within a point of AUC.

Who sees what: the lender those features and the score, under a pairwise pseudonym. The pseudonym hides the name only
from a lender that cannot recognise the person by the values themselves; no cryptography stands behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.parameters import check_ranges
from blindscore.designs.plain import (
    LENDER_SCORES,
    bank_view,
    columns_of,
    everyone,
    financial,
    fit_card,
    score_in_clear,
    scoring_lender,
)
from blindscore.parties.view import View, kept_for
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.quality import auc
from blindscore.scorecard.scorecard import Scorecard


@dataclass(frozen=True)
class Minimal:
    """Fewest financial features within ``tolerance`` of the full set's AUC, under a pairwise pseudonym."""

    tolerance: float = 0.01  # AUC given up at most, on past customers
    approve: float = 0.75  # share of past customers whom the threshold approves
    keeps_features: bool = True  # the lender keeps the features after the decision, not the score alone

    name = "minimal"
    order = 40
    summary = "The lender reads only the few figures that the score needs, under a pseudonym made for it alone."
    enforces = frozenset({NO_CONDUCT})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self, approve=(0.01, 0.99), tolerance=(0.0, 0.5))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Choose features on past customers, then score everybody; see :class:`blindscore.designs.design.Design`."""
        everything = financial(population)
        full = fit_card(population, scorecard, everything).card_
        past = population.history
        customers, outcomes = population.features.loc[past], population.default[past]
        features, forward, backward = fewest_features(full, customers, outcomes, self.tolerance)
        scored = score_in_clear(population, scorecard, features, self.approve)
        clear = population.features[features].assign(score=scored.scores)
        columns = columns_of(population, clear, score="score")
        if not self.keeps_features:
            columns = kept_for(columns, 0, features)
        lender = View("lender", "pairwise", clear, columns, everyone(population), messages=scored.messages)
        views = {**scoring_lender(lender), "source": bank_view(population)}
        parameters = {
            "tolerance_auc": self.tolerance,
            "features": ", ".join(features),
            "forward_curve_auc": [round(step, 4) for step in forward],
            "backward_curve_auc": [round(step, 4) for step in backward],
        }
        return scored.run(views, parameters, plays=LENDER_SCORES)


def fewest_features(
    card: Card, people: pd.DataFrame, default: NDArray[np.bool_], tolerance: float
) -> tuple[list[str], list[float], list[float]]:
    """Return the shortest list of features found whose AUC comes within ``tolerance`` of all features', and the curves.

    Forward: the feature that adds most comes next, until the goal is reached. Backward: what later choices made
    superfluous is dropped again, the least useful first. AUC is that of a logistic regression on the points of
    ``card``, by 5-fold cross-validation.

    Parameters
    ----------
    card
        A card fitted on all candidate features.
    people : DataFrame, (n, d)
    default : (n,) bool
    tolerance
        AUC, 0..1.

    Returns
    -------
    tuple
        Names in card order; the AUC after each forward step; the AUC after each step back that was taken.
    """
    bins = card.bins(people)
    points = card.points[np.arange(bins.shape[1]), bins].astype(np.float64) / card.scale.factor

    def reached(columns: list[int]) -> float:
        return _cross_validated_auc(points[:, columns], default)

    varies = np.flatnonzero(points.std(axis=0) > 0).tolist()
    if not varies:
        return card.features[:1], [], []
    goal = reached(varies) - tolerance
    chosen: list[int] = []
    curve: list[float] = []
    while len(chosen) < len(varies) and (not curve or curve[-1] < goal):
        auc_with = {j: reached([*chosen, j]) for j in varies if j not in chosen}
        best = max(auc_with, key=lambda j: auc_with[j])
        chosen.append(best)
        curve.append(auc_with[best])
    back: list[float] = []
    while len(chosen) > 1:
        auc_without = {j: reached([k for k in chosen if k != j]) for j in chosen}
        least = max(auc_without, key=lambda j: auc_without[j])
        if auc_without[least] < goal:
            break
        chosen.remove(least)
        back.append(auc_without[least])
    return [card.features[j] for j in sorted(chosen)], curve, back


def _cross_validated_auc(columns: NDArray[np.float64], default: NDArray[np.bool_]) -> float:
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = LogisticRegression(C=10.0, solver="newton-cholesky")
    risk = cross_val_predict(model, columns, default, cv=folds, method="decision_function")
    return float(auc(default, -risk))
