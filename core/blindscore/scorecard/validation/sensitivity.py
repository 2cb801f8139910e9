"""What the score hangs on: each characteristic left out, gone missing, and data entered a little wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.scorecard.card import Card
from blindscore.scorecard.quality import auc, auc_loss_interval
from blindscore.scorecard.validation.information import points_of


def without_each(card: Card, bins: NDArray[np.uint8], bad: NDArray[np.bool_], threshold: float) -> pd.DataFrame:
    """One row a feature, what matters most first.

    Columns: feature, lowest and highest (points of its amounts and listed categories), variance (share of the total's
    variance, which sum to 1), auc_lost with low and high (AUC less that without the feature, 95%, paired), if_missing
    (share of people whose decision changes if the feature goes missing for everybody).
    """
    points = points_of(card, bins)
    total = card.base + points.sum(axis=1)
    varied = float(total.var())
    passed = card.clip(total.astype(np.int64)) >= threshold
    rows = []
    for j, c in enumerate(card.characteristics):
        rest = total - points[:, j]
        gone = card.clip((rest + c.points[-1]).astype(np.int64)) >= threshold
        lost = auc_loss_interval(bad, total, rest)
        rows.append(
            {
                "feature": c.feature,
                "lowest": c.worst,
                "highest": c.best,
                "variance": float(np.cov(points[:, j], total, bias=True)[0, 1] / varied) if varied else 0.0,
                "auc_lost": lost.value,
                "low": lost.low,
                "high": lost.high,
                "if_missing": float((gone != passed).mean()),
            }
        )
    return pd.DataFrame(rows).sort_values("auc_lost", ascending=False, ignore_index=True)


def shaken(
    card: Card,
    bins: NDArray[np.uint8],
    bad: NDArray[np.bool_],
    threshold: float,
    shares: tuple[float, ...],
    seed: int = 0,
) -> pd.DataFrame:
    """Cells entered wrong: a share of all moves to a neighbouring bin (of a category: to any), missing ones stay.

    Columns: share, auc, changed (share of decisions that change).
    """
    rng = np.random.default_rng(seed)
    passed = card.scores(bins) >= threshold
    rows = []
    for share in shares:
        moved = bins.copy()
        for j, c in enumerate(card.characteristics):
            last = c.n_bins - 2  # the last bin that is not the missing one
            hit = (rng.random(len(bins)) < share) & (bins[:, j] <= last)
            n = int(hit.sum())
            if c.groups is None:
                step = rng.choice([-1, 1], n)
                moved[hit, j] = np.clip(bins[hit, j].astype(int) + step, 0, last)
            else:
                moved[hit, j] = rng.integers(0, last + 1, n)
        rows.append(
            {
                "share": share,
                "auc": auc(bad, card.totals(moved)),
                "changed": float(((card.scores(moved) >= threshold) != passed).mean()),
            }
        )
    return pd.DataFrame(rows)
