"""A peer for ``bench_private_model.py``: descent whose noise cancels from step to step (banded matrix factorisation).

Source: Choquette-Choo and others, "(Amplified) banded matrix factorization" (arXiv 2306.08153). People are dealt into b
groups at random; step t takes people of group t mod b alone, each with chance b times the rate, and adds ``C^-1 z`` in
place of fresh noise z, where C has b bands. As no two bands of C meet one person twice, T steps cost what T / b steps
of plain descent of that greater chance cost (their theorem 4). C: the square root of the prefix sums, cut to b bands,
columns of norm 1 (Kalinin and Lampert, 2024), in place of a numerically optimised one.
"""

import math
from functools import lru_cache

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit

from blindscore_crypto.private_model.accounting import Release, epsilon_of, least
from blindscore_crypto.private_model.opacus_fit import MOMENTUM, RATE_CAP, SAMPLING, STEPS

BANDS = (1, 2, 5, 10, 20)  # divisors of 1 / SAMPLING; 1 is plain descent
RATE_PER_SIGNAL = 0.02  # as the plain method; of this, 3 and 10 times as much tried on Adult and Barcelona


def factor(bands, steps=STEPS):
    """C, (T, T) lower triangular of so many bands, columns of norm 1."""
    c = np.cumprod([1.0] + [(2 * k - 1) / (2 * k) for k in range(1, bands)])
    out = sum(c[k] * np.eye(steps, k=-k) for k in range(bands))
    return out / np.linalg.norm(out, axis=0)


@lru_cache(maxsize=256)
def deviation(bands, epsilon, delta):
    """Least deviation of z, in units of what one person adds to a step, that keeps within the budget."""
    rounds, chance = -(-STEPS // bands), min(1.0, bands * SAMPLING)

    def fits(sigma):
        return epsilon_of((charged(sigma, rounds, chance),), delta) <= epsilon

    return least(fits, 0.3, 1000.0, precision=1e-3)


def charged(sigma, rounds, chance):
    """The record of a whole run."""
    return Release("sums of a group", 1.0, sigma, rounds, None if chance >= 1 else chance, "float")


@lru_cache(maxsize=256)
def plan(epsilon, delta):
    """Bands whose noise in the prefix sums is least, by root mean square, and their deviation; reads no data."""
    prefix = np.tril(np.ones((STEPS, STEPS)))

    def error(bands):
        left = solve_triangular(factor(bands).T, prefix.T, lower=False).T  # prefix C^-1
        return deviation(bands, epsilon, delta) * math.sqrt(np.mean((left**2).sum(axis=1)))

    best = min(BANDS, key=error)
    return best, deviation(best, epsilon, delta)


def banded_descent(x, bad, epsilon, delta, rng, bands=None, per_signal=RATE_PER_SIGNAL):
    """Weights, (k,), averaged over the second half of the steps; the number of people counts as known.

    Steps, rate of sampling, momentum and averaging are those of the method ``opacus``, so that noise alone differs.

    Parameters
    ----------
    x : (n, k) float64, rows of norm at most 1
    bad : (n,) bool
    """
    bands, sigma = plan(epsilon, delta) if bands is None else (bands, deviation(bands, epsilon, delta))
    noise = solve_triangular(factor(bands), rng.normal(0, sigma, (STEPS, x.shape[1])), lower=True)
    group, chance = rng.integers(bands, size=len(x)), min(1.0, bands * SAMPLING)
    size = SAMPLING * len(x)
    rate = min(RATE_CAP, per_signal * size / sigma) / size
    weights, velocity, mean = (np.zeros(x.shape[1]) for _ in range(3))
    for step in range(STEPS):
        taking = np.flatnonzero((group == step % bands) & (rng.random(len(x)) < chance))
        rows = x[taking]
        uphill = rows.T @ (bad[taking] - expit(rows @ weights)) + noise[step]
        velocity = MOMENTUM * velocity + uphill
        weights = weights + rate * velocity
        if step >= STEPS // 2:
            mean += weights / (STEPS - STEPS // 2)
    return mean
