"""Who a person is: latents and demographics, the secrets that follow from them, and who defaults.

Every equation reads its parents and its own noise; nothing else. The coefficients are calibrated to the published
figures of :mod:`blindscore.people.facts` and have no meaning beyond that.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import normal, uniform
from blindscore.people.variables import (
    AGE,
    ALONE,
    AREA,
    CHILD,
    CONSC,
    DESCENT,
    DIGITAL,
    DRINKER,
    DRUGS,
    EARN,
    ETHNICITY,
    FRAILTY,
    GROUP,
    HEDONISM,
    ILLNESS,
    MEANS,
    N_ROOTS,
    ORIENT,
    ORIENTATION,
    PARTY,
    PIETY,
    POLITICS,
    PREGNANT,
    RARE_ILLNESS,
    RELIGION,
    SEX,
    SIDE,
    SINGLE,
    SMOKER,
    SMOKY,
    SOCIABLE,
    STRAIN,
    THIN,
    TRAITS,
)

Floats = NDArray[np.float64]
N_TRAITS = len(TRAITS)
# First variable number of the blocks in the noise. No two blocks of the society share a number.
_ROOT, _TRAIT, _OUTCOME, _OFFICE = 0, 100, 700, 710

W_STRAIN, W_CONSC, W_MEANS = 0.75, -0.50, -0.43  # money trouble; squares sum to 1
D_MONEY, D_OWN = 0.38, 0.925  # digital habits: from money trouble, and their own
H_CONSC, H_OWN = -0.30, 0.954  # hedonism: from conscientiousness, and its own
B_MONEY, B_DEVICE, B_HABIT = 0.57, 0.80, 0.40  # log-odds of default a unit
ORIENTATION_CUT = 1.55  # 6 %
PREGNANT_SHARE = 0.045  # of women of 18 to 42 at one moment


@njit(cache=True)
def money_trouble(r: Floats) -> float:
    """How hard a person finds it to make ends meet: mean 0, variance 1 over people."""
    latent: float = W_STRAIN * r[STRAIN] + W_CONSC * r[CONSC] + W_MEANS * r[MEANS]
    return latent


@njit(cache=True)
def roots(seed: int, n: int, areas: int, thin_files: bool) -> Floats:
    """Latents and demographics, (n, N_ROOTS); standard normal but for age (years), area, and the 0/1 columns."""
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
        r[DIGITAL] = D_MONEY * money_trouble(r) + D_OWN * normal(seed, _ROOT, 6, i)
        r[POLITICS] = normal(seed, _ROOT, 7, i)
        r[PIETY] = normal(seed, _ROOT, 8, i)
        r[FRAILTY] = 0.9 * normal(seed, _ROOT, 9, i) - 0.45 * youth
        r[HEDONISM] = H_OWN * normal(seed, _ROOT, 10, i) + H_CONSC * r[CONSC]
        r[SOCIABLE] = normal(seed, _ROOT, 11, i)
        r[ORIENT] = normal(seed, _ROOT, 12, i)
        r[DESCENT] = 0.4 * r[PIETY] + 0.917 * normal(seed, _ROOT, 15, i)
        r[CHILD] = 1.0 if 20.0 <= age < 43.0 and uniform(seed, _ROOT, 13, i) < 0.30 else 0.0
        young = 1.0 / (1.0 + math.exp(2.6 - 1.1 * youth))
        r[GROUP] = 1.0 if r[DESCENT] > 1.04 else 0.0  # 15 %, a minority
        r[EARN] = r[SMOKY] = r[ALONE] = r[SIDE] = 0.0
        r[THIN] = 1.0 if thin_files and uniform(seed, _ROOT, 14, i) < young else 0.0
    return out


@njit(cache=True)
def traits(seed: int, root: Floats) -> NDArray[np.int8]:
    """Secrets, (n, N_TRAITS) of 0/1, ethnicity the number of the group. Shares in the comments are rounded."""
    n = root.shape[0]
    out = np.zeros((n, N_TRAITS), np.int8)
    for i in range(n):
        r, t = root[i], out[i]
        fertile = r[SEX] == 1.0 and 18.0 <= r[AGE] < 43.0
        youth = (45.0 - r[AGE]) / 18.0
        t[PARTY] = r[POLITICS] > 0.52  # 30 %, opposition
        t[RELIGION] = r[PIETY] > 0.84  # 20 %, a minority faith
        t[ORIENTATION] = r[ORIENT] > ORIENTATION_CUT
        t[ETHNICITY] = r[GROUP]
        t[SMOKER] = 0.8 * r[HEDONISM] + 0.6 * normal(seed, _TRAIT, 0, i) + r[SMOKY] > 0.70  # 24 %
        t[DRINKER] = 0.7 * r[HEDONISM] - 0.4 * t[RELIGION] + 0.7 * normal(seed, _TRAIT, 3, i) > 0.1  # 40 %
        t[DRUGS] = 0.5 * r[HEDONISM] + 0.2 * youth + 0.84 * normal(seed, _TRAIT, 4, i) > 1.15  # 12 %
        t[SINGLE] = 0.5 * youth - 0.6 * r[CHILD] + normal(seed, _TRAIT, 5, i) + r[ALONE] > 0.25  # 36 %
        t[ILLNESS] = 0.85 * r[FRAILTY] + 0.5 * normal(seed, _TRAIT, 1, i) > 1.85  # 4 %, chronic
        t[RARE_ILLNESS] = uniform(seed, _TRAIT, 6, i) < 0.003
        t[PREGNANT] = fertile and uniform(seed, _TRAIT, 2, i) < PREGNANT_SHARE  # 1 % of everybody
    return out


@njit(cache=True)
def officials(seed: int, root: Floats) -> NDArray[np.bool_]:
    """Who holds public office (judges, deputies, editors), (n,): about 0.5 % of people, none under 30."""
    out = np.empty(root.shape[0], np.bool_)
    for i in range(root.shape[0]):
        odds = math.exp(-5.6 + 0.6 * root[i, MEANS] + 0.3 * root[i, SOCIABLE])
        out[i] = root[i, AGE] >= 30.0 and uniform(seed, _OFFICE, 0, i) * (1.0 + odds) < odds
    return out


@njit(cache=True)
def default_latent(root: Floats) -> Floats:
    """Log-odds of default before the intercept, (n,): normal, with the standard deviation of `default_spread`."""
    out = np.empty(root.shape[0])
    for i in range(root.shape[0]):
        r = root[i]
        out[i] = B_MONEY * money_trouble(r) + B_DEVICE * r[DIGITAL] + B_HABIT * r[HEDONISM]
    return out


def default_spread() -> float:
    """Standard deviation of `default_latent` over people, in log-odds: every root is an independent unit normal."""
    money = B_MONEY + B_DEVICE * D_MONEY
    parts = (
        money * W_STRAIN,
        money * W_CONSC + B_HABIT * H_CONSC,
        money * W_MEANS,
        B_DEVICE * D_OWN,
        B_HABIT * H_OWN,
    )
    return math.hypot(*parts)


@njit(cache=True)
def defaults(seed: int, latent: Floats, intercept: float) -> NDArray[np.bool_]:
    """Who defaults, (n,)."""
    out = np.empty(latent.size, np.bool_)
    for i in range(latent.size):
        out[i] = uniform(seed, _OUTCOME, 0, i) < 1.0 / (1.0 + math.exp(-intercept - latent[i]))
    return out


def intercept(rate: float, spread: float) -> float:
    """Intercept a with E[1 / (1 + exp(-a - spread Z))] = rate, Z standard normal, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        mean = float((weights / (1.0 + np.exp(-middle - spread * nodes))).sum())
        low, high = (middle, high) if mean < rate else (low, middle)
    return 0.5 * (low + high)
