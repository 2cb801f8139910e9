"""Structural equations: who a person is, and what the person does. One function a block, one row a person.

Every equation reads its parents and its own noise; nothing else. The coefficients are calibrated to the published
figures of :mod:`blindscore.people.facts` and have no meaning beyond that.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from blindscore.people.noise import count, normal, uniform
from blindscore.people.variables import (
    AGE,
    ALCOHOL,
    AREA,
    BOOKS,
    BROWSE,
    CHILD,
    CONSC,
    DEVICE_TYPE,
    DIET,
    DIGITAL,
    FRAILTY,
    GAMES,
    GROCERIES,
    HEDONISM,
    HOST,
    ILLNESS,
    LOWER,
    MEANS,
    MEDICINES,
    N_BROWSE,
    N_CONDUCT,
    N_ROOTS,
    N_SHOP,
    NAME,
    NAPPIES,
    NIGHT,
    NUMBER,
    ORIENT,
    ORIENTATION,
    PARTY,
    PIETY,
    POLITICS,
    POSTS,
    PREGNANT,
    RELIGION,
    SEX,
    SMOKER,
    SOCIABLE,
    STRAIN,
    SUPPLEMENTS,
    SYSTEM,
    THIN,
    TOBACCO,
    TYPO,
)

Floats = NDArray[np.float64]
# First variable number of each block in the noise; blocks are 100 apart so that none can touch another's noise.
_ROOT, _TRAIT, _DEVICE, _SHOP, _BROWSE, _POST, _OUTCOME = 0, 100, 200, 400, 500, 600, 700

# Log-odds of default a unit of latent; see `default_latent`.
W_STRAIN, W_CONSC, W_MEANS = 0.75, -0.50, -0.43  # of squared sum about 1
B_MONEY, B_DEVICE = 0.76, 0.84


@njit(cache=True)
def roots(seed: int, n: int, areas: int) -> Floats:
    """Latents and demographics, (n, N_ROOTS)."""
    out = np.empty((n, N_ROOTS))
    for i in range(n):
        r = out[i]
        age = 18.0 + 62.0 * uniform(seed, _ROOT, 0, i) ** 1.15
        youth = (45.0 - age) / 18.0
        r[AGE] = math.floor(age)
        r[SEX] = 1.0 if uniform(seed, _ROOT, 1, i) < 0.5 else 0.0
        r[AREA] = math.floor(areas * uniform(seed, _ROOT, 2, i))
        r[CONSC] = normal(seed, _ROOT, 3, i)
        r[MEANS] = normal(seed, _ROOT, 4, i)
        r[STRAIN] = normal(seed, _ROOT, 5, i)
        money = W_STRAIN * r[STRAIN] + W_CONSC * r[CONSC] + W_MEANS * r[MEANS]
        r[DIGITAL] = 0.20 * money + 0.98 * normal(seed, _ROOT, 6, i)
        r[POLITICS] = normal(seed, _ROOT, 7, i)
        r[PIETY] = normal(seed, _ROOT, 8, i)
        r[FRAILTY] = 0.9 * normal(seed, _ROOT, 9, i) - 0.45 * youth
        r[HEDONISM] = 0.95 * normal(seed, _ROOT, 10, i) - 0.3 * r[CONSC]
        r[SOCIABLE] = normal(seed, _ROOT, 11, i)
        r[ORIENT] = normal(seed, _ROOT, 12, i)
        fertile = 20.0 <= age < 43.0
        r[CHILD] = 1.0 if fertile and uniform(seed, _ROOT, 13, i) < 0.30 else 0.0
        r[THIN] = 1.0 if uniform(seed, _ROOT, 14, i) < 1.0 / (1.0 + math.exp(2.6 - 1.1 * youth)) else 0.0
    return out


@njit(cache=True)
def traits(seed: int, root: Floats) -> NDArray[np.int8]:
    """Secrets, (n, 6) of 0/1."""
    n = root.shape[0]
    out = np.zeros((n, 6), np.int8)
    for i in range(n):
        r = root[i]
        out[i, PARTY] = r[POLITICS] > 0.52  # 30 % opposition
        out[i, RELIGION] = r[PIETY] > 0.84  # 20 % of a minority faith
        out[i, ORIENTATION] = r[ORIENT] > 1.55  # 6 %
        out[i, SMOKER] = 0.8 * r[HEDONISM] + 0.6 * normal(seed, _TRAIT, 0, i) > 0.70  # 25 %
        out[i, ILLNESS] = 0.85 * r[FRAILTY] + 0.5 * normal(seed, _TRAIT, 1, i) > 1.85  # 4 %
        fertile = r[SEX] == 1.0 and 18.0 <= r[AGE] < 43.0
        out[i, PREGNANT] = fertile and uniform(seed, _TRAIT, 2, i) < 0.10
    return out


@njit(cache=True)
def _pick(weights: Floats, u: float) -> int:
    """Index drawn in proportion to the weights."""
    total = u * weights.sum()
    for k in range(weights.size - 1):
        total -= weights[k]
        if total < 0.0:
            return k
    return weights.size - 1


@njit(cache=True)
def device(seed: int, root: Floats) -> NDArray[np.int8]:
    """Digital footprint, (n, 8): codes of device, system and e-mail host, then 0/1 flags."""
    n = root.shape[0]
    out = np.zeros((n, 8), np.int8)
    kinds = np.empty(4)
    system = np.empty(5)
    hosts = np.empty(7)
    for i in range(n):
        d = root[i, DIGITAL]
        kinds[0], kinds[1] = 0.60, 0.17 * math.exp(0.25 * d)
        kinds[2], kinds[3] = 0.052 * math.exp(1.15 * d), 0.14 * math.exp(0.1 * d)
        kind = _pick(kinds, uniform(seed, _DEVICE, 0, i))
        system[:] = 0.0
        if kind == 0 or kind == 3:
            system[0], system[1], system[4] = 0.80, 0.17 * math.exp(-0.35 * d), 0.03
        else:
            system[2], system[3], system[4] = 0.40 * math.exp(0.45 * d), 0.55 * math.exp(-0.2 * d), 0.03
        hosts[0], hosts[1] = 0.23, 0.22
        hosts[2], hosts[3] = 0.12 * math.exp(-0.9 * d), 0.20 * math.exp(0.1 * d)
        hosts[4], hosts[5], hosts[6] = 0.035 * math.exp(0.9 * d), 0.08 * math.exp(0.6 * d), 0.12
        out[i, DEVICE_TYPE] = kind
        out[i, SYSTEM] = _pick(system, uniform(seed, _DEVICE, 1, i))
        out[i, HOST] = _pick(hosts, uniform(seed, _DEVICE, 2, i))
        out[i, TYPO] = uniform(seed, _DEVICE, 3, i) < 1.0 / (1.0 + math.exp(6.4 - 2.6 * d))
        out[i, NUMBER] = uniform(seed, _DEVICE, 4, i) < 1.0 / (1.0 + math.exp(1.8 - 1.3 * d))
        out[i, NAME] = uniform(seed, _DEVICE, 5, i) < 1.0 / (1.0 + math.exp(-0.9 + 1.3 * d))
        out[i, LOWER] = uniform(seed, _DEVICE, 6, i) < 1.0 / (1.0 + math.exp(3.0 - 1.8 * d))
        out[i, NIGHT] = uniform(seed, _DEVICE, 7, i) < 1.0 / (1.0 + math.exp(3.2 - 1.3 * d))
    return out


@njit(cache=True)
def _amount(seed: int, variable: int, i: int, log_mean: float, spread: float) -> float:
    """Overdispersed count: Poisson around a log-normal rate."""
    rate = math.exp(log_mean + spread * normal(seed, variable, 0, i))
    return count(min(rate, 1e4), uniform(seed, variable, 1, i))


@njit(cache=True)
def conduct(seed: int, root: Floats, trait: NDArray[np.int8], fixed: Floats) -> Floats:
    """Baskets, browsing shares, posts: (n, N_CONDUCT).

    fixed : (n, N_CONDUCT) float64; a number replaces the variable's own equation (an intervention), NaN leaves it.
    Purchases are parents of browsing (who buys, visits shops); a fixed share of browsing rescales the other shares.
    """
    n = root.shape[0]
    out = np.empty((n, N_CONDUCT))
    for i in range(n):
        r, t, o, f = root[i], trait[i], out[i], fixed[i]
        child, youth = r[CHILD], (45.0 - r[AGE]) / 18.0
        o[GROCERIES] = _amount(seed, _SHOP, i, 5.6 + 0.15 * r[MEANS] + 0.25 * child, 0.30)
        o[NAPPIES] = _amount(seed, _SHOP + 1, i, -3.5 + 5.0 * child, 0.3)
        o[ALCOHOL] = _amount(seed, _SHOP + 2, i, 2.6 + 0.35 * r[HEDONISM] - 0.3 * t[RELIGION] - 1.5 * t[PREGNANT], 1.0)
        o[TOBACCO] = _amount(seed, _SHOP + 3, i, 0.1 + 1.2 * t[SMOKER], 1.5)
        o[GAMES] = _amount(
            seed, _SHOP + 4, i, 1.0 + 0.4 * youth - 0.6 * r[CONSC] + 0.25 * r[STRAIN] - 0.5 * r[SEX], 0.8
        )
        o[MEDICINES] = _amount(seed, _SHOP + 5, i, 0.1 + 0.3 * r[FRAILTY] + 0.6 * t[ILLNESS], 0.7)
        o[SUPPLEMENTS] = _amount(seed, _SHOP + 6, i, -1.0 + 0.25 * r[CONSC] + 1.2 * t[PREGNANT], 0.7)
        o[BOOKS] = _amount(seed, _SHOP + 7, i, -0.2 + 0.55 * r[CONSC] + 0.3 * r[MEANS], 0.6)
        o[DIET] = _amount(seed, _SHOP + 8, i, 1.6 + 0.55 * r[PIETY], 0.9)
        for k in range(N_SHOP):
            if not math.isnan(f[k]):
                o[k] = f[k]
        bought = math.log1p(o[GROCERIES] + o[ALCOHOL] + o[TOBACCO] + 10.0 * o[NAPPIES])
        b = o[BROWSE : BROWSE + N_BROWSE]
        b[0] = 0.2 + 0.35 * r[POLITICS]
        b[1] = -0.8 + 0.35 * r[FRAILTY] + 0.5 * t[ILLNESS] + 0.5 * t[PREGNANT]
        b[2] = -1.8 + 0.35 * r[PIETY]
        b[3] = -1.8 + 1.5 * child + 1.0 * t[PREGNANT]
        b[4] = -1.5 + 0.3 * youth + 0.9 * t[ORIENTATION]
        b[5] = -1.6 + 0.25 * bought
        b[6] = 0.8
        for k in range(N_BROWSE):
            b[k] = math.exp(b[k] + 0.6 * normal(seed, _BROWSE + k, 0, i))
        _shares(b, f[BROWSE : BROWSE + N_BROWSE])
        p = o[POSTS:]
        talk = 0.5 * r[SOCIABLE]
        p[0] = _amount(seed, _POST, i, -0.4 + talk + 1.0 * r[POLITICS], 0.8)
        p[1] = _amount(seed, _POST + 1, i, -0.4 + talk - 0.9 * r[POLITICS], 0.8)
        p[2] = _amount(seed, _POST + 2, i, -0.7 + talk + 0.7 * r[PIETY], 0.9)
        p[3] = _amount(seed, _POST + 3, i, -1.2 + talk + 0.3 * r[FRAILTY] + 0.3 * t[ILLNESS], 0.9)
        p[4] = _amount(seed, _POST + 4, i, 0.2 + talk + 0.6 * child + 0.5 * t[PREGNANT], 0.8)
        p[5] = _amount(seed, _POST + 5, i, -0.2 + talk + 0.45 * r[HEDONISM] + 0.3 * youth, 0.9)
        p[6] = _amount(seed, _POST + 6, i, -2.1 + talk + 2.3 * t[ORIENTATION], 0.8)
        for k in range(p.size):
            if not math.isnan(f[POSTS + k]):
                p[k] = f[POSTS + k]
    return out


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
def default_latent(root: Floats) -> Floats:
    """Log-odds of default before the intercept, (n,); normal with the standard deviation of `default_spread`."""
    out = np.empty(root.shape[0])
    for i in range(root.shape[0]):
        r = root[i]
        money = W_STRAIN * r[STRAIN] + W_CONSC * r[CONSC] + W_MEANS * r[MEANS]
        out[i] = B_MONEY * money + B_DEVICE * r[DIGITAL]
    return out


def default_spread() -> float:
    """Standard deviation of `default_latent` over people, in log-odds."""
    money = W_STRAIN**2 + W_CONSC**2 + W_MEANS**2
    return math.sqrt((B_MONEY + 0.20 * B_DEVICE) ** 2 * money + (0.98 * B_DEVICE) ** 2)


@njit(cache=True)
def defaults(seed: int, latent: Floats, intercept: float) -> NDArray[np.bool_]:
    """Who defaults, (n,)."""
    out = np.empty(latent.size, np.bool_)
    for i in range(latent.size):
        out[i] = uniform(seed, _OUTCOME, 0, i) < 1.0 / (1.0 + math.exp(-intercept - latent[i]))
    return out
