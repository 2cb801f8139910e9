"""A household's ledger, month by month, and the features that a bank and a bureau read off the last 24 of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import normal, uniform
from blindscore.people.latents import Floats
from blindscore.people.variables import (
    ACCOUNT_AGE,
    AGE,
    ARREARS,
    CHILD,
    CONSC,
    EARN,
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
LEDGER = ("income", "rent", "bills", "spending", "balance", "card_debt", "card_limit", "late_bill", "missed", "enquiry")
N_LEDGER = len(LEDGER)
_MONEY = 300  # first variable number in the noise


@njit(cache=True)
def _ledger(seed: int, i: int, r: Floats, last: int, rows: Floats) -> None:
    """Fill `rows`, (MONTHS, N_LEDGER), with the months `last - MONTHS` to `last - 1` of person i.

    A month: wage or benefit comes in; rent, bills, spending and now and then a shock go out; what the account cannot
    cover goes on the card; what the card cannot cover is a month in arrears. Money in EUR, events as 0/1.
    """
    wage = math.exp(7.75 + r[EARN] + 0.35 * r[MEANS] + 0.10 * normal(seed, _MONEY, 0, i))
    rent = wage * min(0.6, max(0.12, 0.29 - 0.04 * r[MEANS] + 0.06 * normal(seed, _MONEY, 1, i)))
    bills = 110.0 + 25.0 * r[CHILD] + 0.02 * wage
    appetite = wage * (0.56 + 0.035 * r[STRAIN] - 0.025 * r[CONSC] + 0.05 * normal(seed, _MONEY, 2, i))
    limit = wage * math.exp(0.2 + 0.25 * r[MEANS] + 0.3 * normal(seed, _MONEY, 3, i))
    balance = wage * math.exp(0.1 + 0.5 * r[CONSC] - 0.4 * r[STRAIN] + 0.8 * normal(seed, _MONEY, 4, i))
    debt = limit * 0.3 * uniform(seed, _MONEY, 5, i)
    at_work = True
    for month in range(last):
        if at_work:
            at_work = uniform(seed, _MONEY + 1, month, i) > 0.010 * math.exp(0.5 * r[STRAIN])
        else:
            at_work = uniform(seed, _MONEY + 1, month, i) < 0.30
        income = wage * (1.0 if at_work else 0.55) * (1.0 + 0.04 * normal(seed, _MONEY + 2, month, i))
        spending = appetite * (1.0 + 0.15 * normal(seed, _MONEY + 3, month, i))
        if uniform(seed, _MONEY + 4, month, i) < 0.06:
            spending += wage * 0.7 * uniform(seed, _MONEY + 5, month, i)
        balance += income - rent - bills - spending
        if balance < 0.0:
            debt -= balance
            balance = 0.0
        else:
            repaid = min(debt, 0.5 * balance)
            debt -= repaid
            balance -= repaid
        missed = debt > limit
        debt = min(debt, limit)
        odds = math.exp(-3.6 + (1.0 if balance == 0.0 else 0.0) - 0.7 * r[CONSC] + 0.5 * r[STRAIN])
        k = month - (last - MONTHS)
        if k >= 0:
            m = rows[k]
            m[0], m[1], m[2], m[3], m[4], m[5], m[6] = income, rent, bills, spending, balance, debt, limit
            m[7] = uniform(seed, _MONEY + 6, month, i) * (1.0 + odds) < odds
            m[8] = missed
            m[9] = uniform(seed, _MONEY + 7, month, i) < 0.03 + 0.10 * debt / limit


@njit(cache=True)
def _months(rows: Floats, k: int) -> float:
    """Sum of a column over the months: kernels of NumPy's own sums are slow to compile."""
    total = 0.0
    for month in range(MONTHS):
        total += rows[month, k]
    return total


@njit(cache=True)
def money(seed: int, root: Floats, last: int) -> Floats:
    """Financial features, (n, 10), of the 24 months before month `last`; NaN where a thin file holds nothing."""
    n = root.shape[0]
    out = np.empty((n, 10))
    rows = np.empty((MONTHS, N_LEDGER))
    for i in range(n):
        r, o = root[i], out[i]
        _ledger(seed, i, r, last, rows)
        earned = _months(rows, 0) / MONTHS
        o[INCOME] = math.floor(earned)
        o[RENT] = rows[0, 1] / earned
        o[ACCOUNT_AGE] = math.floor((r[AGE] - 17.0) * uniform(seed, _MONEY, 6, i) + 2.0)
        spent, used, overdrawn = 0.0, 0.0, 0
        for m in range(MONTHS):
            spent += rows[m, 1] + rows[m, 2] + rows[m, 3]
            used += rows[m, 5] / rows[m, 6]
            overdrawn += rows[m, 4] == 0.0
        o[SAVINGS] = rows[MONTHS - 1, 4] / (spent / MONTHS)
        o[OVERDRAFTS] = overdrawn
        o[UTILISATION] = used / MONTHS
        o[LATE_BILLS] = _months(rows, 7)
        o[ARREARS] = _months(rows, 8)
        o[ENQUIRIES] = _months(rows, 9)
        o[LINES] = 1.0 + math.floor(5.0 * uniform(seed, _MONEY, 7, i) ** 2 * (1.0 + (r[AGE] - 18.0) / 60.0))
        if r[THIN] == 1.0:
            o[ACCOUNT_AGE] = 0.0
            o[SAVINGS : LINES + 1] = np.nan
    return out


@njit(cache=True)
def ledger(seed: int, root: Floats, last: int, persons: NDArray[np.int64]) -> Floats:
    """Ledgers of the given people, (k, MONTHS, N_LEDGER), column order of `LEDGER`."""
    out = np.empty((persons.size, MONTHS, N_LEDGER))
    for k in range(persons.size):
        _ledger(seed, persons[k], root[persons[k]], last, out[k])
    return out


@njit(cache=True)
def enquired(seed: int, root: Floats, first: int, months: int) -> NDArray[np.bool_]:
    """Who has an enquiry in which of the `months` months from month `first` of the ledger on, (n, months)."""
    out = np.empty((root.shape[0], months), np.bool_)
    rows = np.empty((MONTHS, N_LEDGER))
    for i in range(root.shape[0]):
        _ledger(seed, i, root[i], first + months, rows)
        for k in range(months):
            out[i, k] = rows[MONTHS - months + k, 9] == 1.0
    return out
