"""Who is friends with whom: people meet where they live, work, believe and argue.

Foci (Feld, "The focused organization of social ties", American Journal of Sociology 86(5), 1981): in each focus people
stand in an order by what the focus sorts them by plus noise, and befriend others who stand near. Nearness in several
orders gives homophily, picking from small windows gives triangles, and log-normal sociability the long tail of degrees:
the sociable make more ties, reach farther, and are sought by others. Cost grows as n log n.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import DRAWS, normal, uniform
from blindscore.people.latents import Floats
from blindscore.people.variables import AGE, AREA, CONSC, DESCENT, MEANS, PIETY, POLITICS, SIDE, SOCIABLE, STRAIN

Edges = NDArray[np.int32]
_KEY, _PICK = 800, 2000  # first variable numbers in the noise; a look takes PICK_BLOCKS variables
PICK_BLOCKS = 4
MAX_PICKS = PICK_BLOCKS * DRAWS // 2
FOCI = 4
MEAN_PICKS = 4.0  # ties that the average person makes in a focus
TAIL = 1.5  # standard deviation of log sociability
REACH = 1.5  # further people ahead for each tie
LOOKS = 6  # people met for each tie made
WINDOW = 4.0  # people ahead in the order, for the average person
AREAS_PER_TOWN = 5


@njit(cache=True)
def _keys(seed: int, root: Floats) -> Floats:
    """Order of each person in each focus, (FOCI, n): home, work, faith, politics."""
    n = root.shape[0]
    out = np.empty((FOCI, n))
    for i in range(n):
        r = root[i]
        age, mood = (r[AGE] - 45.0) / 18.0, 0.6 * (r[STRAIN] - r[CONSC] - r[MEANS])
        town = 100.0 * math.floor(r[AREA] / AREAS_PER_TOWN)
        out[0, i] = 100.0 * r[AREA] + 0.5 * age + r[SIDE] + normal(seed, _KEY, 0, i)
        out[1, i] = town + 1.5 * mood + age + r[SIDE] + 0.5 * normal(seed, _KEY, 1, i)
        out[2, i] = town + 2.0 * r[PIETY] + r[DESCENT] + 0.3 * age + r[SIDE] + 0.5 * normal(seed, _KEY, 2, i)
        out[3, i] = town + 2.0 * r[POLITICS] + 0.3 * age + r[SIDE] + 0.5 * normal(seed, _KEY, 3, i)
    return out


@njit(cache=True)
def _picks(seed: int, order: NDArray[np.int64], root: Floats, focus: int) -> NDArray[np.int64]:
    """Codes `first * n + second` of the ties made in one focus."""
    n = order.size
    many = np.empty(n, np.int64)
    total = 0
    for i in range(n):
        share = math.exp(TAIL * root[i, SOCIABLE] - 0.5 * TAIL**2)
        least = 1 if focus == 0 else 0  # everybody has somebody at home
        many[i] = min(MAX_PICKS, max(least, int(MEAN_PICKS * share + uniform(seed, _KEY, 10 + focus, i))))
        total += many[i]
    out = np.empty(total, np.int64)
    k = 0
    charm = root[order, SOCIABLE]  # in the focus's order, so that a window lies together in memory
    for place in range(n):
        i = order[place]
        reach = min(n // 2, int(WINDOW + REACH * many[i]))
        for j in range(many[i]):
            best = -1
            for attempt in range(LOOKS):  # of those met, the most sociable becomes the friend
                variable = _PICK + PICK_BLOCKS * (LOOKS * focus + attempt) + j // DRAWS
                step = 1 + int(reach * uniform(seed, variable, j % DRAWS, i))
                other = place + step if place + step < n else place - step
                if best < 0 or charm[other] > charm[best]:
                    best = other
            friend = order[best]
            out[k] = min(i, friend) * n + max(i, friend)
            k += 1
    return out


def friendships(seed: int, root: Floats) -> Edges:
    """Undirected edges among people with the given roots, (m, 2) int32, each once, first < second, sorted."""
    n = len(root)
    if n < 30:  # fewer people than a window: everybody knows everybody
        first, second = np.triu_indices(n, 1)
        return np.column_stack([first, second]).astype(np.int32)
    codes = [_picks(seed, np.argsort(key, kind="stable"), root, focus) for focus, key in enumerate(_keys(seed, root))]
    ties = np.sort(np.concatenate(codes))
    ties = ties[np.concatenate([[True], ties[1:] != ties[:-1]])]
    return np.column_stack([ties // n, ties % n]).astype(np.int32)


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


def refriend(edges: Edges, n: int, rows: NDArray[np.int64], wanted: int) -> Edges:
    """Give each of the rows `wanted` friends: it keeps its first ones, and makes new ones near its row if it has fewer.

    Rows are served in order; a row that is served later may drop or gain a tie to an earlier one.
    """
    chosen = np.zeros(n, np.bool_)
    chosen[rows] = True
    touched = chosen[edges[:, 0]] | chosen[edges[:, 1]]
    circle: dict[int, set[int]] = {int(i): set() for i in rows}
    pairs = {(a, b) for a, b in edges[touched].tolist()}
    for a, b in pairs:
        for one, other in ((a, b), (b, a)):
            if one in circle:
                circle[one].add(other)
    for i, known in circle.items():
        keep = sorted(known)[:wanted]
        for j in known.difference(keep):
            pairs.discard((min(i, j), max(i, j)))
            circle.get(j, set()).discard(i)
        known.intersection_update(keep)
        step = 1
        while len(known) < wanted:
            j = (i + step) % n
            step += 1
            if j != i and j not in known:
                known.add(j)
                pairs.add((min(i, j), max(i, j)))
                if j in circle:
                    circle[j].add(i)
    out = np.concatenate([edges[~touched], np.array(sorted(pairs), np.int32).reshape(-1, 2)])
    return np.ascontiguousarray(out[np.lexsort((out[:, 1], out[:, 0]))])
