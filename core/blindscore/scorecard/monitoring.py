"""Watch a card in use: has the population moved, are the probabilities still right, whom does it serve worse.

As in :mod:`blindscore.scorecard.quality`, `bad` is True (1) = defaulted and more points are safer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.binning import bin_labels
from blindscore.scorecard.card import Card
from blindscore.scorecard.inputs import as_flags
from blindscore.scorecard.quality import auc_interval

LEAST_SHARE = 1e-4  # an empty band counts as this share, so that its logarithm exists
CUTS = (550, 600, 650, 700, 750)  # between score bands; the first and the last band are open
UNKNOWN = "unknown"  # name of the group of people whose group is not known


def psi(before: ArrayLike, after: ArrayLike) -> float:
    """Population stability index of two lists of counts over the same bands (Siddiqi, 2006, ch. 8).

    Custom has it that under .1 nothing moved and over .25 much did; there is no theory behind these two numbers.

    Raises
    ------
    DataError
        Different lengths, negative counts, or nobody on one side.
    """
    counts = [np.asarray(side, np.float64) for side in (before, after)]
    if counts[0].shape != counts[1].shape or counts[0].ndim != 1:
        raise DataError("stability needs two lists of counts over the same bands")
    if any((side < 0).any() or not side.sum() > 0 for side in counts):
        raise DataError("stability needs counts of 0 or more and somebody on both sides")
    p, q = (np.maximum(side / side.sum(), LEAST_SHARE) for side in counts)
    return float(((q - p) * np.log(q / p)).sum())


def score_stability(before: ArrayLike, after: ArrayLike, cuts: Sequence[float] = CUTS) -> float:
    """Population stability index of two sets of scores, or of points before clipping, over bands between `cuts`.

    The outermost bands are open, so that everybody is counted.

    Raises
    ------
    DataError
        A score is missing, or there is nobody on one side.
    ParameterError
        Cuts that do not increase.
    """
    edges = np.asarray(cuts, np.float64)
    if edges.ndim != 1 or not (np.diff(edges) > 0).all():
        raise ParameterError("cuts between score bands must increase")
    counts = []
    for scores in (np.asarray(side, np.float64) for side in (before, after)):
        if np.isnan(scores).any():
            raise DataError(f"scores, row {int(np.argmax(np.isnan(scores)))}: missing; score everybody first")
        counts.append(np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(edges) + 1))
    return psi(*counts)


def characteristic_stability(card: Card, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Characteristic stability: one row a feature, columns feature, psi, and points_shift.

    `points_shift` is the change of the mean points that the feature gives, so its sum is the change of the mean total.
    """
    bins = [card.bins(people) for people in (before, after)]
    rows = []
    for j, c in enumerate(card.characteristics):
        counts = [np.bincount(side[:, j], minlength=c.n_bins) for side in bins]
        means = [float(count @ np.array(c.points) / count.sum()) for count in counts]
        rows.append({"feature": c.feature, "psi": psi(*counts), "points_shift": means[1] - means[0]})
    return pd.DataFrame(rows)


def moved_bins(card: Card, before: pd.DataFrame, after: pd.DataFrame, feature: str) -> pd.DataFrame:
    """Shares of one feature's bins before and after: columns bin, points, before, after."""
    if feature not in card.features:
        raise ParameterError(f"the card has no feature {feature!r}; it has {', '.join(card.features)}")
    j = card.features.index(feature)
    c = card.characteristics[j]
    shares = [np.bincount(card.bins(side)[:, j], minlength=c.n_bins) / len(side) for side in (before, after)]
    return pd.DataFrame({"bin": bin_labels(c), "points": c.points, "before": shares[0], "after": shares[1]})


def reliability(bad: ArrayLike, probability: ArrayLike, bands: int = 10) -> pd.DataFrame:
    """Forecast against outcome in bands of equally many people, safest first.

    Columns: people, forecast (mean probability of default), observed (share who defaulted), low and high (its 95%
    interval by Clopper and Pearson, 1934).
    """
    outcome, risk = as_flags(bad), np.asarray(probability, np.float64)
    if outcome.shape != risk.shape or outcome.ndim != 1 or len(outcome) == 0:
        raise DataError("reliability needs one probability an outcome, and somebody")
    if bands < 1:
        raise ParameterError(f"at least one band is needed, got {bands}")
    parts = [part for part in np.array_split(np.argsort(risk, kind="stable"), bands) if len(part)]
    rows = []
    for part in parts:
        n, k = len(part), int(outcome[part].sum())
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
        rows.append({"people": n, "forecast": risk[part].mean(), "observed": k / n, "low": low, "high": high})
    return pd.DataFrame(rows)


def calibration_error(bad: ArrayLike, probability: ArrayLike, bands: int = 10) -> float:
    """Expected calibration error: mean distance of forecast and outcome over the bands, weighted by people."""
    table = reliability(bad, probability, bands)
    return float(np.average((table.forecast - table.observed).abs(), weights=table.people))


def by_group(bad: ArrayLike, score: ArrayLike, group: ArrayLike, threshold: float) -> pd.DataFrame:
    """How a card treats groups of people at one threshold: one row a group.

    People whose group is not known are a group of their own, called `UNKNOWN`.

    Columns: group, people, bad_rate, mean_score, approved (share), good_refused (share of the goods who are refused,
    Hardt, Price and Srebro, 2016, equal opportunity), bad_approved (share of the bads), auc with low and high (95%);
    a share of nobody, or an AUC of one class, is NaN.
    """
    outcome, points = as_flags(bad), np.asarray(score, np.float64)
    groups: NDArray[np.object_] = np.asarray(group, dtype=object)
    if not outcome.shape == points.shape == groups.shape:
        raise DataError("outcomes, scores and groups must have one length")
    rows = []
    missing = np.asarray(pd.isna(groups))
    groups = np.array([None if gone else name for gone, name in zip(missing, groups, strict=True)], dtype=object)
    names = [*sorted(set(groups[~missing]), key=str), *([None] if missing.any() else [])]
    for name in names:
        inside = missing if name is None else groups == name
        b, s = outcome[inside], points[inside]
        passed = s >= threshold
        both = b.any() and not b.all()
        interval = auc_interval(b, s) if both else (np.nan, np.nan, np.nan)
        rows.append(
            {
                "group": UNKNOWN if name is None else name,
                "people": len(b),
                "bad_rate": b.mean(),
                "mean_score": s.mean(),
                "approved": passed.mean(),
                "good_refused": (~passed[~b]).mean() if (~b).any() else np.nan,
                "bad_approved": passed[b].mean() if b.any() else np.nan,
                "auc": interval[0],
                "low": interval[1],
                "high": interval[2],
            }
        )
    return pd.DataFrame(rows)
