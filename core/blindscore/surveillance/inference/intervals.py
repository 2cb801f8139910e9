"""Advantages and their 95% intervals, by bootstrap over targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1000


class Estimate(NamedTuple):
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float


def balanced_advantage(truth: NDArray[np.integer], guess: NDArray[np.integer], rng: np.random.Generator) -> Estimate:
    """Return ``(k BA - 1)/(k - 1)`` with BA the balanced accuracy over the k classes that occur; classes count from 0.

    Resampling targets with replacement is drawing the counts of (class, right or wrong) from one multinomial, so that
    is what is drawn. Where all of a class are right, or all are wrong, a bootstrap is silent about what was not seen:
    the rule of three (3/n of the class) widens the interval on that side.
    """
    by_class = np.bincount(2 * truth + (guess == truth), minlength=2)
    by_class = np.append(by_class, [0] * (len(by_class) % 2)).reshape(-1, 2)  # of each class: wrong, right
    cells = by_class[by_class.any(axis=1)].ravel()
    k = len(cells) // 2
    if k < 2:
        return Estimate(0.0, 0.0, min(1.0, 3.0 / max(len(truth), 1)))

    def advantage(counts: NDArray[np.integer]) -> NDArray[np.float64]:
        table = counts.reshape(*counts.shape[:-1], k, 2)
        members = table.sum(axis=-1)
        recall = np.where(members > 0, table[..., 1] / np.maximum(members, 1), 1.0 / k)
        return np.asarray((k * recall.mean(axis=-1) - 1.0) / (k - 1.0))

    draws = advantage(rng.multinomial(len(truth), cells / len(truth), size=ROUNDS))
    low, high = np.quantile(draws, [0.025, 0.975])
    wrong, well = cells.reshape(k, 2).T
    unseen = np.minimum(1.0, 3.0 / (wrong + well)) / (k - 1.0)
    low, high = max(-1.0 / (k - 1.0), low - unseen[wrong == 0].sum()), min(1.0, high + unseen[well == 0].sum())
    return Estimate(float(advantage(cells)), float(low), float(high))


def mean_interval(values: NDArray[np.floating], rng: np.random.Generator, rounds: int = ROUNDS) -> Estimate:
    """Return the mean of per-target values in [0, 1] with a bootstrap interval.

    Where all targets agree a bootstrap is silent about what was not seen; the rule of three (3/n) widens it then.
    """
    n = len(values)
    mean = float(values.mean())
    if n == 0 or values.min() == values.max():
        slack = min(1.0, 3.0 / max(n, 1))
        return Estimate(mean, max(0.0, mean - slack), min(1.0, mean + slack))
    levels, index = np.unique(values, return_inverse=True)
    share = np.bincount(index) / n
    draws = rng.multinomial(n, share, size=rounds) @ levels / n
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(mean, float(low), float(high))


def tpr_at_fpr(positive: NDArray[np.bool_], suspicion: NDArray[np.floating], fpr: float = 0.001) -> float:
    """Return the share of positives above the threshold that at most the share ``fpr`` of negatives passes."""
    negatives = np.sort(suspicion[~positive])[::-1]
    if positive.all() or not positive.any():
        return 0.0
    allowed = int(fpr * len(negatives))
    return float((suspicion[positive] > negatives[allowed]).mean())
