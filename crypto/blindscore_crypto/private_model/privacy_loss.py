"""What discrete Gaussian noise costs: a hair more than continuous noise, whose cost is a closed formula.

Who sees what: plain formulas; nothing here touches data.

1. A release of integer sums with discrete Gaussian noise of parameter sigma is a rounding of a release with continuous
   Gaussian noise of variance ``sigma^2 - t^2``: draw ``x`` from the latter, then an integer ``z`` with probability
   proportional to ``exp(-(z - x)^2 / (2 t^2))``. What comes out is the discrete Gaussian of parameter sigma, but for a
   factor between ``(1 - eta) / (1 + eta)`` and ``1 + eta`` an entry, ``eta = 2 sum_j exp(-2 pi^2 t^2 j^2)`` (Peikert,
   "An efficient and parallel Gaussian sampler for lattices", CRYPTO 2010, theorem 3.1; here by Poisson summation, over
   the integers). The rounding sees nothing but a release, so it costs nothing, and what one person adds may be
   any vector of integers.
2. Only entries that the person changes need rounding so; there are at most ``Delta^2`` of them, since each changes by
   one at least. If P and Q are the transcripts with and without the person, and P', Q' those of the rounded continuous
   noise, then ``P <= (1 + eta)^n P'`` and ``Q >= ((1 - eta) / (1 + eta))^n Q'``, whatever the event, so that
   ``delta(epsilon) <= e^k delta'(epsilon - k)`` for ``k = n (2 log(1 + eta) - log(1 - eta)) < 4 n eta``. The variance
   ``t^2`` is chosen so that k is below a billionth a release.
3. Continuous releases of sensitivities ``Delta_j`` and variances ``v_j`` are together one Gaussian mechanism of
   ``mu^2 = sum_j Delta_j^2 / v_j``, also where sums and noise depend on earlier answers (Dong, Roth, Su, "Gaussian
   differential privacy", JRSS B 2022; Smith and Thakurta, "Fully adaptive composition for Gaussian differential
   privacy", 2022), and its delta is known exactly (Balle and Wang, "Improving the Gaussian mechanism for differential
   privacy", ICML 2018, theorem 8).
"""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.optimize import brentq
from scipy.special import log_ndtr

SLACK = 1e-6  # k of all releases together, in epsilon and as a share of delta
MOST_RELEASES = 1000  # discrete ones in a record, which share the slack
FINE = 1e-12  # relative error allowed to a root
LEAST_MU, MOST_MU = 1e-9, 100.0


def rounding_variance(sensitivity: float) -> float:
    """Return t^2: how much variance of discrete noise goes into rounding a continuous release to integers.

    Parameters
    ----------
    sensitivity : float
        Largest L2 length of the integer vector that one person adds.
    """
    changed = max(sensitivity, 1.0) ** 2  # entries, at most
    # 4 n eta <= SLACK / MOST_RELEASES, where eta < 2.5 exp(-2 pi^2 t^2)
    return math.log(10 * changed * MOST_RELEASES / SLACK) / (2 * math.pi**2)


def log_delta(mu: float, epsilon: float) -> float:
    """Return log(delta) of one Gaussian mechanism of sensitivity mu and noise 1 (Balle and Wang 2018, theorem 8)."""
    upper, lower = log_ndtr(mu / 2 - epsilon / mu), log_ndtr(-mu / 2 - epsilon / mu)
    return float(upper + math.log(-math.expm1(min(epsilon + lower - upper, -1e-300))))


def epsilon_of_mu(mu: float, delta: float) -> float:
    """Return the least epsilon at which one Gaussian mechanism of sensitivity mu and noise 1 keeps to delta."""
    if mu > MOST_MU:
        return math.inf
    if log_delta(mu, 0.0) <= math.log(delta):
        return 0.0
    high = mu * (mu / 2 + math.sqrt(-2 * math.log(delta)))  # by the tail bound of the normal distribution
    return float(brentq(lambda epsilon: log_delta(mu, epsilon) - math.log(delta), 0.0, high, rtol=FINE))


@lru_cache(maxsize=256)
def mu_of(epsilon: float, delta: float) -> float:
    """Return the largest mu such that mu-GDP implies (epsilon, delta)-DP (Dong, Roth, Su 2022, corollary 1)."""
    return float(brentq(lambda mu: log_delta(mu, epsilon) - math.log(delta), LEAST_MU, MOST_MU, rtol=FINE))
