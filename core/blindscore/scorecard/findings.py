"""What is odd about training people, before a card is fitted: one finding each, with its column and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.scorecard.binning import categories, kind_of, numbers
from blindscore.scorecard.quality import auc

FEW = 200  # people under which luck decides too much
DOUBLED = 0.01  # share of rows that repeat another, from which it is said
IDENTIFIER = 0.9  # levels a row from which categories name people
NUMBERED = 0.99  # likewise of whole numbers; a person may stand in a file twice
BEYOND = 2.0**53  # whole numbers that a float cannot tell from their neighbours: no amount, and read as half as many
COPY = 0.99  # AUC of one feature alone from which it is taken for the outcome in other words
DATES = r"\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T].*)?"


@dataclass(frozen=True)
class Finding:
    """One thing that a user should know before relying on a fit."""

    column: str | None  # None: it is about the rows
    what: str
    advice: str

    def __str__(self) -> str:
        where = "" if self.column is None else f"column {self.column!r}: "
        return f"{where}{self.what}; {self.advice}"


def training_findings(people: pd.DataFrame, bad: NDArray[np.bool_]) -> list[Finding]:
    """Return what is odd about people, (n, d), with outcomes (n,): one finding a column at most, two of the rows."""
    found = [finding for name in people.columns if (finding := _of_column(people[name], bad)) is not None]
    n = len(people)
    if n < FEW:
        found.append(Finding(None, f"only {n} people, fewer than {FEW}", "luck decides much of this card; get more"))
    doubled = int(people.assign(**{"(outcome)": bad}).duplicated().sum())
    if doubled > DOUBLED * n:
        advice = "if they are the same people, drop them: they stand on both sides of every split and flatter the AUC"
        found.append(Finding(None, f"{doubled} of {n} rows repeat another, outcome included", advice))
    return found


def _of_column(column: pd.Series[Any], bad: NDArray[np.bool_]) -> Finding | None:
    name = str(column.name)
    present = column.notna().to_numpy()
    if not present.any():
        return Finding(name, "nobody has a value", "leave it out, or see why the file lost it")
    if present.all() and column.nunique() == 1:
        return Finding(name, "everybody has the same value", "leave it out: it tells nobody apart")
    if _is_date(column[present]):
        return Finding(
            name, "looks like a date", "turn it into a length of time, such as months since, or leave it out"
        )
    if _is_identifier(column[present]):
        return Finding(name, "nearly every row has a value of its own, as a customer number has", "leave it out")
    reached = _alone(column, bad)
    if reached > COPY:
        what = f"alone it ranks the outcomes with an AUC of {reached:.3f}, as their copy would"
        return Finding(name, what, "leave it out if it is known only after the decision")
    return None


def _is_date(values: pd.Series[Any]) -> bool:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    if kind_of(values) == "category":
        return bool(values.astype(str).str.fullmatch(DATES).mean() > 0.95)
    whole = numbers(values).astype(np.float64)
    if not (whole == np.rint(whole)).all() or whole.min() < 19000101 or whole.max() > 21001231:
        return False
    month, day = whole // 100 % 100, whole % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).mean() > 0.99)


def _is_identifier(values: pd.Series[Any]) -> bool:
    n, levels = len(values), values.nunique()
    if n < 50:
        return False
    if kind_of(values) == "category":
        return bool(levels > IDENTIFIER * n)
    own = numbers(values).astype(np.float64)
    if own.min() < 0 or (own != np.rint(own)).any():
        return False
    return bool(own.max() >= BEYOND and levels > n / 4) or bool(levels > NUMBERED * n and np.ptp(own) >= levels - 1)


def _alone(column: pd.Series[Any], bad: NDArray[np.bool_]) -> float:
    """AUC of one feature: of a number in its better direction, of a category by what the other people of it did."""
    if bad.all() or not bad.any():
        return 0.5
    if kind_of(column) == "number":
        values = numbers(column).astype(np.float64)
        gaps = np.isnan(values)
        ranks = [auc(bad, np.where(gaps, end, values)) for end in (-np.inf, np.inf)]
        return max(max(ranks), 1 - min(ranks))
    codes, names = categories(column)
    codes = np.where(codes < 0, len(names), codes)
    people, bads = np.bincount(codes), np.bincount(codes, weights=bad)
    rate = bad.mean()
    others = (bads[codes] - bad + rate) / people[codes]  # one person of average risk stands in for oneself
    return auc(bad, -others)
