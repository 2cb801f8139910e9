"""Bin edges at estimated quantiles, from noisy counts on a public grid.

Who sees what: the edges are published with the scorecard; the noisy counts could be as well. Assumption: discrete
Gaussian noise (:mod:`~blindscore_crypto.private_model.noise`). Not protected: which bounds the caller declared.

Counts are taken on every level of a binary tree over the grid and made consistent by least squares (Hay, Rastogi,
Miklau, Suciu, "Boosting the accuracy of differentially private histograms through consistency", VLDB 2010).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.private_model.accounting import Budget, Release
from blindscore_crypto.private_model.domains import LEVELS, Number
from blindscore_crypto.private_model.noise import Variance, discrete_gaussian


def tree_sensitivity(n_features: int) -> float:
    """L2 norm of what one person adds: one count a level (root and leaves included) and feature."""
    return math.sqrt(n_features * (LEVELS + 1))


def private_edges(
    columns: list[NDArray[np.float64]], domains: list[Number], max_bins: int, multiplier: float, budget: Budget
) -> list[tuple[float, ...]]:
    """Return edges near the quantiles k / max_bins of every column.

    Parameters
    ----------
    columns : list of (n,) float64, NaN = missing
    domains : list of Number, one a column, without declared edges
    max_bins : int
    multiplier : float
        Noise in units of the sensitivity.
    budget : Budget
        Is charged for one release of all trees together.
    """
    if not columns:
        return []
    sensitivity = tree_sensitivity(len(columns))
    sigma = Variance.at_least(multiplier * sensitivity).sigma
    budget.spend(Release(f"counts for the bin edges of {len(columns)} features", sensitivity, sigma))
    out = []
    for values, domain in zip(columns, domains, strict=True):
        grid = domain.grid()
        present = values[~np.isnan(values)]
        leaves = np.bincount(np.searchsorted(grid, present, side="right"), minlength=len(grid) + 1)
        out.append(_quantile_edges(consistent(_noisy_tree(leaves, sigma)), grid, max_bins))
    return out


def _noisy_tree(leaves: NDArray[np.int64], sigma: float) -> list[NDArray[np.float64]]:
    """Noisy counts from the root (1) to the leaves (2^LEVELS)."""
    levels = [leaves.reshape(2**depth, -1).sum(axis=1) for depth in range(LEVELS + 1)]
    noise, _ = discrete_gaussian(sigma, sum(level.size for level in levels))
    parts = np.split(noise, np.cumsum([level.size for level in levels])[:-1])
    return [(level + part).astype(np.float64) for level, part in zip(levels, parts, strict=True)]


def consistent(levels: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Leaf counts of a noisy binary tree with equal noise everywhere (Hay et al. 2010, theorem 3), none negative.

    No child may get less than nothing or more than its parent, which keeps the noise of empty branches out of the sums.
    """
    height = len(levels)
    best = [levels[-1]]
    for depth in range(height - 2, -1, -1):
        size = 2.0 ** (height - depth)  # 2^l of the paper, where leaves have l = 1
        below = best[0].reshape(-1, 2).sum(axis=1)
        best.insert(0, (size / 2 * levels[depth] + (size / 2 - 1) * below) / (size - 1))
    settled = np.maximum(best[0], 0)
    for level in best[1:]:
        pairs = level.reshape(-1, 2)
        left = np.clip(pairs[:, 0] + (settled - pairs.sum(axis=1)) / 2, 0, settled)
        settled = np.column_stack([left, settled - left]).ravel()
    return settled


def _quantile_edges(counts: NDArray[np.float64], grid: NDArray[np.float64], max_bins: int) -> tuple[float, ...]:
    below = np.maximum.accumulate(np.cumsum(counts))[:-1]  # people below each grid edge
    total = max(float(counts.sum()), 1.0)
    wanted = np.searchsorted(below, total * np.arange(1, max_bins) / max_bins)
    at = np.unique(wanted[wanted < len(grid)])
    return tuple(float(edge) for edge in grid[at])
