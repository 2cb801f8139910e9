"""Weight of evidence and logistic regression: the classical scorecard.

``woe(bin) = ln(share of goods in the bin / share of bads in the bin)``; log-odds of good are
``intercept + sum_j weight_j * woe_j(bin)`` (Siddiqi, "Credit Risk Scorecards", 2006, ch. 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

SMOOTHING = 1.0  # people of average risk added to every bin, so that a bin without bads keeps a finite weight


@dataclass(frozen=True)
class Effects:
    """An additive model in log-odds of good: an intercept and one effect a bin."""

    intercept: float
    effects: tuple[NDArray[np.float64], ...]  # one array a feature, the missing bin last
    woe: tuple[NDArray[np.float64], ...]  # weight of evidence a bin, for the table


def weights_of_evidence(bins: NDArray[np.uint8], bad: NDArray[np.bool_], n_bins: int) -> NDArray[np.float64]:
    """Weight of evidence of every bin, shape (n_bins,); 0 for a bin without people."""
    bads = np.bincount(bins, weights=bad, minlength=n_bins)
    people = np.bincount(bins, minlength=n_bins)
    rate = bad.mean()
    smooth = (bads + SMOOTHING * rate) / (people + SMOOTHING)
    return np.log((1 - smooth) / smooth) - np.log((1 - rate) / rate)


def fit_woe(bins: NDArray[np.uint8], n_bins: list[int], bad: NDArray[np.bool_], strength: float) -> Effects:
    """Fit the classical scorecard.

    Parameters
    ----------
    bins : (n, d) bin of each person in each feature
    n_bins : bins of each feature, the missing one included
    bad : (n,) True = defaulted
    strength : inverse of the ridge penalty on the weights, > 0

    Notes
    -----
    Weights are kept at 0 or above: a feature whose joint weight turned against its own weight of evidence would give
    more points to riskier bins, which no credit officer signs and which would break a monotone request.
    """
    woe = tuple(weights_of_evidence(bins[:, j], bad, m) for j, m in enumerate(n_bins))
    evidence = np.column_stack([w[bins[:, j]] for j, w in enumerate(woe)])
    good = ~bad

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = parameters[1:]
        margin = parameters[0] + evidence @ weights
        error = expit(margin) - good
        value = np.logaddexp(0.0, margin).sum() - margin[good].sum() + 0.5 / strength * weights @ weights
        return value, np.concatenate([[error.sum()], evidence.T @ error + weights / strength])

    rate = bad.mean()
    start = np.concatenate([[np.log((1 - rate) / rate)], np.full(len(woe), 0.5)])
    bounds = [(None, None)] + [(0.0, None)] * len(woe)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Effects(float(best[0]), tuple(weight * w for weight, w in zip(best[1:], woe, strict=True)), woe)
