"""What ties money, place and friendship to who a person is, in the society with disparities.

The roots of the independent society are drawn independently; :func:`disparate` takes them and shifts them by ethnic
group, sex, age and orientation. It rescales what it shifts, so that money trouble and digital habits keep mean 0 and
variance 1 and the other calibrated figures still hold. Every number here is fitted to the published gaps of
:data:`blindscore.people.facts.DISPARITIES` and has no meaning beyond that: it says that groups differ, not why.
"""

from __future__ import annotations

import math

import numpy as np

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import normal, uniform
from blindscore.people.latents import D_MONEY, ORIENTATION_CUT, W_STRAIN, Floats, money_trouble
from blindscore.people.variables import (
    AGE,
    ALONE,
    AREA,
    DESCENT,
    DIGITAL,
    EARN,
    GROUP,
    MEANS,
    ORIENT,
    POLITICS,
    SEX,
    SIDE,
    SMOKY,
    STRAIN,
)

AREAS_PER_TOWN = 5
_TIES = 1000  # first variable number in the noise
SHARES = np.array([0.70, 0.13, 0.17])  # of the groups: majority, one, two
_CUTS = (0.5244005127080407, 1.1263911290388007)  # of DESCENT: normal quantiles of 0.70 and 0.87
_TROUBLE = np.array([0.0, 1.36, 0.60])  # money trouble of a group beyond the majority's, in standard deviations
_TROUBLE_WOMEN = -0.21  # of women beyond men's at the same income
_PARTY = np.array([0.0, 1.08, 0.45])  # of politics, likewise
_PAY = np.array([0.0, -0.225, -0.345])  # log of income
_SIDE = np.array([0.0, 1.0, -1.0])  # where in the order of a focus a group stands
# Shares of a group that live in each of a town's five areas, from the poorest to the richest.
_HOMES = np.array(
    [
        [0.05, 0.13, 0.25, 0.28, 0.29],
        [0.59, 0.20, 0.10, 0.06, 0.05],
        [0.22, 0.43, 0.18, 0.09, 0.08],
    ]
)
_AGES = np.array([18.0, 25.0, 35.0, 45.0, 55.0, 63.0, 68.0, 80.0])
_LIFE = np.array([-0.95, -0.45, -0.08, 0.0, 0.0, -0.10, -0.55, -0.62])  # log of income by age
_WOMEN, _GAY, _SPREAD = -0.215, -0.125, 0.25  # log of income: women's, LGB people's, everybody's own
_SMOKERS = np.array([-1.80, -1.30, -0.55, -0.56, -0.58, -0.75, -1.40, -1.50])  # pull towards smoking by age
_RICH = 0.25  # how much income sorts people into areas
_MET_SIDE, _MET_SEX = 6.0, 0.9


@njit(cache=True)
def _moments(shift: Floats, shares: Floats) -> tuple[float, float]:
    mean = (shares * shift).sum()
    return mean, (shares * (shift - mean) ** 2).sum()


@njit(cache=True)
def _home(areas: int, group: int, wealth: float, u: float, v: float) -> float:
    """Postal area: any town, and in it an area by group and wealth."""
    town = int(areas * u) // AREAS_PER_TOWN * AREAS_PER_TOWN
    size = min(AREAS_PER_TOWN, areas - town)
    weights = np.empty(size)
    for k in range(size):
        weights[k] = _HOMES[group, k] * math.exp(_RICH * wealth * (k - 2.0))
    left = v * weights.sum()
    for k in range(size - 1):
        left -= weights[k]
        if left < 0.0:
            return float(town + k)
    return float(town + size - 1)


@njit(cache=True)
def disparate(seed: int, root: Floats, areas: int) -> Floats:
    """Return the roots, (n, N_ROOTS), with the ties put in; the noise of everything else stays as it was."""
    out = root.copy()
    trouble_mean, trouble_variance = _moments(_TROUBLE, SHARES)
    own = math.sqrt(1.0 - (trouble_variance + 0.25 * _TROUBLE_WOMEN**2) / W_STRAIN**2)
    party_mean, party_variance = _moments(_PARTY, SHARES)
    loyal = math.sqrt(1.0 - party_variance)
    for i in range(out.shape[0]):
        r = out[i]
        group = 1 if r[DESCENT] > _CUTS[1] else (2 if r[DESCENT] > _CUTS[0] else 0)
        r[GROUP] = group
        before = money_trouble(r)
        shift = _TROUBLE[group] - trouble_mean + _TROUBLE_WOMEN * (r[SEX] - 0.5)
        r[STRAIN] = own * r[STRAIN] + shift / W_STRAIN
        r[DIGITAL] += D_MONEY * (money_trouble(r) - before)
        r[POLITICS] = loyal * r[POLITICS] + _PARTY[group] - party_mean
        gay = 1.0 if r[ORIENT] > ORIENTATION_CUT else 0.0
        pay = np.interp(r[AGE], _AGES, _LIFE) + _WOMEN * r[SEX] + _GAY * gay + _PAY[group]
        r[EARN] = pay + _SPREAD * normal(seed, _TIES, 0, i)
        wealth = r[MEANS] + r[EARN]
        r[AREA] = _home(areas, group, wealth, uniform(seed, _TIES, 1, i), uniform(seed, _TIES, 2, i))
        r[SMOKY] = np.interp(r[AGE], _AGES, _SMOKERS) - 0.85 * (0.35 * r[MEANS] + r[EARN])
        r[ALONE] = 0.62 * r[STRAIN] - 0.25 * (45.0 - r[AGE]) / 18.0
        r[SIDE] = _MET_SIDE * _SIDE[group] + _MET_SEX * (2.0 * r[SEX] - 1.0)
    return out
