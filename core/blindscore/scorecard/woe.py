"""Weight of evidence and logistic regression: the classical scorecard.

``woe(bin) = ln(share of goods in the bin / share of bads in the bin)``; log-odds of good are
``intercept + sum_j weight_j * woe_j(bin)`` (Siddiqi, "Credit Risk Scorecards", 2006, ch. 6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

from blindscore.kernel_cache import njit
from blindscore.scorecard.card import MAX_BINS
from blindscore.scorecard.classing import merge, pool_turns, pool_violators

# Each bin is given as many people of average risk as carry this much information on its log-odds, n p (1 - p): a normal
# prior whose standard deviation is a half. A bin without bads keeps a finite weight, and small bins shrink to 0.
INFORMATION = 4.0
MOST_WEIGHT = 2.0  # of a category's evidence: luck that was shrunk out of it is not blown up again


def weights_of_evidence(
    bins: NDArray[np.uint8],
    bad: NDArray[np.bool_],
    n_bins: int,
    sign: int = 0,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Smoothed weight of evidence of every bin, shape (n_bins,), the missing one last; 0 for a bin without people.

    sign : +1 or -1 where weights must rise or fall with the bin, 0 where they are free
    """
    weight = np.ones(len(bad)) if weight is None else weight
    bads = np.bincount(bins, weights=bad * weight, minlength=n_bins)
    people = np.bincount(bins, weights=weight, minlength=n_bins)
    return _smoothed(bads, people, float(np.average(bad, weights=weight)), sign)


def _smoothed(
    bads: NDArray[Any], people: NDArray[Any], rate: float, sign: int, information: float = INFORMATION
) -> NDArray[np.float64]:
    added = information / (rate * (1 - rate))
    risk = (bads + added * rate) / (people + added)
    woe = np.log((1 - risk) / risk) - np.log((1 - rate) / rate)
    if sign:  # small bins shrink more than their neighbours, which can turn their order
        woe[:-1] = isotonic_regression(woe[:-1], weights=people[:-1] + added, increasing=sign > 0).x
    return np.asarray(woe)


def shared_information(bads: NDArray[Any], people: NDArray[Any], rate: float) -> float:
    """Information on its log-odds that each category is given from the average: the less, the more they differ.

    The inverse of the variance between categories by the method of moments (DerSimonian and Laird, 1986), as evidence
    of categories with many levels wants to be shrunk (Micci-Barreca, "A preprocessing scheme for high-cardinality
    categorical attributes", 2001). Categories that differ no more than luck would have it are given nothing but that.
    """
    own = people * rate * (1 - rate)
    own, excess = own[people > 0], (bads - people * rate)[people > 0]
    if len(own) < 2:
        return INFORMATION
    left = own.sum() - (own**2).sum() / own.sum()
    variance = ((excess**2 / own).sum() - (len(own) - 1)) / left
    information: float = max(INFORMATION, 1 / max(variance, 1e-6))
    return information


def fit_woe(
    bins: NDArray[np.uint8],
    ordinary: NDArray[np.int64],
    ordered: NDArray[np.bool_],
    bad: NDArray[np.bool_],
    weight: NDArray[np.float64],
    signs: NDArray[np.int64],
    strength: float,
    fine_least: float | None = None,
) -> list[NDArray[np.float64]]:
    """Effects in log-odds of good of every bin, the missing bin last, as the classical scorecard has them.

    Parameters
    ----------
    bins : (d, n) bin of each person in each feature
    ordinary : (d,) bins without the missing one; ordered : (d,) True for a number, False for categories
    bad : (n,) True = defaulted; weight : (n,) for how many people each stands
    signs : (d,) +1 where points must rise with the bin, -1 where they must fall, 0 where they are free
    strength : inverse of the ridge penalty on the weights, > 0
    fine_least : bins are fine ones; a number's share the evidence of their block of at least so many people, and the
        blocks' bad rates turn at most once

    Notes
    -----
    Weights are kept at 0 or above: a feature whose joint weight turned against its own weight of evidence would give
    more points to riskier bins, which no credit officer signs and which would break a monotone request. Those of
    categories are kept at `MOST_WEIGHT` or below: they are fitted on the people whom the evidence was read off.
    """
    rate = float(np.average(bad, weights=weight))
    evidence, woe = np.empty((bins.shape[1], len(bins))), []
    for j, (own, m) in enumerate(zip(bins, ordinary, strict=True)):
        bads, people = (np.bincount(own, weights=w, minlength=m + 1) for w in (bad * weight, weight))
        if ordered[j]:
            woe.append(_of_numbers(bads, people, rate, int(signs[j]), fine_least))
            evidence[:, j] = woe[j][own]
            continue
        woe.append(_smoothed(bads, people, rate, 0, shared_information(bads, people, rate)))
        evidence[:, j] = woe[j][own]
    _, weights = fit_weights(evidence, bad, strength, weight, np.where(ordered, np.inf, MOST_WEIGHT))
    return [w * own for w, own in zip(weights, woe, strict=True)]


def _of_numbers(
    bads: NDArray[Any], people: NDArray[Any], rate: float, sign: int, least: float | None
) -> NDArray[np.float64]:
    if least is None:
        return _smoothed(bads, people, rate, sign)
    m = len(bads) - 1
    goods = people - bads
    starts = pool_violators(bads[:m], goods[:m], rising=sign < 0) if sign else pool_turns(bads[:m], goods[:m])
    b, g = np.add.reduceat(bads[:m], starts), np.add.reduceat(goods[:m], starts)
    starts = np.append(starts[merge(b, g, MAX_BINS, least, price=0.0)], m)
    blocks = _smoothed(np.add.reduceat(bads, starts), np.add.reduceat(people, starts), rate, sign)
    return np.repeat(blocks, np.diff(np.append(starts, m + 1)))


@njit(cache=True, nogil=True)
def _loss(parameters: Any, evidence: Any, good: Any, weight: Any, strength: float) -> Any:
    """Logistic loss with a ridge penalty, and its gradient, (d + 1,).

    One pass in a fixed order: a library's threads would wait for each other longer than this takes, and add up in an
    order that hangs on their number, so that the same people could give another card on another machine. Four people's
    margins are added up side by side, since one sum waits for itself; each in the order of its own columns.
    """
    value, gradient, (n, d) = 0.0, np.zeros(parameters.size), evidence.shape
    margins, errors = np.empty(4), np.empty(4)
    for start in range(0, n, 4):
        first, second, third, fourth = start, min(start + 1, n - 1), min(start + 2, n - 1), min(start + 3, n - 1)
        one = two = three = four = parameters[0]
        for j in range(d):
            slope = parameters[j + 1]
            one += slope * evidence[first, j]
            two += slope * evidence[second, j]
            three += slope * evidence[third, j]
            four += slope * evidence[fourth, j]
        margins[0], margins[1], margins[2], margins[3] = one, two, three, four
        errors[:] = 0.0
        for i in range(start, min(start + 4, n)):
            margin = margins[i - start]
            e = np.exp(-abs(margin))
            value += weight[i] * (np.log1p(e) + max(margin, 0.0) - (margin if good[i] else 0.0))
            errors[i - start] = weight[i] * ((1.0 if margin > 0 else e) / (1.0 + e) - (1.0 if good[i] else 0.0))
            gradient[0] += errors[i - start]
        one, two, three, four = errors[0], errors[1], errors[2], errors[3]
        for j in range(d):
            pull = gradient[j + 1] + one * evidence[first, j]
            pull += two * evidence[second, j]
            pull += three * evidence[third, j]
            gradient[j + 1] = pull + four * evidence[fourth, j]
    for j in range(1, parameters.size):
        value += 0.5 / strength * parameters[j] ** 2
        gradient[j] += parameters[j] / strength
    return value, gradient


def fit_weights(
    evidence: NDArray[np.float64],
    bad: NDArray[np.bool_],
    strength: float,
    weight: NDArray[np.float64],
    most: NDArray[np.float64] | None = None,
) -> tuple[float, NDArray[np.float64]]:
    """Intercept, and a weight of 0 or above for each column of evidence (n, d) of good, under a ridge penalty.

    weight : (n,) of the people; most : (d,) greatest weight of each column, infinite by default
    """
    good, rate = ~bad, float(np.average(bad, weights=weight))
    start = np.concatenate([[np.log((1 - rate) / rate)], np.full(evidence.shape[1], 0.5)])
    top = [None] * evidence.shape[1] if most is None else [float(m) if np.isfinite(m) else None for m in most]
    bounds = [(None, None), *((0.0, m) for m in top)]
    best = minimize(_loss, start, (evidence, good, weight, strength), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(best[0]), best[1:]
