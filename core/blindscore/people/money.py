"""Twenty-four months of a household's money, and the features that a bank and a bureau read off them."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from blindscore.people.equations import Floats
from blindscore.people.noise import normal, uniform
from blindscore.people.variables import (
    ACCOUNT_AGE,
    AGE,
    ARREARS,
    CHILD,
    CONSC,
    ENQUIRIES,
    INCOME,
    LATE_BILLS,
    LINES,
    MEANS,
    OVERDRAFTS,
    RENT,
    SAVINGS,
    STRAIN,
    THIN,
    UTILISATION,
)

MONTHS = 24
_MONEY = 300  # first variable number in the noise


@njit(cache=True)
def money(seed: int, root: Floats) -> Floats:
    """Financial features, (n, 10), from a simulated ledger; NaN where a thin file holds nothing.

    A month: wage or benefit comes in; rent, bills, spending and now and then a shock go out; what the account cannot
    cover goes on the card; what the card cannot cover is a month in arrears.
    """
    n = root.shape[0]
    out = np.empty((n, 10))
    for i in range(n):
        r, o = root[i], out[i]
        wage = math.exp(7.75 + 0.35 * r[MEANS] + 0.10 * normal(seed, _MONEY, 0, i))
        rent = wage * min(0.6, max(0.12, 0.29 - 0.04 * r[MEANS] + 0.06 * normal(seed, _MONEY, 0 + 1, i)))
        bills = 110.0 + 25.0 * r[CHILD] + 0.02 * wage
        appetite = wage * (0.56 + 0.035 * r[STRAIN] - 0.025 * r[CONSC] + 0.05 * normal(seed, _MONEY, 2, i))
        limit = wage * math.exp(0.2 + 0.25 * r[MEANS] + 0.3 * normal(seed, _MONEY, 3, i))
        balance = wage * math.exp(0.1 + 0.5 * r[CONSC] - 0.4 * r[STRAIN] + 0.8 * normal(seed, _MONEY, 4, i))
        debt = limit * 0.3 * uniform(seed, _MONEY, 5, i)
        at_work, earned, used = True, 0.0, 0.0
        overdrafts, late, arrears, asked = 0, 0, 0, 0
        for month in range(MONTHS):
            if at_work:
                at_work = uniform(seed, _MONEY + 1, month, i) > 0.010 * math.exp(0.5 * r[STRAIN])
            else:
                at_work = uniform(seed, _MONEY + 1, month, i) < 0.30
            income = wage * (1.0 if at_work else 0.55) * (1.0 + 0.04 * normal(seed, _MONEY + 2, month, i))
            earned += income
            outgo = rent + bills + appetite * (1.0 + 0.15 * normal(seed, _MONEY + 3, month, i))
            if uniform(seed, _MONEY + 4, month, i) < 0.06:
                outgo += wage * 0.7 * uniform(seed, _MONEY + 5, month, i)
            balance += income - outgo
            if balance < 0.0:
                overdrafts += 1
                debt -= balance
                balance = 0.0
            else:
                repaid = min(debt, 0.5 * balance)
                debt -= repaid
                balance -= repaid
            missed = debt > limit
            if missed:
                arrears += 1
                debt = limit
            tight = 1.0 if balance == 0.0 else 0.0
            odds = math.exp(-3.6 + 1.0 * tight - 0.7 * r[CONSC] + 0.5 * r[STRAIN])
            late += uniform(seed, _MONEY + 6, month, i) * (1.0 + odds) < odds
            used += debt / limit
            asked += uniform(seed, _MONEY + 7, month, i) < 0.03 + 0.10 * debt / limit
        o[INCOME] = math.floor(earned / MONTHS)
        o[RENT] = rent / (earned / MONTHS)
        o[ACCOUNT_AGE] = math.floor((r[AGE] - 17.0) * uniform(seed, _MONEY, 6, i) + 2.0)
        o[SAVINGS] = balance / (rent + bills + appetite)
        o[OVERDRAFTS] = overdrafts
        o[LATE_BILLS] = late
        o[UTILISATION] = used / MONTHS
        o[ARREARS] = arrears
        o[ENQUIRIES] = asked
        o[LINES] = 1.0 + math.floor(5.0 * uniform(seed, _MONEY, 7, i) ** 2 * (1.0 + (r[AGE] - 18.0) / 60.0))
        if r[THIN] == 1.0:
            o[ACCOUNT_AGE] = 0.0
            o[SAVINGS : LINES + 1] = np.nan
    return out
