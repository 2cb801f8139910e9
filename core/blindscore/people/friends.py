"""Who is friends with whom: people meet where they live, work, believe and argue.

Foci (Feld, "The focused organization of social ties", 1981): in each focus people stand in an order by what the focus
sorts them by plus noise, and befriend others who stand near. Nearness in several orders gives homophily; picking from
small windows gives triangles; log-normal sociability gives the long tail of degrees. Cost grows as n log n.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from blindscore.people.equations import Floats
from blindscore.people.noise import count, normal, uniform
from blindscore.people.variables import AGE, AREA, CONSC, MEANS, N_ROOTS, PIETY, POLITICS, SOCIABLE, STRAIN

Edges = NDArray[np.int32]
_KEY, _PICK = 800, 810
FOCI = 4


@njit(cache=True)
def _keys(seed: int, root: Floats) -> Floats:
    """Order of each person in each focus, (FOCI, n): home, work, faith, politics."""
    n = root.shape[0]
    out = np.empty((FOCI, n))
    for i in range(n):
        r = root[i]
        age = (r[AGE] - 45.0) / 18.0
        out[0, i] = r[AREA] + uniform(seed, _KEY, 0, i)
        mood = r[STRAIN] - r[CONSC] - r[MEANS]
        out[1, i] = math.floor(r[AREA] / 5.0) * 100.0 + age + 1.2 * mood + 1.0 * normal(seed, _KEY, 1, i)
        out[2, i] = math.floor(r[AREA] / 5.0) * 100.0 + 2.0 * r[PIETY] + 0.5 * age + normal(seed, _KEY, 2, i)
        out[3, i] = math.floor(r[AREA] / 5.0) * 100.0 + 2.0 * r[POLITICS] + 0.5 * age + normal(seed, _KEY, 3, i)
    return out


@njit(cache=True)
def _picks(
    seed: int, order: NDArray[np.int64], root: Floats, focus: int, mean: float, window: int
) -> NDArray[np.int64]:
    """Codes `first * n + second` of the ties made in one focus."""
    n = order.size
    many = np.empty(n, np.int64)
    total = 0
    for i in range(n):
        rate = mean * math.exp(0.6 * root[i, SOCIABLE] - 0.18)
        many[i] = min(60, int(count(rate, uniform(seed, _PICK + focus, 0, i))))
        total += many[i]
    out = np.empty(total, np.int64)
    k = 0
    for place in range(n):
        i = order[place]
        for j in range(many[i]):
            step = 1 + int(window * uniform(seed, _PICK + focus, 1 + j, i))
            other = order[place + step if place + step < n else place - step]
            out[k] = min(i, other) * n + max(i, other)
            k += 1
    return out


def friendships(seed: int, root: Floats) -> Edges:
    """Undirected edges, (m, 2) int32, each once, first < second, sorted. `root` is (n, N_ROOTS)."""
    n = len(root)
    assert root.shape[1] == N_ROOTS
    if n < 30:  # fewer people than a window: everybody knows everybody
        first, second = np.triu_indices(n, 1)
        return np.column_stack([first, second]).astype(np.int32)
    codes = [
        _picks(seed, np.argsort(key, kind="stable"), root, focus, mean, window)
        for focus, (key, mean, window) in enumerate(
            zip(_keys(seed, root), (2.0, 2.0, 2.0, 2.0), (6, 8, 8, 8), strict=True)
        )
    ]
    unique = np.unique(np.concatenate(codes))
    return np.column_stack([unique // n, unique % n]).astype(np.int32)


@njit(cache=True)
def _sums(edges: Edges, n: int, value: Floats) -> tuple[Floats, NDArray[np.int64]]:
    total = np.zeros(n)
    known = np.zeros(n, np.int64)
    for k in range(edges.shape[0]):
        a, b = edges[k, 0], edges[k, 1]
        if not math.isnan(value[b]):
            total[a] += value[b]
            known[a] += 1
        if not math.isnan(value[a]):
            total[b] += value[a]
            known[b] += 1
    return total, known


def friends_mean(edges: Edges, n: int, value: Floats) -> Floats:
    """Mean of `value` over each person's friends, (n,); NaN for a person without a friend whose value is known."""
    total, known = _sums(edges, n, value)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)
