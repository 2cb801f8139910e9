"""Clocks: two parties that compare when they heard from somebody, and so join what no key joins.

A source knows who fetched, and when; a lender knows that somebody applied, and when. Two attacks, both of which know
how long people wait: each application goes to the fetch that is likeliest for it alone; or all go together to fetches
that are likeliest with every fetch used once (the Hungarian method; Kuhn 1955). Where waits are exponential the second
has many answers alike, and the first is the better one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import t

from blindscore.errors import ParameterError

IMPOSSIBLE = 1e9  # nats: an application before its fetch
Times = NDArray[np.float64]


def _likeliest_alone(cost: Times) -> NDArray[np.int64]:
    return np.asarray(cost.argmin(axis=1), np.int64)


def _likeliest_together(cost: Times) -> NDArray[np.int64]:
    return np.asarray(linear_sum_assignment(cost)[1], np.int64)


ATTACKS: dict[str, Callable[[Times], NDArray[np.int64]]] = {
    "each alone": _likeliest_alone,
    "all together": _likeliest_together,
}


def join_by_clock(
    attack: str, fetched: Times, applied: Times, log_density: Callable[[Times], Times]
) -> NDArray[np.int64]:
    """Return, for each application, the fetch that it is held to follow, (n,).

    Parameters
    ----------
    attack
        One of :data:`ATTACKS`.
    fetched, applied : (n,)
        Seconds.
    log_density
        Of the time between, seconds -> nats.

    Raises
    ------
    ParameterError
        The two differ in number.
    """
    if fetched.shape != applied.shape or fetched.ndim != 1:
        raise ParameterError(f"{len(fetched)} fetches and {len(applied)} applications; there must be one each")
    wait = applied[:, None] - fetched[None, :]
    cost = np.where(wait >= 0, -log_density(np.maximum(wait, 0.0)), IMPOSSIBLE)
    cost = cost + np.random.default_rng(len(fetched)).random(cost.shape) * 1e-6  # ties fall by chance, not by order
    return ATTACKS[attack](cost)


def days_interval(hits: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean over days and its 95% limits; people of one day depend on each other, days do not."""
    mean, n = float(hits.mean()), len(hits)
    if n < 2:
        return mean, 0.0, 1.0
    reach = float(t.ppf(0.975, n - 1) * hits.std(ddof=1) / np.sqrt(n))
    return mean, max(0.0, mean - reach), min(1.0, mean + reach)
