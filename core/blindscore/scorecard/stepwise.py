"""Stepwise choice of features by tests of a logistic regression, as credit officers know it from other tools.

Forward, the feature of the greatest score statistic (Rao, 1948) enters while its p-value is small enough; after each
entry the one of the least Wald statistic leaves while its own is not. The search ends when none enters, or when the one
that entered last is the one to leave.

Evidence is read off the same outcomes that it is tested against, so a feature of k bins fits luck k - 1 times: its
statistics are held against chi-square with k - 1 degrees of freedom. With one, as a column of numbers would have, every
noisy feature of ten bins would enter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2

STEPS = 25  # of Newton's method; evidence that parts the outcomes wholly has no finite weight
RIDGE = 1e-6  # of an information matrix, so that a copy of a feature has an inverse


def stepwise(
    evidence: NDArray[np.float64], freedom: NDArray[np.int64], bad: NDArray[np.bool_], most_pvalue: float
) -> list[int]:
    """Return the columns that are kept, in the order in which they entered.

    Parameters
    ----------
    evidence : (n, d), in log-odds of good: a feature whose joint weight would be negative does not enter
    freedom : (d,) degrees of freedom of each, 1 or more
    bad : (n,)
    most_pvalue : to enter and to stay; 0.157 at one degree is Akaike's criterion
    """
    good = (~bad).astype(np.float64)
    kept: list[int] = []
    while True:
        design, weights, inverse = _fit(evidence[:, kept], good)
        entering = _entering(evidence, freedom, kept, design, good - expit(design @ weights), weights, inverse)
        if entering is None or entering[1] > most_pvalue:
            return kept
        kept.append(entering[0])
        while len(kept) > 1:
            _, weights, inverse = _fit(evidence[:, kept], good)
            wald = np.sign(weights[1:]) * weights[1:] ** 2 / np.diag(inverse)[1:]
            chances = chi2.sf(np.maximum(wald, 0.0), freedom[kept])
            worst = int(np.argmax(chances))
            if chances[worst] <= most_pvalue:
                break
            if worst == len(kept) - 1:
                return kept[:-1]
            del kept[worst]


def _fit(
    columns: NDArray[np.float64], good: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Design with a column of ones, weights of greatest likelihood, and the inverse of their information."""
    design = np.column_stack([np.ones(len(good)), columns])
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        inverse = _inverse(design, weights)
        step = inverse @ (design.T @ (good - expit(design @ weights)))
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return design, weights, _inverse(design, weights)


def _inverse(design: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    chance = expit(design @ weights)
    information = (design * (chance * (1 - chance))[:, None]).T @ design
    return np.asarray(np.linalg.inv(information + RIDGE * np.eye(len(weights))))


def _entering(
    evidence: NDArray[np.float64],
    freedom: NDArray[np.int64],
    kept: list[int],
    design: NDArray[np.float64],
    rest: NDArray[np.float64],
    weights: NDArray[np.float64],
    inverse: NDArray[np.float64],
) -> tuple[int, float] | None:
    """Return the column that the score test wants most, and its p-value; None where none is left."""
    others = [j for j in range(evidence.shape[1]) if j not in kept]
    if not others:
        return None
    chance = expit(design @ weights)
    own = evidence[:, others] * np.sqrt(chance * (1 - chance))[:, None]
    shared = (design * np.sqrt(chance * (1 - chance))[:, None]).T @ own
    left = (own**2).sum(axis=0) - (shared * (inverse @ shared)).sum(axis=0)
    slope = evidence[:, others].T @ rest
    score = np.where((slope > 0) & (left > RIDGE * len(rest)), slope**2 / np.maximum(left, RIDGE), 0.0)
    chances = chi2.sf(score, freedom[others])
    best = int(np.lexsort((-score, chances))[0])
    return others[best], float(chances[best])
