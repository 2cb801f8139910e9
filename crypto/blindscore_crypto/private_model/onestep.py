"""Method "onestep", the default: three releases of noisy integer sums, and a scorecard from them alone.

Who sees what: the three noisy sums may be published; the scorecard is computed from nothing else. Assumption: discrete
Gaussian noise. Not protected: the applicant.

1. People by bin and outcome. They give the bad rate, the size of every bin, and the gradient at the constant model.
2. People by pairs of bins: how features go together, so that two that say the same are not counted twice.
3. One gradient of the logistic likelihood at the card that 1 and 2 give.

Where 1 shows that noise is far larger than what chance does to a bin, neither 2 nor 3 could be read: the rest of the
budget repeats 1, and the card is naive Bayes. The choice reads noisy counts alone, and either way costs the same.

From 1 and 2 follows a linear discriminant; with 3 it becomes a one-step Newton estimate (Le Cam, 1956), which nears
the maximum of the likelihood without iterating, so that the budget is split over three releases and not over dozens.
All noise levels are known, and the solution is the posterior mean under them and a prior: neighbouring bins are alike,
and no bin is worth much. How alike and how much is read off the released sums by their marginal likelihood (MacKay,
"Bayesian interpolation", Neural Computation 1992), which costs nothing further.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, logit, softmax

from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.counts import (
    Counts,
    pair_counts,
    residual_sensitivity,
    residual_sums,
)
from blindscore_crypto.private_model.layout import Layout
from blindscore_crypto.private_model.moments import Moments, release_labels, with_pairs

Floats = NDArray[np.float64]

# Fixed on Adult, the Barcelona credit file, the Polish bankruptcies, subsets of these and made-up people.
SHARES = (0.25, 0.3, 0.45)  # of the budget, for the three releases
# Where noise drowns the counts, the rest of the budget repeats release 1. From 0.2 to 0.35 made no difference on Adult,
# Australian, Barcelona, Caravan, Japanese, Polish, subsets of these and made-up people.
CLEAR = 0.2
LOW, HIGH = -0.6, 0.8  # residuals are clipped to this; a person of risk above 0.6 who pays, or below 0.2 who does not
UNIT = 256  # most steps that a residual of one is divided into
MAX_STEPS = 512.0  # noise above this gets coarser steps, which keeps the sampler's table short
DOUBT = 4.0  # people at the overall rate, per unit of noise, that a bin's own rate is averaged with
CAUTION = 0.25  # of the curvature that the noise in the pair counts may hide, counted on in the first step
PRIOR_SCALES = (0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4)  # log-odds: standard deviation of a bin
PRIOR_STEPS = (0.1, 0.3, 0.6)  # standard deviation of the difference between neighbouring bins, per unit of the scale


@dataclass(frozen=True)
class Gradient:
    """A noisy gradient of the log-likelihood at some weights."""

    at: Floats  # (k,) weights
    value: Floats  # (k,)
    variance: float  # of the noise, an entry


def first_gradient(moments: Moments) -> Gradient:
    """Return the gradient at the constant model, which the counts by bin and outcome already hold."""
    rate = moments.bad_rate
    value = moments.labels @ np.array([-rate, 1 - rate])
    variance = moments.labels_sigma**2 * (rate**2 + (1 - rate) ** 2)
    return Gradient(np.zeros(len(value)), _without_mean(moments, value), variance)


def _without_mean(moments: Moments, gradient: Floats) -> Floats:
    """Remove the direction of the intercept: the part of a gradient by which everybody's risk moves alike."""
    total = float(gradient.sum()) / len(moments.layout.n_bins)
    return gradient - moments.shares * total


def solve_weights(layout: Layout, curvature: Floats, gradients: list[Gradient]) -> Floats:
    """Return the posterior mean of the weights, (k,), given gradients with known noise.

    Each gradient is carried to a common point by the estimated curvature ``H``, and they are averaged by the inverse of
    their variance. The result ``t`` is normal about ``H w`` with covariance ``variance I + H``, the noise and the
    sampling error. The priors on the grid are averaged by how likely each makes ``t``.

    Parameters
    ----------
    layout : Layout
    curvature : (k, k), positive semi-definite
    gradients : list of Gradient
    """
    precision = np.array([1 / max(g.variance, 1e-9) for g in gradients])
    share = precision / precision.sum()
    target = sum(a * (g.value + curvature @ g.at) for a, g in zip(share, gradients, strict=True))
    covariance = curvature + np.eye(len(curvature)) * (1 / precision.sum() + 1e-6)
    found: list[tuple[float, Floats]] = []
    for step in PRIOR_STEPS:
        spread = cho_solve(cho_factor(layout.prior(step)), curvature)  # prior covariance times H
        explained = curvature @ spread
        for scale in PRIOR_SCALES:
            factor, lower = cho_factor(covariance + scale**2 * explained)
            solved = cho_solve((factor, lower), target)
            evidence = -float(target @ solved) / 2 - float(np.log(np.diag(factor)).sum())
            found.append((evidence, scale**2 * (spread @ solved)))
    trust = softmax([evidence for evidence, _ in found])
    return np.asarray(sum(part * weights for part, (_, weights) in zip(trust, found, strict=True)))


def intercept_of(moments: Moments, scatter: Floats, weights: Floats) -> float:
    """Log-odds at zero weights, such that the mean risk is the bad rate.

    The total of the weights is taken as normal over people, and its mean logistic by the probit approximation
    (MacKay, "The evidence framework applied to classification networks", Neural Computation 1992).
    """
    variance = float(weights @ scatter @ weights) / moments.people
    return float(logit(moments.bad_rate)) * math.sqrt(1 + math.pi * variance / 8) - float(moments.shares @ weights)


def solve_first(moments: Moments) -> Floats:
    """Return the weights, (k,), that the counts give: a linear discriminant, or naive Bayes without pair counts.

    It counts on some of the curvature that the noise may hide, so that many features that say the same thing do not
    carry it too far.
    """
    rate = moments.bad_rate
    cautious = rate * (1 - rate) * (moments.scatter() + CAUTION * moments.unseen * np.eye(len(moments.labels)))
    return solve_weights(moments.layout, cautious, [first_gradient(moments)])


def from_moments(moments: Moments) -> tuple[Floats, float]:
    """Return (weights, intercept) from counts alone."""
    weights = solve_first(moments)
    return weights, intercept_of(moments, moments.scatter(), weights)


@dataclass(frozen=True)
class Residuals:
    """The third release: noisy sums of rounded residuals at given weights."""

    at: Floats  # (k,) weights
    intercept: float
    sums: Floats  # (k,), in steps
    sigma: float  # in steps
    unit: int  # steps in a residual of one

    def gradient(self, moments: Moments) -> Gradient:
        """Return the gradient of the log-likelihood at the weights: undo the centring with the released counts."""
        middle = (LOW + HIGH) / 2
        raw = self.sums / self.unit + middle * moments.labels.sum(axis=1)
        variance = (self.sigma / self.unit) ** 2 + 2 * (middle * moments.labels_sigma) ** 2
        return Gradient(self.at, _without_mean(moments, raw), variance)


def residuals_at(
    columns: Counts,
    bad: NDArray[np.bool_],
    weights: Floats,
    intercept: float,
    layout: Layout,
    noise: float,
    budget: Budget,
) -> Residuals:
    """Release the sums of residuals at the given weights; ``noise`` in units of the sensitivity."""
    d = layout.features
    unit = max(2, min(UNIT, int(MAX_STEPS / (noise * math.sqrt(d)))))
    exact = residual_sums(columns, bad, weights, intercept, LOW, HIGH, unit)
    sums, sigma = budget.release(exact, "residuals by bin", residual_sensitivity(d, LOW, HIGH, unit), noise)
    return Residuals(weights, intercept, sums, sigma, unit)


def train(
    bins: NDArray[np.uint8], bad: NDArray[np.bool_], layout: Layout, multiplier: float, budget: Budget
) -> tuple[list[Floats], float]:
    """Return (weights a feature, intercept), log-odds of default, from three releases.

    Parameters
    ----------
    bins : (n, d) uint8
    bad : (n,) bool
    layout : Layout
    multiplier : float
        Noise, in units of the sensitivity, with which a single release would use up what is left of the budget.
    budget : Budget
    """
    columns = layout.columns(bins)
    noise = [multiplier / math.sqrt(share) for share in SHARES]
    moments = release_labels(columns, bad, layout, noise[0], budget)
    if moments.clarity / SHARES[0] < CLEAR:  # what the whole budget would show is too little
        again = release_labels(columns, bad, layout, multiplier / math.sqrt(1 - SHARES[0]), budget)
        weights, intercept = from_moments(moments.averaged(again))
        return layout.split(weights), intercept
    moments = with_pairs(moments, pair_counts(columns, len(moments.labels)), noise[1], budget)
    at, intercept = from_moments(moments)
    newton = residuals_at(columns, bad, at, intercept, layout, noise[2], budget).gradient(moments)
    scatter = moments.scatter()
    first, by_bin = first_gradient(moments), np.sqrt(relative_risk_variance(moments))
    alike = _risk_variance(moments, scatter, at) * scatter
    curvature = min((alike, alike * np.outer(by_bin, by_bin)), key=lambda h: missed(h, first, newton))
    weights = solve_both(layout, curvature, first, newton)
    return layout.split(weights), intercept_of(moments, scatter, weights)


def missed(curvature: Floats, first: Gradient, then: Gradient) -> float:
    """Squared error with which a curvature foretells the second gradient from the first: both are released."""
    return float(((then.value - first.value + curvature @ (then.at - first.at)) ** 2).sum())


def unexplained(curvature: Floats, first: Gradient, then: Gradient) -> float:
    """Variance, an entry, with which the first gradient misses the second beyond what noise in both explains.

    By the method of moments, as for the variance between studies (DerSimonian and Laird, "Meta-analysis in clinical
    trials", 1986).
    """
    return max(0.0, missed(curvature, first, then) / len(first.value) - first.variance - then.variance)


def solve_both(layout: Layout, curvature: Floats, first: Gradient, then: Gradient) -> Floats:
    """Return the weights, (k,), from two gradients and a curvature that is not exact.

    Whatever is wrong with the curvature (noise in the pair counts, one quadratic for a logistic likelihood) falsifies a
    gradient that is carried by it, the more the further. How much is seen where the first is carried to the second;
    on from there to the solution the squared error is taken to grow as the squared change of the gradient.
    """
    error = unexplained(curvature, first, then)
    far = replace(first, variance=first.variance + error)
    weights = solve_weights(layout, curvature, [far, then])
    seen, further = curvature @ (then.at - first.at), curvature @ (weights - then.at)
    share = min(1.0, float(further @ further) / max(float(seen @ seen), 1e-9))
    near = replace(then, variance=then.variance + share * error)
    return solve_weights(layout, curvature, [far, near])


def relative_risk_variance(moments: Moments) -> Floats:
    """p (1 - p) of every bin over its mean, (k,): where risks differ much, one curvature for all bins overshoots.

    A bin's rate is drawn to the overall one by as many people as noise makes doubtful.
    """
    doubt = DOUBT * moments.labels_sigma + 10
    people = np.maximum(moments.labels.sum(axis=1), 0)
    risk = np.clip((moments.labels[:, 1] + doubt * moments.bad_rate) / (people + doubt), 1e-3, 1 - 1e-3)
    variance = risk * (1 - risk)
    return np.asarray(variance * moments.layout.features / (moments.shares @ variance))


def _risk_variance(moments: Moments, scatter: Floats, weights: Floats) -> float:
    """Mean of p (1 - p) where the log-odds are normal with the card's own mean and variance (Gauss-Hermite)."""
    nodes, mass = np.polynomial.hermite_e.hermegauss(31)
    spread = math.sqrt(float(weights @ scatter @ weights) / moments.people)
    centre = intercept_of(moments, scatter, weights) + float(moments.shares @ weights)
    risk = expit(centre + spread * nodes)
    return float(mass @ (risk * (1 - risk)) / mass.sum())
