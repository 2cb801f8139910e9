"""Bounds: upper limits on any attack's advantage, each with the reason why it holds.

For a view with a finite alphabet nobody can do better than Bayes, so the bound is computed, not attacked: for a
secret of two classes it is the total variation distance ``TV(P(V|S=1), P(V|S=0))``; for k classes
``(sum_v max_s P(v|s) - 1) / (k - 1)``, which is the same thing at k = 2. For a view of one bit it is the demographic
parity gap. Source of the identity for two classes: Yeom et al., "Privacy Risk in Machine Learning" (2018), and the
Neyman-Pearson lemma; of the (epsilon, delta) bound: Kairouz, Oh and Viswanath, "The Composition Theorem for
Differential Privacy" (2015), remark on the privacy region.

A finite view's bound comes twice. *These people*: exact on the targets, since no function of the view can beat it on
them. *People like these*: an upper confidence limit on what holds in the population that they were drawn from, of
which the first is merely an estimate. The limit is the lower of two, each wrong with half the chance: Clopper and
Pearson's (1934) for every cell P(v|s), one more cell standing for values that nobody showed; and McDiarmid's inequality
(1989), by which ``sum_v max_s`` of the shares, whose mean is no less than the true figure, falls short of its mean by
more than ``sqrt(log(1/a) sum_s (1/n_s) / 2)`` with chance a at most. Chances are divided by :data:`TABLE_ROWS`, so that
all limits of a table hold together with 95%.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

TABLE_ROWS = 200  # limits that hold together: those that a table of one coalition may have
CROWDS = (1_000, 10_000, 100_000, 1_000_000)  # people among whom one is named; marks are held to the first
LEVEL = 0.05 / TABLE_ROWS  # chance that one limit is wrong


class Bound(NamedTuple):
    """An upper limit on any attack's advantage."""

    alike: float  # on people like these: a confidence limit
    these: float  # on exactly these people


def finite_view_bounds(
    view: NDArray[np.integer], secret: NDArray[np.integer], universe: int | None = None, level: float = LEVEL
) -> Bound:
    """Return :func:`finite_view_bound`, and its upper confidence limit for the population behind these people.

    Parameters
    ----------
    view : (n,) int, index of the value that each person's view takes
    secret : (n,) int, class 0..k-1
    universe : int, optional
        How many values the view can take at all; None: more than were seen.
    level : float
        Chance that the limit lies under the population's value.
    """
    values, m = _coded(view)
    classes, k = _coded(secret)
    these = _told(values, m, classes, k)
    if universe == 1 or k < 2:
        return Bound(these, these)
    counts = np.bincount(classes * m + values, minlength=k * m).reshape(k, m)
    size = counts.sum(axis=1)
    unseen = m + 1 if universe is None else universe - m
    cell = level / 2 / (k * (m + (unseen > 0)))
    highest = np.where(
        counts < size[:, None], beta.ppf(1 - cell, counts + 1, np.maximum(size[:, None] - counts, 1)), 1.0
    )
    # Of one value that nobody showed the largest share counts; of several each class may show its own.
    none = 1.0 - cell ** (1.0 / size) if unseen > 0 else np.zeros(k)
    by_cells = (highest.max(axis=0).sum() + (none.max() if unseen == 1 else none.sum()) - 1.0) / (k - 1)
    by_spread = these + math.sqrt(math.log(2 / level) * (1.0 / size).sum() / 2) / (k - 1)
    return Bound(float(min(1.0, by_cells, by_spread)), these)


def finite_view_bound(view: NDArray[np.integer], secret: NDArray[np.integer]) -> float:
    """Return the best possible ``(k BA - 1)/(k - 1)`` of any function of the view, on the given people.

    Exact for these people (no function of the view can beat it on them). As an estimate for the population behind them
    it is not too low in expectation, but is too low on many a draw: :func:`finite_view_bounds` gives a limit.

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


def share_bound(best: float, prior: float, people: int, level: float = LEVEL) -> Bound:
    """Return the bound of a hit rate over what the prior gives, ``(best - prior)/(1 - prior)``.

    Parameters
    ----------
    best : float, mean over people of the best that any function of the view answers rightly, each person's share 0..1
    prior : float, the same of the one commonest answer
    people : int, independent ones; the limit is McDiarmid's, as in :func:`finite_view_bounds`, half the chance on each
    """
    slack = math.sqrt(math.log(2 / level) / (2 * people))
    most, least = min(1.0, best + slack), max(0.0, prior - slack)
    these = (best - prior) / (1.0 - prior) if prior < 1.0 else 0.0
    return Bound((most - least) / (1.0 - least) if least < 1.0 else 0.0, these)


def identification_bound(universe: int, people: int) -> float:
    """Return the largest corrected hit rate of naming records that take at most ``universe`` values.

    For each value of the view the attacker names one person, so at most ``universe`` of ``people`` are right; corrected
    for guessing: ``(hit - 1/n)/(1 - 1/n)``.
    """
    if people < 2:
        return 0.0
    hit = min(1.0, universe / people)
    return max(0.0, (hit - 1.0 / people) / (1.0 - 1.0 / people))


def crowd_bound(universe: int, people: int) -> Bound:
    """Return the bound of naming one of a crowd: at the smallest crowd that is spoken of, and among these people.

    A share m/n of people named falls as the crowd grows, so that a bound at however many were simulated would say
    nothing of a lender with fewer applicants.
    """
    return Bound(identification_bound(universe, CROWDS[0]), identification_bound(universe, people))


def crowd_words(universe: int) -> str:
    """Say how the share that can be named at most falls as the crowd grows."""
    shares = (f"{identification_bound(universe, people):.4f} of {people:,}" for people in CROWDS)
    return "at most " + ", ".join(shares)


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
