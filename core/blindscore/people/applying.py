"""When, how often, and with whose signature a person applies for credit.

*How often*: everybody applies once now; after that, whenever the ledger of a later month has an enquiry (a month's odds
rise with card debt), so frequency tells of money. *When*: at hours of the person's own. Whoever orders at night
(`night_order`) also applies between midnight and six four times in five; parents of a small child apply in the
evening, people over 65 in the morning, the others around an hour of theirs that lasts, with a standard deviation of two
hours. The day of the month says nothing. *Who signs*: the person's main bank, or its second one if it has one, which
signs one application in four. Older people bank more often with the first banks of the list, younger ones with the
last.

All of it is modelled; no published figure stands behind it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import DRAWS, normal, uniform
from blindscore.people.latents import Floats
from blindscore.people.variables import AGE, CHILD

BANKS = ("bank 1", "bank 2", "bank 3", "bank 4", "bank 5", "bank 6")
_SHARES = np.array([0.30, 0.24, 0.16, 0.12, 0.10, 0.08])
_TILT = np.array([0.5, 0.3, 0.1, -0.1, -0.5, -0.9])  # towards the old
_SECOND = 0.35  # share of people with a second bank
_SECOND_SIGNS = 0.25
_NIGHTS = 0.8  # of the applications of whoever orders at night
_BANK, _HABIT, _TIME = 1020, 1030, 1040  # first variable numbers in the noise


@njit(cache=True)
def banks(seed: int, root: Floats) -> NDArray[np.int8]:
    """Main and second bank of each person, (n, 2), index into BANKS; -1 = no second bank."""
    out = np.empty((root.shape[0], 2), np.int8)
    weight = np.empty(_SHARES.size)
    for i in range(root.shape[0]):
        years = (root[i, AGE] - 45.0) / 18.0
        for k in range(weight.size):
            weight[k] = _SHARES[k] * math.exp(_TILT[k] * years)
        for slot in range(2):
            left = uniform(seed, _BANK, slot, i) * weight.sum()
            k = 0
            while k < weight.size - 1 and left >= weight[k]:
                left -= weight[k]
                k += 1
            out[i, slot] = k
            weight[k] = 0.0  # a second bank is another one
        if uniform(seed, _BANK, 2, i) >= _SECOND:
            out[i, 1] = -1
    return out


@njit(cache=True)
def _hour(seed: int, draw: int, i: int, r: Floats, night: bool) -> int:
    if night and uniform(seed, _TIME, draw, i) < _NIGHTS:
        return int(6.0 * uniform(seed, _TIME + 1, draw, i))
    if r[CHILD] == 1.0:
        usual, spread = 20.0, 1.5
    elif r[AGE] > 65.0:
        usual, spread = 10.0, 2.0
    else:
        usual, spread = 9.0 + 12.0 * uniform(seed, _HABIT, 0, i), 2.0
    return int(min(23.0, max(6.0, math.floor(usual + spread * normal(seed, _TIME + 2, draw, i) + 0.5))))


@njit(cache=True)
def times(
    seed: int, month: int, root: Floats, night: NDArray[np.bool_], enquired: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Applications, (rows, 5): person, month, day 0..29, hour 0..23, bank; by person, then month.

    night    : (n,) who orders at night
    enquired : (n, months) later months with an enquiry; in month 0 everybody applies
    """
    n, months = enquired.shape
    bank = banks(seed, root)
    out = np.empty((n + enquired[:, 1:].sum(), 5), np.int32)
    row = 0
    for i in range(n):
        for later in range(months):
            if later > 0 and not enquired[i, later]:
                continue
            draw = (month + later) % DRAWS
            second = bank[i, 1] >= 0 and uniform(seed, _TIME + 3, draw, i) < _SECOND_SIGNS
            o = out[row]
            o[0], o[1] = i, later
            o[2] = int(30.0 * uniform(seed, _TIME + 4, draw, i))
            o[3] = _hour(seed, draw, i, root[i], night[i])
            o[4] = bank[i, 1] if second else bank[i, 0]
            row += 1
    return out
