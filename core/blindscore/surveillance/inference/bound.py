"""Bounds: upper limits on any attack's advantage, each with the reason why it holds.

For a view with a finite alphabet nobody can do better than Bayes, so the bound is computed, not attacked: for a
secret of two classes it is the total variation distance ``TV(P(V|S=1), P(V|S=0))``; for k classes
``(sum_v max_s P(v|s) - 1) / (k - 1)``, which is the same thing at k = 2. For a view of one bit it is the demographic
parity gap. Source of the identity for two classes: Yeom et al., "Privacy Risk in Machine Learning" (2018), and the
Neyman-Pearson lemma; of the (epsilon, delta) bound: Kairouz, Oh and Viswanath, "The Composition Theorem for
Differential Privacy" (2015), remark on the privacy region.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def finite_view_bound(view: NDArray[np.integer], secret: NDArray[np.integer]) -> float:
    """Return the best possible ``(k BA - 1)/(k - 1)`` of any function of the view, on the given people.

    Exact for these people (no function of the view can beat it on them); as an estimate for the population behind
    them it lies too high by :func:`plug_in_bias`, never too low in expectation.

    Parameters
    ----------
    view : (n,) int, index of the value that each person's view takes
    secret : (n,) int, class 0..k-1
    """
    return _told(*_coded(view), *_coded(secret))


def _coded(values: NDArray[np.integer]) -> tuple[NDArray[np.integer], int]:
    """Return the values as 0..m-1, and m."""
    different, code = np.unique(values, return_inverse=True)
    return code, len(different)


def _told(view: NDArray[np.integer], alphabet: int, secret: NDArray[np.integer], k: int) -> float:
    """As :func:`finite_view_bound`, of values from 0 on, each of which occurs."""
    if k < 2:
        return 0.0
    counts = np.bincount(secret * alphabet + view, minlength=k * alphabet).reshape(k, alphabet).astype(np.float64)
    conditional = counts / counts.sum(axis=1, keepdims=True)
    return float(min(1.0, max(0.0, (conditional.max(axis=0).sum() - 1.0) / (k - 1))))


def plug_in_bias(
    view: NDArray[np.integer], secret: NDArray[np.integer], rng: np.random.Generator, rounds: int = 8
) -> float:
    """Return how high :func:`finite_view_bound` comes out when view and secret are independent (mean of shuffles)."""
    view, alphabet = _coded(view)
    secret, k = _coded(secret)
    return float(np.mean([_told(view, alphabet, rng.permutation(secret), k) for _ in range(rounds)]))


def identification_bound(universe: int, people: int) -> float:
    """Return the largest corrected hit rate of naming records that take at most ``universe`` values.

    For each value of the view the attacker names one person, so at most ``universe`` of ``people`` are right; corrected
    for guessing: ``(hit - 1/n)/(1 - 1/n)``.
    """
    if people < 2:
        return 0.0
    hit = min(1.0, universe / people)
    return max(0.0, (hit - 1.0 / people) / (1.0 - 1.0 / people))


def dp_bound(epsilon: float, delta: float, distance: float | None = None) -> float:
    """Return the largest TPR - FPR of any membership attack on an (epsilon, delta)-DP release.

    Parameters
    ----------
    epsilon, delta : float
    distance : float, optional
        Total variation distance between the release with and without one person, where its noise is known: no attack
        does better (Neyman-Pearson lemma), and (epsilon, delta) alone leaves room for worse noise.
    """
    grown = math.exp(min(epsilon, 700.0))
    return min(1.0, (grown - 1.0 + 2.0 * delta) / (grown + 1.0), 1.0 if distance is None else distance)


def entropy_bits(values: NDArray[np.generic]) -> float:
    """Return the Shannon entropy of a column, bits a record (plug-in)."""
    _, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())
