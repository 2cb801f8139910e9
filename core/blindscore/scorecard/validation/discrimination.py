"""How well a score tells bads from goods, with intervals: KS by bootstrap, lift by bands (AUC: :mod:`..quality`)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blindscore.errors import ParameterError
from blindscore.scorecard.inputs import as_flags
from blindscore.scorecard.quality import Interval, ks

DRAWS = 1_000  # of the bootstrap


def ks_interval(bad: ArrayLike, score: ArrayLike, level: float = 0.95, seed: int = 0) -> Interval:
    """Kolmogorov-Smirnov distance with a percentile interval (Efron, 1979), goods and bads drawn apart.

    The bootstrap draws counts a score instead of people, which is the same and takes no more time for more people. KS
    is a maximum, so its draws lie a little above it: the interval is moved down by that bias.
    """
    outcome, points = as_flags(bad), np.asarray(score)
    value = ks(outcome, points)
    _, place = np.unique(points, return_inverse=True)
    rng = np.random.default_rng(seed)
    shares = []
    for side in (outcome, ~outcome):
        counts = np.bincount(place[side], minlength=place.max() + 1)
        draws = rng.multinomial(counts.sum(), counts / counts.sum(), DRAWS)
        shares.append(np.cumsum(draws, axis=1) / counts.sum())
    found = np.maximum((shares[0] - shares[1]).max(axis=1), 0.0)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2]) - max(0.0, float(found.mean()) - value)
    return Interval(value, min(value, max(0.0, float(low))), max(value, min(1.0, float(high))))


def band_edges(score: ArrayLike, bands: int = 10) -> NDArray[np.float64]:
    """Inner edges of bands of about equally many people, equal scores in one band; the outer bands are open."""
    if bands < 2:
        raise ParameterError(f"at least two bands are needed, got {bands}")
    values = np.asarray(score, np.float64)
    edges = np.unique(np.quantile(values, np.arange(1, bands) / bands, method="closest_observation"))
    return np.asarray(edges[edges > values.min()], np.float64)


def lift_table(bad: ArrayLike, score: ArrayLike, bands: int = 10) -> pd.DataFrame:
    """People in bands of score, the riskiest first.

    Columns: low and high (scores met in the band), people, bads, bad_rate, lift (over the rate of all), caught (share
    of all bads in this band and the riskier ones), refused (share of all people, likewise).
    """
    outcome, points = as_flags(bad), np.asarray(score, np.float64)
    place = np.searchsorted(band_edges(points, bands), points, side="right")
    rows = []
    for band in np.unique(place):
        inside = place == band
        n, k = int(inside.sum()), int(outcome[inside].sum())
        rows.append(
            {
                "low": points[inside].min(),
                "high": points[inside].max(),
                "people": n,
                "bads": k,
                "bad_rate": k / n,
                "lift": k / n / outcome.mean(),
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(caught=table.bads.cumsum() / outcome.sum(), refused=table.people.cumsum() / len(outcome))
