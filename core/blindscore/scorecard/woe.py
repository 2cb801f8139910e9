"""Weight of evidence and logistic regression: the classical scorecard.

``woe(bin) = ln(share of goods in the bin / share of bads in the bin)``; log-odds of good are
``intercept + sum_j weight_j * woe_j(bin)`` (Siddiqi, "Credit Risk Scorecards", 2006, ch. 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

from blindscore.kernel_cache import njit
from blindscore.scorecard.classing import pool_turns, pool_violators

# Each bin is given as many people of average risk as carry this much information on its log-odds, n p (1 - p): a normal
# prior whose standard deviation is a half. A bin without bads keeps a finite weight, and small bins shrink to 0.
INFORMATION = 4.0


@dataclass(frozen=True)
class Effects:
    """An additive model in log-odds of good: an intercept and one effect a bin."""

    intercept: float
    effects: tuple[NDArray[np.float64], ...]  # one array a feature, the missing bin last
    woe: tuple[NDArray[np.float64], ...]  # weight of evidence a bin, for the table


def weights_of_evidence(
    bins: NDArray[np.uint8], bad: NDArray[np.bool_], n_bins: int, sign: int = 0
) -> NDArray[np.float64]:
    """Smoothed weight of evidence of every bin, shape (n_bins,), the missing one last; 0 for a bin without people.

    sign : +1 or -1 where weights must rise or fall with the bin, 0 where they are free
    """
    bads = np.bincount(bins, weights=bad, minlength=n_bins)
    return _smoothed(bads, np.bincount(bins, minlength=n_bins), bad.mean(), sign)


def _smoothed(bads: NDArray[Any], people: NDArray[Any], rate: float, sign: int) -> NDArray[np.float64]:
    added = INFORMATION / (rate * (1 - rate))
    risk = (bads + added * rate) / (people + added)
    woe = np.log((1 - risk) / risk) - np.log((1 - rate) / rate)
    if sign:  # small bins shrink more than their neighbours, which can turn their order
        woe[:-1] = isotonic_regression(woe[:-1], weights=people[:-1] + added, increasing=sign > 0).x
    return np.asarray(woe)


def fit_woe(
    bins: NDArray[np.uint8], n_bins: list[int], bad: NDArray[np.bool_], strength: float, signs: NDArray[np.int64]
) -> Effects:
    """Fit the classical scorecard.

    Parameters
    ----------
    bins : (n, d) bin of each person in each feature
    n_bins : bins of each feature, the missing one included
    bad : (n,) True = defaulted
    strength : inverse of the ridge penalty on the weights, > 0
    signs : (d,) +1 where points must rise with the bin, -1 where they must fall, 0 where they are free

    Notes
    -----
    Weights are kept at 0 or above: a feature whose joint weight turned against its own weight of evidence would give
    more points to riskier bins, which no credit officer signs and which would break a monotone request.
    """
    woe = tuple(weights_of_evidence(bins[:, j], bad, m, signs[j]) for j, m in enumerate(n_bins))
    intercept, weights = fit_weights(np.column_stack([w[bins[:, j]] for j, w in enumerate(woe)]), bad, strength)
    return Effects(intercept, tuple(weight * w for weight, w in zip(weights, woe, strict=True)), woe)


@njit(cache=True, nogil=True)
def _loss(parameters: Any, evidence: Any, good: Any, strength: float) -> Any:
    """Logistic loss with a ridge penalty, and its gradient, (d + 1,).

    One pass in a fixed order: a library's threads would wait for each other longer than this takes, and add up in an
    order that hangs on their number, so that the same people could give another card on another machine.
    """
    value, gradient = 0.0, np.zeros(parameters.size)
    for i in range(evidence.shape[0]):
        margin = parameters[0]
        for j in range(evidence.shape[1]):
            margin += parameters[j + 1] * evidence[i, j]
        e = np.exp(-abs(margin))
        value += np.log1p(e) + max(margin, 0.0) - (margin if good[i] else 0.0)
        error = (1.0 if margin > 0 else e) / (1.0 + e) - (1.0 if good[i] else 0.0)
        gradient[0] += error
        for j in range(evidence.shape[1]):
            gradient[j + 1] += error * evidence[i, j]
    for j in range(1, parameters.size):
        value += 0.5 / strength * parameters[j] ** 2
        gradient[j] += parameters[j] / strength
    return value, gradient


def fit_weights(
    evidence: NDArray[np.float64], bad: NDArray[np.bool_], strength: float
) -> tuple[float, NDArray[np.float64]]:
    """Intercept, and a weight of 0 or above for each column of evidence (n, d) of good, under a ridge penalty."""
    good, rate = ~bad, bad.mean()
    start = np.concatenate([[np.log((1 - rate) / rate)], np.full(evidence.shape[1], 0.5)])
    bounds = [(None, None)] + [(0.0, None)] * evidence.shape[1]
    best = minimize(_loss, start, (evidence, good, strength), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(best[0]), best[1:]


def fit_fine_woe(
    bins: NDArray[np.uint8], ordinary: NDArray[np.int64], ordered: NDArray[np.bool_], bad: NDArray[np.bool_],
    signs: NDArray[np.int64],
) -> NDArray[np.float64]:  # fmt: skip
    """Effects in log-odds of good of every fine bin by weight of evidence, (d, widest), as the sparse fit gives them.

    A number's fine bins share the evidence of their block, whose bad rates turn at most once, or not at all where
    `signs` asks for a direction; categories stand alone.

    Parameters
    ----------
    bins : (d, n); ordinary : (d,) bins without the missing one, which comes last; ordered : (d,) True for a number
    bad : (n,) True = defaulted; signs : (d,) +1 where points must rise with the bin, -1 fall, 0 free
    """
    woe, rate = np.zeros((len(bins), int(ordinary.max()) + 1)), bad.mean()
    for j, (own, m) in enumerate(zip(bins, ordinary, strict=True)):
        bads = np.bincount(own, weights=bad, minlength=m + 1).astype(np.float64)
        people = np.bincount(own, minlength=m + 1).astype(np.float64)
        if signs[j]:
            starts = pool_violators(bads[:m], (people - bads)[:m], rising=signs[j] < 0)
        elif ordered[j]:
            starts = pool_turns(bads[:m], (people - bads)[:m])
        else:
            starts = np.arange(m)
        starts = np.append(starts, m)
        blocks = _smoothed(np.add.reduceat(bads, starts), np.add.reduceat(people, starts), rate, signs[j])
        woe[j, : m + 1] = np.repeat(blocks, np.diff(np.append(starts, m + 1)))
    _, weights = fit_weights(np.column_stack([w[own] for w, own in zip(woe, bins, strict=True)]), bad, 1.0)
    return woe * weights[:, None]
