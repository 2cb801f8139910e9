"""Try to break the guarantee: tell from what was released whether one chosen person was in the training data.

Who sees what: the auditor chooses the people and the canary, knows everybody else, and reads every release (gradient
level) or the finished card alone (model level). Assumption: none; an audit gives a lower bound on what leaks, and one
above the claim is proof of a defect. Not shown: that no better attack exists.

Many runs with and without the canary give a rate of false and of true alarms with exact intervals (Clopper and Pearson,
1934), and from these a lower bound on mu of Gaussian differential privacy (Dong, Roth, Su, "Gaussian differential
privacy", JRSS B 2022): ``mu >= z(true alarms) - z(false alarms)``, z the normal quantile. The claim is turned into mu
the same way: the largest mu that is (epsilon, delta)-private.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta, norm

from blindscore.errors import ParameterError
from blindscore_crypto.private_model import onestep
from blindscore_crypto.private_model.accounting import Budget, check_budget, whole_budget
from blindscore_crypto.private_model.counts import label_counts, pair_counts, residual_sums

Floats = NDArray[np.float64]
Fit = Callable[[NDArray[np.uint8], NDArray[np.bool_]], Floats]


@dataclass(frozen=True)
class Audit:
    """Result of a many-run audit; mu_low at 97.5% confidence on either rate, so 95% in all."""

    true_alarms: float  # share of runs with the canary that raised the alarm
    false_alarms: float  # share of runs without it
    runs: int  # of either kind
    mu_low: float  # lower bound on mu, by the attack; 0 where nothing was found
    mu_claimed: float  # of the claimed epsilon and delta

    @property
    def advantage(self) -> float:
        """True alarms less false alarms."""
        return self.true_alarms - self.false_alarms


def mu_of(epsilon: float, delta: float) -> float:
    """Return the largest mu such that mu-GDP implies (epsilon, delta)-DP (Dong, Roth, Su 2022, corollary 1)."""
    check_budget(epsilon, delta)

    def excess(mu: float) -> float:
        upper, lower = norm.cdf(-epsilon / mu + mu / 2), norm.logcdf(-epsilon / mu - mu / 2)
        return float(upper - math.exp(epsilon + lower)) - delta

    return float(brentq(excess, 1e-4, 50.0))


def judge(
    with_canary: Floats, without: Floats, threshold: float, epsilon: float, delta: float, confidence: float = 0.95
) -> Audit:
    """Return the audit of an attack's statistics; the threshold must have been fixed without looking at them."""
    if len(with_canary) != len(without) or len(without) < 10:
        raise ParameterError("an audit needs at least 10 runs, as many with the canary as without")
    n, tail = len(without), (1 - confidence) / 2
    hits, errors = int((with_canary > threshold).sum()), int((without > threshold).sum())
    hit_low = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    error_high = float(beta.ppf(1 - tail, errors + 1, n - errors)) if errors < n else 1.0
    mu_low = max(0.0, float(norm.ppf(hit_low) - norm.ppf(error_high))) if hit_low > 0 and error_high < 1 else 0.0
    return Audit(hits / n, errors / n, n, mu_low, mu_of(epsilon, delta))


def make_people(n: int, layout: onestep.Layout) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the auditor's own people, the same every time: good payers, all in the first bin."""
    return np.zeros((n, len(layout.n_bins)), np.uint8), np.arange(n) % 10 == 0


def audit_gradient(epsilon: float, delta: float, runs: int = 1000, people: int = 200, features: int = 4) -> Audit:
    """Audit method "onestep" with every release in view.

    The canary defaults, in bins that nobody else is in. The statistic is the likelihood ratio of all three noisy sums,
    which the auditor can compute exactly, knowing everybody else: no attack on the same releases does better.

    Parameters
    ----------
    epsilon, delta : float
        The claim.
    runs : int
        Runs with the canary, and as many without.
    people, features : int
        Size of the auditor's data; the guarantee does not depend on it.
    """
    layout = onestep.Layout((3,) * features, (True,) * features)
    multiplier = whole_budget(epsilon, delta)
    bins, bad = make_people(people, layout)
    canary = np.ones((1, features), np.uint8)
    base = bins.astype(np.int64) + layout.starts[:-1]
    more = np.vstack([base, canary.astype(np.int64) + layout.starts[:-1]])
    settings = {False: (base, bad), True: (more, np.append(bad, True))}
    found = {
        present: np.array(
            [_evidence(*settings[present], base, bad, layout, multiplier, epsilon, delta) for _ in range(runs)]
        )
        for present in settings
    }
    return judge(found[True], found[False], 0.0, epsilon, delta)


def _evidence(
    columns: NDArray[np.int64],
    bad: NDArray[np.bool_],
    others: NDArray[np.int64],
    others_bad: NDArray[np.bool_],
    layout: onestep.Layout,
    multiplier: float,
    epsilon: float,
    delta: float,
) -> float:
    """Log-likelihood ratio, canary in against out, of one run's releases."""
    budget = Budget(epsilon, delta)
    moments = onestep.release_moments(columns, bad, layout, multiplier, budget)
    residuals = onestep.release_residuals(columns, bad, moments, multiplier, budget)
    total, d = int(layout.starts[-1]), len(layout.n_bins)
    canary, guilty = layout.starts[:-1][None, :] + 1, np.array([True])
    at = (residuals.at, residuals.intercept, onestep.LOW, onestep.HIGH, residuals.unit)
    parts = [
        (
            moments.labels,
            label_counts(others, others_bad, total),
            label_counts(canary, guilty, total),
            moments.labels_sigma,
        ),
        (residuals.sums, residual_sums(others, others_bad, *at), residual_sums(canary, guilty, *at), residuals.sigma),
    ]
    if d > 1:
        parts.append((moments.pairs, pair_counts(others, total), pair_counts(canary, total), moments.pairs_sigma))
    evidence = 0.0
    for seen, expected, added, sigma in parts:
        shift = added.astype(np.float64)
        evidence += float((shift * (seen - expected)).sum() - (shift * shift).sum() / 2) / sigma**2
    return evidence


def audit_model(
    fit: Fit, epsilon: float, delta: float, n_bins: tuple[int, ...] = (3, 3, 3), runs: int = 500, people: int = 200
) -> Audit:
    """Audit any training method through its finished weights alone.

    Half of the runs teach the attack what weights look like with and without the canary (a linear discriminant with a
    ridge); the other half test it, at the threshold that the first half gave.

    Parameters
    ----------
    fit : callable
        (bins (n, d) uint8, bad (n,) bool) -> what is released, as a vector of a fixed length.
    epsilon, delta : float
        The claim to test.
    n_bins : bins of each feature of the auditor's people
    runs : int
        Runs with the canary, and as many without.
    people : int
    """
    layout = onestep.Layout(n_bins, (True,) * len(n_bins))
    bins, bad = make_people(people, layout)
    more, more_bad = np.vstack([bins, np.ones((1, len(n_bins)), np.uint8)]), np.append(bad, True)
    seen = {
        True: np.array([fit(more, more_bad) for _ in range(runs)], np.float64),
        False: np.array([fit(bins, bad) for _ in range(runs)], np.float64),
    }
    half = runs // 2
    lessons = {present: seen[present][:half] for present in seen}
    gap = lessons[True].mean(axis=0) - lessons[False].mean(axis=0)
    spread = (np.cov(lessons[True].T) + np.cov(lessons[False].T)) / 2
    spread = np.atleast_2d(spread)
    direction = np.linalg.solve(spread + np.eye(len(gap)) * (1e-3 * np.trace(spread) / len(gap) + 1e-9), gap)
    threshold = float((lessons[True].mean(axis=0) + lessons[False].mean(axis=0)) @ direction / 2)
    return judge(
        seen[True][half:] @ direction, seen[False][half:][: runs - half] @ direction, threshold, epsilon, delta
    )
