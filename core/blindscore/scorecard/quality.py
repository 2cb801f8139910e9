"""How good a score is: discrimination (AUC, Gini, KS), calibration (Brier), and money (profit).

Everywhere `bad` is (n,) with True (1) = defaulted, a missing outcome being an error, and `score` is (n,) with **more
points = safer**, so that an AUC above one half means that goods score higher than bads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.inputs import as_flags


class Interval(NamedTuple):
    """An estimate with its confidence interval."""

    value: float
    low: float
    high: float


def _check(bad: ArrayLike, *scores: ArrayLike) -> tuple[NDArray[np.bool_], list[NDArray[np.float64]]]:
    outcome = as_flags(bad)
    arrays = [np.asarray(score, np.float64) for score in scores]
    if outcome.ndim != 1 or any(array.shape != outcome.shape for array in arrays):
        raise DataError("outcomes and scores must be one-dimensional and of one length")
    if any(np.isnan(array).any() for array in arrays):
        raise DataError("a score is NaN; score everybody first")
    if outcome.all() or not outcome.any():
        raise DataError("quality needs goods and bads; all outcomes are of one class")
    return outcome, arrays


def auc(bad: ArrayLike, score: ArrayLike) -> float:
    """Chance that a good scores higher than a bad, ties counting half (Mann and Whitney, 1947)."""
    outcome, (points,) = _check(bad, score)
    goods = int((~outcome).sum())
    rank_sum = rankdata(points)[~outcome].sum()
    return float((rank_sum - goods * (goods + 1) / 2) / (goods * (len(points) - goods)))


def gini(bad: ArrayLike, score: ArrayLike) -> float:
    """Gini coefficient (accuracy ratio): 2 AUC - 1."""
    return 2 * auc(bad, score) - 1


def ks(bad: ArrayLike, score: ArrayLike) -> float:
    """Kolmogorov-Smirnov distance between goods' and bads' scores, 0..1, positive part (goods above bads)."""
    outcome, (points,) = _check(bad, score)
    cuts = np.unique(points)
    share_bad = np.searchsorted(np.sort(points[outcome]), cuts, side="right") / outcome.sum()
    share_good = np.searchsorted(np.sort(points[~outcome]), cuts, side="right") / (~outcome).sum()
    return float(max(0.0, np.max(share_bad - share_good)))


def brier(bad: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared error of probabilities of default (Brier, 1950)."""
    outcome, (risk,) = _check(bad, probability)
    if ((risk < 0) | (risk > 1)).any():
        raise DataError("probabilities must lie in 0..1")
    return float(np.mean((risk - outcome) ** 2))


def profit(bad: ArrayLike, score: ArrayLike, threshold: float, *, gain: float = 1.0, loss: float = 5.0) -> float:
    """Mean profit an applicant, in units of money, when all with score >= threshold are approved.

    Parameters
    ----------
    gain : earned on an approved good
    loss : lost on an approved bad; the ratio 5 is that of the German credit data's own cost matrix
    """
    outcome, (points,) = _check(bad, score)
    approved = points >= threshold
    return float((gain * (approved & ~outcome).sum() - loss * (approved & outcome).sum()) / len(points))


def _placements(outcome: NDArray[np.bool_], points: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Share of bads below each good, and share of goods above each bad, ties counting half (DeLong et al., 1988)."""
    goods, bads = points[~outcome], points[outcome]
    together = rankdata(np.concatenate([goods, bads]))
    of_good = (together[: len(goods)] - rankdata(goods)) / len(bads)
    of_bad = 1 - (together[len(goods) :] - rankdata(bads)) / len(goods)
    return of_good, of_bad


def _variance(placements: NDArray[Any]) -> float:
    return float(np.var(placements, ddof=1) / len(placements)) if len(placements) > 1 else float("inf")


def auc_interval(bad: ArrayLike, score: ArrayLike, level: float = 0.95) -> Interval:
    """AUC with its interval by DeLong, DeLong and Clarke-Pearson (1988), on the logit scale so that it stays in 0..1.

    A perfect or perfectly wrong ranking has no variance to go by: its interval comes from the rule of three on the
    rarer class (Hanley and Lippman-Hand, 1983), so that it does not claim certainty.
    """
    outcome, (points,) = _check(bad, score)
    z = _z(level)
    of_good, of_bad = _placements(outcome, points)
    value = float(of_good.mean())
    spread = np.sqrt(_variance(of_good) + _variance(of_bad))
    if not np.isfinite(spread):
        return Interval(value, 0.0, 1.0)
    if value in (0.0, 1.0):
        slack = min(1.0, -np.log((1 - level) / 2) / min(len(of_good), len(of_bad)))
        return Interval(value, max(0.0, value - slack), min(1.0, value + slack))
    half = z * spread / (value * (1 - value))
    return Interval(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)))


def auc_loss_interval(bad: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, level: float = 0.95) -> Interval:
    """AUC of `score_a` less AUC of `score_b` on the same people, with the paired interval of DeLong et al. (1988)."""
    outcome, (a, b) = _check(bad, score_a, score_b)
    (good_a, bad_a), (good_b, bad_b) = _placements(outcome, a), _placements(outcome, b)
    value = float(good_a.mean() - good_b.mean())
    half = float(_z(level) * np.sqrt(_variance(good_a - good_b) + _variance(bad_a - bad_b)))
    if not np.isfinite(half):
        return Interval(value, -1.0, 1.0)
    return Interval(value, max(-1.0, value - half), min(1.0, value + half))


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise ParameterError(f"a confidence level lies between 0 and 1, got {level}")
    return float(norm.ppf(0.5 + level / 2))
