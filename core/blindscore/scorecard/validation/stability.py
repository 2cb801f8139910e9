"""Has the population moved: stability indices of score and characteristics, beside what chance alone gives.

The customary limits (.1, .25) know nothing of sample size. Without any move the index is about (1/n + 1/m) times a
chi-square with one degree less than there are bands (Yurdakul and Naranjo, Journal of Risk Model Validation, 2020), so
a small sample passes .1 by chance; a move counts here only if it passes that too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from blindscore.scorecard.card import Card
from blindscore.scorecard.monitoring import psi
from blindscore.scorecard.validation.discrimination import band_edges

MOVED, MUCH = 0.1, 0.25  # Siddiqi (2006), ch. 8: customary, without theory
CHANCE = 0.99  # quantile of the index without a move


@dataclass(frozen=True)
class Shift:
    """A stability index and how to read it."""

    value: float
    chance: float  # its 99% quantile if nothing had moved

    @property
    def verdict(self) -> str:
        """``"stable"``, ``"moved"`` or ``"moved much"``; what chance explains is stable."""
        if self.value < MOVED or self.value <= self.chance:
            return "stable"
        return "moved" if self.value < MUCH else "moved much"


def shift(before: NDArray[np.integer], after: NDArray[np.integer]) -> Shift:
    """Stability index of two lists of counts over the same bands."""
    used = int(((before > 0) | (after > 0)).sum())
    noise = 1 / before.sum() + 1 / after.sum()
    return Shift(psi(before, after), float(noise * chi2.ppf(CHANCE, max(used - 1, 1))))


def score_bands(before: ArrayLike, after: ArrayLike, bands: int = 10) -> pd.DataFrame:
    """Shares of people in bands that hold a tenth of `before` each; the outer ones are open, so nobody is lost.

    Columns: band, before, after (counts).
    """
    edges = band_edges(before, bands)
    counts = [
        np.bincount(np.searchsorted(edges, np.asarray(side, np.float64), side="right"), minlength=len(edges) + 1)
        for side in (before, after)
    ]
    shown = [f"{edge:g}" for edge in edges]
    names = ["everybody"] if not shown else [f"below {shown[0]}"]
    names += [f"{a} to below {b}" for a, b in pairwise(shown)]
    names += [f"{shown[-1]} and above"] if shown else []
    return pd.DataFrame({"band": names, "before": counts[0], "after": counts[1]})


def characteristic_shifts(card: Card, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> pd.DataFrame:
    """One row a feature: feature, psi, chance, verdict, points_shift, missing_before, missing_after.

    `points_shift` is the change of the mean points that the feature gives; their sum is that of the mean total.
    """
    rows = []
    for j, c in enumerate(card.characteristics):
        counts = [np.bincount(side[:, j], minlength=c.n_bins) for side in (before, after)]
        means = [float(count @ np.array(c.points) / count.sum()) for count in counts]
        gone = [float(count[-1] / count.sum()) for count in counts]
        found = shift(counts[0], counts[1])
        rows.append(
            {
                "feature": c.feature,
                "psi": found.value,
                "chance": found.chance,
                "verdict": found.verdict,
                "points_shift": means[1] - means[0],
                "missing_before": gone[0],
                "missing_after": gone[1],
            }
        )
    return pd.DataFrame(rows)
