"""Stand-in: an outcome for people of whom none is known, so that designs can be played on them all the same.

Every design needs a scorecard, and a scorecard an outcome. Where a file has none, the fifth of people who lie lowest
along what their figures have most in common (the first principal component of ranks and categories), with as much
chance beside it, counts as "defaulted". What a design *shows* follows from its views; a score fitted to a stand-in
tells of people what their figures tell together, not how they pay. So nothing is said of credit quality, and no attack
that asks who trained the card is played (:mod:`blindscore.surveillance.frontier`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError

SHARE = 0.2  # of people who count as having defaulted
CHANCE = 1.0  # standard deviations of chance beside one of the common direction
RARE = 0.01  # categories of fewer people than this share have no column of their own


def stand_in(features: pd.DataFrame, where: str) -> NDArray[np.bool_]:
    """Return who counts as having defaulted, (n,); the same for equal people.

    Raises
    ------
    DataError
        No figure varies from person to person.
    """
    columns = [part for name in features.columns for part in _columns(features[name])]
    varying = [(part - part.mean()) / part.std() for part in columns if part.std() > 0]
    if not varying:
        raise DataError(f"{where}: no figure varies from person to person; a scorecard needs one that does")
    table = np.column_stack(varying)
    _, directions = np.linalg.eigh(table.T @ table)
    first = directions[:, -1] * np.sign(directions[np.argmax(np.abs(directions[:, -1])), -1])
    along = table @ first
    n = len(features)
    place = along / along.std() + CHANCE * np.random.default_rng([n, 0x51]).standard_normal(n)
    bad = np.zeros(n, np.bool_)
    bad[np.argsort(place, kind="stable")[: max(1, round(SHARE * n))]] = True
    return bad


def _columns(values: pd.Series) -> list[NDArray[np.float64]]:
    if pd.api.types.is_numeric_dtype(values):
        return [np.asarray(values.rank(pct=True).fillna(0.5), np.float64)]
    shares = values.value_counts(normalize=True)
    return [np.asarray(values == level, np.float64) for level in shares.index[shares >= RARE]]
