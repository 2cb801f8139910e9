"""What a person does outside finance: baskets, browsing, posts, one month of them.

A habit is a rate with a lasting and a monthly part; a count is Poisson around it. Purchases are parents of browsing
(who buys, visits shops). A household's budget is fixed elsewhere: a basket says what it goes on, not how large it is,
so purchases are no parents of the ledger.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import count, normal, uniform
from blindscore.people.latents import Floats
from blindscore.people.variables import (
    AGE,
    ALCOHOL,
    BOOKS,
    BROWSE,
    CHILD,
    CONSC,
    COSMETICS,
    DESCENT,
    DIET,
    DRINKER,
    DRUGS,
    ETHNICITY,
    FRAILTY,
    GAMES,
    GROCERIES,
    HEDONISM,
    ILLNESS,
    MEANS,
    MEDICINES,
    N_BROWSE,
    N_CONDUCT,
    N_POSTS,
    N_SHOP,
    NAPPIES,
    ORIENTATION,
    PIETY,
    POLITICS,
    POSTS,
    PREGNANT,
    RARE_ILLNESS,
    RELIGION,
    SEX,
    SINGLE,
    SMOKER,
    SOCIABLE,
    STRAIN,
    SUPPLEMENTS,
    TOBACCO,
)

_SHOP, _BROWSE, _POST = 400, 500, 600  # first variable numbers in the noise
LASTING, MONTHLY = 0.975, math.sqrt(1.0 - 0.975**2)  # parts of a habit's noise; squares sum to 1


@njit("float64(int64, int64, int64, int64)", cache=True)
def _habit(seed: int, variable: int, month: int, i: int) -> float:
    """Standard normal noise of a habit in a month."""
    lasting = normal(seed, variable, 0, i)
    drawn: float = LASTING * lasting + MONTHLY * normal(seed, variable, 1 + 2 * month, i)
    return drawn


@njit("float64(int64, int64, int64, int64, float64, float64)", cache=True)
def _amount(seed: int, variable: int, month: int, i: int, log_mean: float, spread: float) -> float:
    """Overdispersed count: Poisson around a log-normal rate."""
    rate = math.exp(log_mean + spread * _habit(seed, variable, month, i))
    events: float = count(min(rate, 1e4), uniform(seed, variable, 2 + 2 * month, i))
    return events


@njit(cache=True)
def _basket(seed: int, month: int, i: int, r: Floats, t: NDArray[np.int8], o: Floats) -> None:
    child, youth, s, m = r[CHILD], (45.0 - r[AGE]) / 18.0, seed, month
    drink = 2.0 + 0.25 * r[HEDONISM] + 0.52 * t[DRINKER] - 1.5 * t[PREGNANT]
    o[GROCERIES] = _amount(s, _SHOP, m, i, 5.6 + 0.15 * r[MEANS] + 0.25 * child, 0.30)
    o[NAPPIES] = _amount(s, _SHOP + 1, m, i, -3.5 + 5.0 * child, 0.3)
    o[ALCOHOL] = _amount(s, _SHOP + 2, m, i, drink, 1.1)
    o[TOBACCO] = _amount(s, _SHOP + 3, m, i, 0.1 + 1.2 * t[SMOKER], 1.6)
    games = 1.0 + 0.4 * youth - 0.6 * r[CONSC] + 0.25 * r[STRAIN] - 0.5 * r[SEX]
    o[GAMES] = min(100.0, _amount(s, _SHOP + 4, m, i, games, 0.8))  # a week has 168 hours
    o[MEDICINES] = _amount(s, _SHOP + 5, m, i, 0.1 + 0.3 * r[FRAILTY] + 0.5 * t[ILLNESS] + 0.8 * t[RARE_ILLNESS], 0.7)
    o[SUPPLEMENTS] = _amount(s, _SHOP + 6, m, i, -1.0 + 0.25 * r[CONSC] + 0.9 * t[PREGNANT], 0.7)
    o[BOOKS] = _amount(s, _SHOP + 7, m, i, -0.2 + 0.55 * r[CONSC] + 0.3 * r[MEANS], 0.6)
    o[DIET] = _amount(s, _SHOP + 8, m, i, 1.6 + 0.55 * r[PIETY], 0.9)
    o[COSMETICS] = _amount(s, _SHOP + 9, m, i, 1.1 + 1.75 * r[SEX], 0.9)


@njit(cache=True)
def _browsing(seed: int, month: int, i: int, r: Floats, t: NDArray[np.int8], bought: float, b: Floats) -> None:
    """Weights of the browsing categories, before they are made shares."""
    youth = (45.0 - r[AGE]) / 18.0
    b[0] = 0.2 + 0.35 * r[POLITICS]
    b[1] = -0.8 + 0.35 * r[FRAILTY] + 0.4 * t[ILLNESS] + 0.3 * t[PREGNANT] + 0.8 * t[RARE_ILLNESS]
    b[2] = -1.8 + 0.35 * r[PIETY]
    b[3] = -1.8 + 1.5 * r[CHILD] + 0.7 * t[PREGNANT]
    b[4] = -1.7 + 0.2 * youth + 0.30 * t[SINGLE] + (0.9 - 0.4 * r[SEX]) * t[ORIENTATION]
    b[5] = -1.6 + 0.25 * bought
    b[6] = 0.8
    for k in range(N_BROWSE):
        b[k] = math.exp(b[k] + 0.6 * _habit(seed, _BROWSE + k, month, i))


@njit(cache=True)
def _posts(seed: int, month: int, i: int, r: Floats, t: NDArray[np.int8], p: Floats) -> None:
    talk, youth, s, m = 0.5 * r[SOCIABLE], (45.0 - r[AGE]) / 18.0, seed, month
    night = -0.3 + talk + 0.3 * r[HEDONISM] + 0.3 * youth + 0.2 * t[DRUGS] + 0.2 * t[SINGLE]
    p[0] = _amount(s, _POST, m, i, -0.4 + talk + 1.0 * r[POLITICS], 0.8)
    p[1] = _amount(s, _POST + 1, m, i, -0.4 + talk - 0.9 * r[POLITICS], 0.8)
    p[2] = _amount(s, _POST + 2, m, i, -0.7 + talk + 0.58 * r[PIETY] + 0.1 * t[RELIGION], 0.9)
    p[3] = _amount(s, _POST + 3, m, i, -1.2 + talk + 0.3 * r[FRAILTY] + 0.2 * t[ILLNESS], 0.9)
    p[4] = _amount(s, _POST + 4, m, i, 0.3 + talk + 0.6 * r[CHILD] + 0.5 * t[PREGNANT] - 0.1 * t[SINGLE], 0.8)
    p[5] = _amount(s, _POST + 5, m, i, night, 0.9)
    p[6] = _amount(s, _POST + 6, m, i, -2.1 + talk + (2.2 - 0.75 * r[SEX]) * t[ORIENTATION], 0.8)
    p[7] = _amount(s, _POST + 7, m, i, 0.8 + talk - 1.6 * r[SEX], 0.8)
    p[8] = _amount(s, _POST + 8, m, i, -2.0 + talk + 0.2 * r[DESCENT] + 3.1 * (t[ETHNICITY] > 0), 0.8)


@njit(cache=True)
def _shares(weight: Floats, fixed: Floats) -> None:
    """Turn weights into shares in place: fixed ones stand, the others divide what is left."""
    held, free = 0.0, 0.0
    for k in range(weight.size):
        if math.isnan(fixed[k]):
            free += weight[k]
        else:
            held += fixed[k]
    for k in range(weight.size):
        weight[k] = weight[k] / free * (1.0 - held) if math.isnan(fixed[k]) else fixed[k]


@njit(cache=True)
def conduct(
    seed: int, month: int, root: Floats, trait: NDArray[np.int8], plans: Floats, plan: NDArray[np.int32]
) -> Floats:
    """Baskets, browsing shares and posts of one month, (n, N_CONDUCT).

    plans : (p, N_CONDUCT) float64, interventions: a number replaces the variable's equation, NaN leaves it
    plan  : (n,) int32, which of the plans a person is under
    """
    n = root.shape[0]
    out = np.empty((n, N_CONDUCT))
    for i in range(n):
        r, t, o, fixed = root[i], trait[i], out[i], plans[plan[i]]
        _basket(seed, month, i, r, t, o)
        for k in range(N_SHOP):
            if not math.isnan(fixed[k]):
                o[k] = fixed[k]
        bought = math.log1p(o[GROCERIES] + o[ALCOHOL] + o[TOBACCO] + o[COSMETICS] + 10.0 * o[NAPPIES])
        _browsing(seed, month, i, r, t, bought, o[BROWSE : BROWSE + N_BROWSE])
        _shares(o[BROWSE : BROWSE + N_BROWSE], fixed[BROWSE : BROWSE + N_BROWSE])
        _posts(seed, month, i, r, t, o[POSTS : POSTS + N_POSTS])
        for k in range(POSTS, N_CONDUCT):
            if not math.isnan(fixed[k]):
                o[k] = fixed[k]
    return out
