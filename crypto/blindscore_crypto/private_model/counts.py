"""Integer sums over people: counts by bin and outcome, counts by pairs of bins, and sums of rounded residuals.

Who sees what: nobody sees these sums without noise. Each person adds a vector whose length is known beforehand, so that
the sensitivity is exact and no clipping of norms is needed. Tests hold every kernel against a plain twin.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit

Counts = NDArray[np.int64]


def starts_of(n_bins: list[int]) -> Counts:
    """First column of each feature in the one-hot row, and the total, shape (d + 1,)."""
    return np.concatenate([[0], np.cumsum(n_bins)]).astype(np.int64)


@njit(cache=True)
def label_counts(columns: NDArray[Any], bad: NDArray[np.bool_], total: int) -> Counts:
    """People by one-hot column and outcome.

    columns : (n, d) int64, one-hot column of each person in each feature, < total
    bad     : (n,) bool
    returns : (total, 2) int64, good and bad; one person adds d ones, length sqrt(d)
    """
    out = np.zeros((total, 2), np.int64)
    for i in range(columns.shape[0]):
        outcome = 1 if bad[i] else 0
        for j in range(columns.shape[1]):
            out[columns[i, j], outcome] += 1
    return out


@njit(cache=True)
def pair_counts(columns: NDArray[Any], total: int) -> Counts:
    """People by pairs of one-hot columns of different features.

    columns : (n, d) int64, increasing along a row
    returns : (total, total) int64, upper triangle; one person adds d (d - 1) / 2 ones
    """
    out = np.zeros((total, total), np.int64)
    d = columns.shape[1]
    for i in range(columns.shape[0]):
        for j in range(d):
            row = out[columns[i, j]]
            for k in range(j + 1, d):
                row[columns[i, k]] += 1
    return out


@njit(cache=True)
def residual_sums(
    columns: NDArray[Any],
    bad: NDArray[np.bool_],
    weights: NDArray[np.float64],
    intercept: float,
    low: float,
    high: float,
    unit: int,
) -> Counts:
    """Sum of each person's rounded residual over its one-hot columns.

    The residual ``bad - p`` is clipped to [low, high], moved so that the interval is centred, multiplied by ``unit``
    and rounded; one person adds at most ``unit (high - low) / 2`` to each of d columns.

    weights   : (total,) float64, log-odds of default a column
    intercept : float, log-odds
    returns   : (total,) int64
    """
    out = np.zeros(weights.size, np.int64)
    middle = (low + high) / 2
    most = math.floor(unit * (high - low) / 2)
    for i in range(columns.shape[0]):
        z = intercept
        for j in range(columns.shape[1]):
            z += weights[columns[i, j]]
        residual = (1.0 if bad[i] else 0.0) - 1 / (1 + math.exp(-z))
        step = round((min(max(residual, low), high) - middle) * unit)
        step = min(max(step, -most), most)  # the bound holds whatever the rounding did
        for j in range(columns.shape[1]):
            out[columns[i, j]] += step
    return out


def label_sensitivity(d: int) -> float:
    """L2 length of what one person adds to :func:`label_counts`."""
    return math.sqrt(d)


def pair_sensitivity(d: int) -> float:
    """L2 length of what one person adds to :func:`pair_counts`."""
    return math.sqrt(d * (d - 1) / 2)


def residual_sensitivity(d: int, low: float, high: float, unit: int) -> float:
    """Largest L2 length of what one person adds to :func:`residual_sums`."""
    return math.floor(unit * (high - low) / 2) * math.sqrt(d)
