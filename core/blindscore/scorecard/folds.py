"""How well a way of fitting does on people it has not seen: everybody scored by a card fitted without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from blindscore.errors import DataError
from blindscore.scorecard.scorecard import Scorecard
from blindscore.threads import each

FOLDS = 5


def out_of_fold(
    scorecard: Scorecard,
    people: pd.DataFrame,
    bad: NDArray[np.bool_],
    weight: NDArray[np.float64] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Log-odds of good, (n,), that cards fitted with the same settings on the other folds give each person.

    They stand for the points before clipping, so that no rank is lost at the ends of a scale.

    Raises
    ------
    DataError
        Fewer goods or bads than folds.
    """
    if min(int(bad.sum()), int((~bad).sum())) < folds:
        raise DataError(f"cross-validation in {folds} folds needs at least {folds} goods and {folds} bads")
    told = np.empty(len(bad))

    def play(split: tuple[Any, Any]) -> None:
        train, test = split
        card = clone(scorecard).fit(people.iloc[train], bad[train], None if weight is None else weight[train])
        told[test] = -card.decision_function(people.iloc[test])

    each(play, list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(people, bad)))
    return told
