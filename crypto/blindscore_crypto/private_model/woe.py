"""Method "woe": noisy histograms, weights of evidence from them, and a private logistic regression on these.

Who sees what: the noisy counts and every gradient may be published; the card is computed from nothing else.
Assumption: discrete Gaussian noise. Not protected: the applicant.

A feature's weight of evidence says what its bins would be worth if it stood alone; the regression finds one coefficient
a feature, so that each of its gradients holds d numbers and not one a bin. A person's row of weights of evidence is cut
to a length that follows from the released counts, times the residual, and rounded to integers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from blindscore.kernel_cache import njit
from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.counts import Counts
from blindscore_crypto.private_model.layout import Floats, Layout
from blindscore_crypto.private_model.moments import Moments, release_labels
from blindscore_crypto.private_model.onestep import intercept_of, solve_first

COUNT_SHARE = 0.6  # of the budget, for people by bin and outcome
STEPS = 15
MOMENTUM = 0.7
STEADY = 0.05  # by which the noise of one step may move a coefficient; where people are few, steps become smaller
UNIT = 1024  # most integer steps in a gradient of the clipping length
MAX_STEPS = 4096.0  # noise above this gets coarser steps, which keeps the sampler's table short
PRIOR_SCALE = 0.5  # standard deviation of a coefficient about that of features which share the evidence alike


@njit(cache=True)
def coefficient_gradient(
    rows: Floats, bad: NDArray[np.bool_], coefficients: Floats, intercept: float, clip: float, unit: int
) -> Counts:
    """Sum of each person's rounded gradient, residual times row, rows cut to the length ``clip``.

    rows    : (n, d) float64, weights of evidence
    returns : (d,) int64, in steps of clip / unit; one person adds less than unit + sqrt(d) / 2 in length
    """
    n, d = rows.shape
    out = np.zeros(d, np.int64)
    for i in range(n):
        z, square = intercept, 0.0
        for j in range(d):
            z += coefficients[j] * rows[i, j]
            square += rows[i, j] * rows[i, j]
        residual = (1.0 if bad[i] else 0.0) - 1 / (1 + math.exp(-min(max(z, -30.0), 30.0)))
        factor = residual * unit / max(math.sqrt(square), clip)
        for j in range(d):
            out[j] += round(factor * rows[i, j])
    return out


def gradient_sensitivity(d: int, unit: int) -> float:
    """Largest L2 length of what one person adds to :func:`coefficient_gradient`: its own, and that of rounding."""
    return unit + math.sqrt(d) / 2


def evidence(moments: Moments) -> Floats:
    """Weight of evidence of every column, (k,), log-odds: each feature alone, with neighbours alike and noise shrunk.

    A feature's mean over people is taken away, so that it moves nobody's risk on the whole.
    """
    weights = solve_first(moments)
    parts = zip(moments.layout.split(weights), moments.layout.split(moments.shares), strict=True)
    return np.concatenate([part - float(share @ part) for part, share in parts])


def train(
    bins: NDArray[np.uint8], bad: NDArray[np.bool_], layout: Layout, multiplier: float, budget: Budget
) -> tuple[list[Floats], float]:
    """Return (weights a feature, intercept), log-odds of default; see :data:`~.methods.METHODS`."""
    columns, d = layout.columns(bins), layout.features
    moments = release_labels(columns, bad, layout, multiplier / math.sqrt(COUNT_SHARE), budget)
    worth = evidence(moments)
    rows = worth[columns]
    size = float(moments.shares @ worth**2)  # mean squared length of a row
    clip = max(math.sqrt(size), 1e-3)
    intercept, rate = float(logit(moments.bad_rate)), moments.bad_rate
    noise = multiplier / math.sqrt((1 - COUNT_SHARE) / STEPS)
    unit = max(2, min(UNIT, int(MAX_STEPS / noise)))
    middle = 1 / math.sqrt(d)
    # Curvature: p (1 - p) times the squared length of a row, which no eigenvalue of the mean outer product exceeds.
    stiffness = rate * (1 - rate) * moments.people * clip**2 + 1 / PRIOR_SCALE**2
    coefficients, velocity, mean = np.full(d, middle), np.zeros(d), np.zeros(d)
    for step in range(STEPS):
        exact = coefficient_gradient(rows, bad, coefficients, intercept, clip, unit)
        sums, sigma = budget.release(exact, "gradient of the coefficients", gradient_sensitivity(d, unit), noise)
        uphill = sums * clip / unit - (coefficients - middle) / PRIOR_SCALE**2
        velocity = MOMENTUM * velocity + uphill / max(stiffness, sigma * clip / unit / STEADY)
        coefficients = coefficients + velocity
        if step >= STEPS // 2:
            mean += coefficients / (STEPS - STEPS // 2)
    weights = worth * np.repeat(mean, layout.n_bins)
    return layout.split(weights), intercept_of(moments, moments.scatter(), weights)
