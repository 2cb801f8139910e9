"""A card as a scorecard of optbinning: its ``score``, ``table`` and plots then work on the same bins and points.

optbinning can only be fitted, so each feature is fitted to two people a bin, one good and one bad, with the card's own
splits held fixed; the card's points then take the place of those that came out. Its counts and weights of evidence are
therefore empty of meaning, and its ``predict_proba`` is unfit for use: this carries points, nothing else.
optbinning keeps no scale's ends, so its ``score`` is the total before clipping, and it scores an unlisted category as a
missing one, whatever the card does with it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore.scorecard.card import Card, Characteristic


def to_optbinning(card: Card) -> Any:
    """Return an ``optbinning.Scorecard`` whose ``score`` gives this card's totals.

    Raises
    ------
    ParameterError
        optbinning cannot hold the card's bins.
    MissingExtraError
        The extra ``export`` is not installed.
    """
    with needs("export"):
        from optbinning import BinningProcess, Scorecard

    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    binned = {c.feature: _binned(c) for c in card.characteristics}
    process = BinningProcess(card.features)
    process.fit_from_dict(binned)
    scale = card.scale
    scaling = {"pdo": scale.pdo, "odds": scale.base_odds, "scorecard_points": scale.base_score}
    out = Scorecard(
        process, LogisticRegression(), scaling_method="pdo_odds", scaling_method_params=scaling, intercept_based=True,
        rounding=True,
    )  # fmt: skip
    tables = []
    for c in card.characteristics:
        table = binned[c.feature].binning_table.build(add_totals=False)
        table.insert(0, "Variable", c.feature)
        ordinary = [p for p, group in zip(c.points[:-1], c.groups or [True] * len(c.points[:-1]), strict=True) if group]
        table["Coefficient"], table["Points"] = 1.0, np.array([*ordinary, 0, c.points[-1]], np.float64)
        table.index.names = ["Bin id"]
        tables.append(table.reset_index(level=0))
    out.binning_process_, out.intercept_, out._df_scorecard = process, float(card.base), pd.concat(tables)
    out._is_fitted, out._target_dtype = True, "binary"
    return out


def _binned(c: Characteristic) -> Any:
    """One feature, fitted to a good and a bad in every bin."""
    with needs("export"):
        from optbinning import OptimalBinning

    if c.groups is None:
        values: Any = np.array([0.0]) if not c.edges else _inside(c.edges)
        splits: Any = np.array(c.edges)
        kind = "numerical"
    else:
        groups = [group for group in c.groups if group]
        values = np.array([name for group in groups for name in group], object)
        splits = np.empty(len(groups), object)
        splits[:] = [list(group) for group in groups]
        kind = "categorical"
    fixed = {"user_splits": splits, "user_splits_fixed": [True] * len(splits)} if len(splits) else {}
    out = OptimalBinning(c.feature, dtype=kind, monotonic_trend=None, min_prebin_size=1e-9, **fixed)
    out.fit(np.repeat(values, 2), np.tile([0, 1], len(values)))
    found = out.splits if c.groups is None else [sorted(map(str, group)) for group in out.splits]
    if list(found) != (list(c.edges) if c.groups is None else [sorted(group) for group in groups]):
        raise ParameterError(f"characteristic {c.feature!r}: optbinning cannot hold these bins")
    return out


def _inside(edges: tuple[float, ...]) -> Any:
    """A value of each bin: below the first edge, then each edge itself."""
    return np.array([np.nextafter(edges[0], -np.inf), *(low for low, _ in pairwise(edges)), edges[-1]])
