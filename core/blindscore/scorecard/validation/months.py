"""A card month by month: who comes, how they score, and how those whose outcome is known turned out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blindscore.errors import DataError
from blindscore.scorecard.quality import auc_interval, ks
from blindscore.scorecard.validation.discrimination import band_edges
from blindscore.scorecard.validation.stability import shift

FEWEST = 10  # bads and goods each under which a month has no KS


def by_month(
    month: ArrayLike,
    before: NDArray[np.integer],
    score: NDArray[np.integer],
    probability: NDArray[np.float64] | None = None,
    bad: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """One row a month (any text that sorts by time), those without one last under "unknown".

    Columns: month, people, mean_score, psi with chance and verdict (against the scores `before`), and where outcomes
    are known bad_rate, forecast, ks, auc with low and high (NaN with fewer than 10 bads or goods).
    """
    values = np.asarray(month, dtype=object)
    if len(values) != len(score):
        raise DataError("one month a person is needed")
    gone = np.asarray(pd.isna(values))
    names = np.where(gone, "unknown", values.astype(str))
    edges = band_edges(before)
    base = np.bincount(np.searchsorted(edges, before, side="right"), minlength=len(edges) + 1)
    rows = []
    parts = [(name, ~gone & (names == name)) for name in sorted(set(names[~gone]))]
    for name, inside in [*parts, *([("unknown", gone)] if gone.any() else [])]:
        own = score[inside]
        found = shift(base, np.bincount(np.searchsorted(edges, own, side="right"), minlength=len(edges) + 1))
        row = {
            "month": name,
            "people": len(own),
            "mean_score": float(own.mean()),
            "psi": found.value,
            "chance": found.chance,
            "verdict": found.verdict,
        }
        if bad is not None and probability is not None:
            b = bad[inside]
            told = min(int(b.sum()), int((~b).sum())) >= FEWEST
            auc = auc_interval(b, own) if told else (np.nan, np.nan, np.nan)
            row |= {
                "bad_rate": float(b.mean()),
                "forecast": float(probability[inside].mean()),
                "ks": ks(b, own) if told else np.nan,
                "auc": auc[0],
                "low": auc[1],
                "high": auc[2],
            }
        rows.append(row)
    return pd.DataFrame(rows)
