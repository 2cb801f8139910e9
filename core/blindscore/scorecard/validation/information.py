"""What each characteristic brings on its own (information value), and how far two say the same (correlation)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.scorecard.card import Card

SMOOTH = 0.5  # people added to each cell, so that an empty one has a logarithm (Haldane, 1956)
CLOSE = 0.7  # correlation from which two characteristics are named as a pair


def information_value(bins: NDArray[np.uint8], bad: NDArray[np.bool_], n_bins: int) -> float:
    """Information value of one characteristic: sum of (share of goods - share of bads) ln(their ratio), over its bins.

    Source: Kullback and Leibler's divergence (1951), symmetric; Siddiqi (2006), ch. 6. Bins that nobody is in do not
    count.
    """
    counts = np.array([np.bincount(bins[side], minlength=n_bins) for side in (~bad, bad)], np.float64)
    counts = counts[:, counts.sum(axis=0) > 0] + SMOOTH
    good, defaulted = counts / counts.sum(axis=1, keepdims=True)
    return float(((good - defaulted) * np.log(good / defaulted)).sum())


def points_of(card: Card, bins: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Points of each person in each characteristic, (n, d)."""
    return card.points[np.arange(bins.shape[1]), bins].astype(np.float64)


def information(card: Card, bins: NDArray[np.uint8], bad: NDArray[np.bool_]) -> pd.DataFrame:
    """One row a feature: feature, iv, vif (variance inflation of its points), spread (standard deviation of points).

    A feature that gives everybody the same points has no inflation (NaN); one that others explain wholly has infinity.
    """
    points = points_of(card, bins)
    spread = points.std(axis=0)
    varies = spread > 0
    inflation = np.full(len(spread), np.nan)
    if varies.sum() > 1:
        together = np.atleast_2d(np.corrcoef(points[:, varies], rowvar=False))
        values, vectors = np.linalg.eigh(together)
        with np.errstate(divide="ignore"):
            inverse = np.where(values > 1e-10, 1 / np.maximum(values, 1e-300), np.inf)
        load = vectors**2
        inflation[varies] = np.where(load > 1e-12, load * inverse, 0.0).sum(axis=1)
    elif varies.any():
        inflation[varies] = 1.0
    return pd.DataFrame(
        {
            "feature": card.features,
            "iv": [information_value(bins[:, j], bad, c.n_bins) for j, c in enumerate(card.characteristics)],
            "vif": inflation,
            "spread": spread,
        }
    )


def close_pairs(card: Card, bins: NDArray[np.uint8], least: float = CLOSE) -> pd.DataFrame:
    """Pairs of features whose points correlate by `least` or more, either way: first, second, correlation."""
    points = points_of(card, bins)
    varies = np.flatnonzero(points.std(axis=0) > 0)
    rows = []
    if len(varies) > 1:
        together = np.asarray(np.corrcoef(points[:, varies], rowvar=False))
        for a, b in zip(*np.triu_indices(len(varies), 1), strict=True):
            if abs(together[a, b]) >= least:
                names = card.features[varies[a]], card.features[varies[b]]
                rows.append({"first": names[0], "second": names[1], "correlation": float(together[a, b])})
    table = pd.DataFrame(rows, columns=["first", "second", "correlation"])
    return table.sort_values("correlation", key=lambda v: -v.abs(), ignore_index=True)
