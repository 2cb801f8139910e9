"""Method "gradient": full-batch gradient descent on the one-hot bins, each gradient a noisy integer sum.

Who sees what: every gradient may be published; the card is computed from nothing else. Assumption: discrete Gaussian
noise. Not protected: the applicant.

Source: Bassily, Smith, Thakurta, "Private empirical risk minimization" (FOCS 2014), with all people in each step, so
that no step depends on sampling; residuals rounded to integers as in :mod:`~.counts`. The number of steps, the
momentum and the averaging over the second half are a public schedule. Each feature's columns sum to one, so that the
curvature is at most ``d`` times its diagonal: that is the step, and no norm needs to be guessed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.layout import Floats, Layout
from blindscore_crypto.private_model.moments import release_labels
from blindscore_crypto.private_model.onestep import intercept_of, residuals_at

COUNT_SHARE = 0.15  # of the budget, for people by bin and outcome
STEPS = 30
MOMENTUM = 0.8
STEADY = 0.03  # log-odds by which the noise of one step may move a weight; where people are few, steps become smaller
PRIOR_SCALE, PRIOR_STEP = 0.5, 0.3  # log-odds: of a bin, and of neighbouring bins per unit of the scale


def train(
    bins: NDArray[np.uint8], bad: NDArray[np.bool_], layout: Layout, multiplier: float, budget: Budget
) -> tuple[list[Floats], float]:
    """Return (weights a feature, intercept), log-odds of default; see :data:`~.methods.METHODS`."""
    columns = layout.columns(bins)
    moments = release_labels(columns, bad, layout, multiplier / math.sqrt(COUNT_SHARE), budget)
    noise = multiplier / math.sqrt((1 - COUNT_SHARE) / STEPS)
    rate = moments.bad_rate
    prior = layout.prior(PRIOR_STEP) / PRIOR_SCALE**2
    diagonal = rate * (1 - rate) * moments.people * moments.shares
    stiffness = layout.features * diagonal + 2 * np.diag(prior)  # a row of the prior sums to at most twice its diagonal
    alone = moments.scatter()  # no pairs were counted: features taken as independent
    weights, velocity, mean = (np.zeros(len(prior)) for _ in range(3))
    for step in range(STEPS):
        intercept = intercept_of(moments, alone, weights)
        residuals = residuals_at(columns, bad, weights, intercept, layout, noise, budget)
        found = residuals.gradient(moments)
        uphill = found.value - prior @ weights
        velocity = MOMENTUM * velocity + uphill / np.maximum(stiffness, math.sqrt(found.variance) / STEADY)
        weights = weights + velocity
        if step >= STEPS // 2:  # averaging costs no budget and steadies the weights
            mean += weights / (STEPS - STEPS // 2)
    return layout.split(mean), intercept_of(moments, alone, mean)
