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

from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.domains import CELLS, LEVELS, Number


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
    grids = [domain.grid() for domain in domains]
    trees = np.array([_tree(values, grid) for values, grid in zip(columns, grids, strict=True)])
    what = f"counts for the bin edges of {len(columns)} features"
    noisy, _ = budget.release(trees, what, sensitivity, multiplier)
    ends = np.cumsum(2 ** np.arange(LEVELS + 1))[:-1]
    return [
        _quantile_edges(consistent(np.split(tree, ends)), grid, max_bins)
        for tree, grid in zip(noisy, grids, strict=True)
    ]


def _tree(values: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.int64]:
    """Counts from the root (1) to the leaves (2^LEVELS), one after another."""
    present = values[~np.isnan(values)]
    leaves = np.bincount(np.searchsorted(grid, present, side="right"), minlength=CELLS)
    return np.concatenate([leaves.reshape(2**depth, -1).sum(axis=1) for depth in range(LEVELS + 1)])


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
