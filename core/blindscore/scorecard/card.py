"""Card: a fitted scorecard as plain data, the one thing that every way of scoring shares.

``score = clip(base + sum_j points[j, bin_j(x_j)], low, high)`` with integer points, so that the same score comes
out in the clear, under encryption and from commitments. Scale after Siddiqi, "Credit Risk Scorecards" (2006), ch. 6:
``score = base_score + factor * ln(odds / base_odds)`` with ``factor = PDO / ln 2``, odds good : bad.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError
from blindscore.scorecard.binning import bin_column, check_columns
from blindscore.scorecard.special import code_of

if TYPE_CHECKING:
    import pandas as pd

    from blindscore.scorecard.kernel.kernels import Steps

MAX_BINS = 16  # ordinary bins a characteristic; the missing bin comes on top
MAX_CHARACTERISTICS = 4096
MAX_POINTS = 10_000  # absolute, a bin; keeps every total far inside int32
MAX_BASE = 1_000_000  # absolute; likewise
MAX_SCORE = 32_767  # absolute; a score fits int16
Unknown = Literal["error", "missing", "neutral"]  # what becomes of a category that the card does not list


@dataclass(frozen=True)
class Scale:
    """Maps log-odds to points."""

    base_score: float = 600.0  # points awarded at base_odds
    base_odds: float = 30.0  # good : bad, a ratio, > 0
    pdo: float = 50.0  # points that double the odds, > 0
    low: int = 350  # lowest score given out
    high: int = 950  # highest score given out

    def __post_init__(self) -> None:
        numbers = (self.base_score, self.base_odds, self.pdo, self.low, self.high)
        if not all(math.isfinite(number) for number in numbers):
            raise CardError(f"scale must be finite: {self}")
        if not (self.base_odds > 0 and self.pdo > 0 and self.low < self.high):
            raise CardError(f"scale needs base_odds > 0, pdo > 0 and low < high: {self}")
        if any(type(bound) is not int or abs(bound) > MAX_SCORE for bound in (self.low, self.high)):
            raise CardError(f"scale's low and high must be whole numbers within +-{MAX_SCORE}: {self}")

    @property
    def factor(self) -> float:
        """Points per unit of log-odds."""
        return self.pdo / math.log(2)

    @property
    def offset(self) -> float:
        """Points at log-odds 0."""
        return self.base_score - self.factor * math.log(self.base_odds)


@dataclass(frozen=True)
class Characteristic:
    """One binned feature and its points.

    A number x falls into bin ``#{edges <= x}``; a category into the bin whose group lists it, or where none does into
    the bin `other`; a missing value into the last bin, number ``len(points) - 1``.
    """

    feature: str
    points: tuple[int, ...]  # one a bin, the missing bin last
    edges: tuple[float, ...] = ()  # increasing; len(points) - 2 of them for a number
    groups: tuple[tuple[str, ...], ...] | None = None  # categories of each ordinary bin; None for a number
    woe: tuple[float, ...] | None = None  # weight of evidence a bin, for the table only
    other: int | None = None  # bin of categories that no group lists; None: they are refused, as for a number

    def __post_init__(self) -> None:
        where = f"characteristic {self.feature!r}"
        ordinary = len(self.points) - 1
        if not 1 <= ordinary <= MAX_BINS:
            raise CardError(f"{where}: {ordinary} ordinary bins, allowed are 1 to {MAX_BINS} and one for missing")
        if any(type(p) is not int or abs(p) > MAX_POINTS for p in self.points):  # True is no number of points
            raise CardError(f"{where}: points must be integers within +-{MAX_POINTS}")
        if self.woe is not None and (len(self.woe) != len(self.points) or not all(map(math.isfinite, self.woe))):
            raise CardError(f"{where}: weights of evidence must be finite, one a bin")
        if self.other is not None and (self.groups is None or not 0 <= self.other <= ordinary):
            raise CardError(f"{where}: `other` must be one of the bins of categories")
        if self.groups is None:
            if len(self.edges) != ordinary - 1:
                raise CardError(f"{where}: {ordinary} ordinary bins need {ordinary - 1} edges, got {len(self.edges)}")
            if not all(math.isfinite(e) for e in self.edges) or any(
                a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)
            ):
                raise CardError(f"{where}: edges must be finite and strictly increasing")
        else:
            listed = [category for group in self.groups for category in group]
            if self.edges or len(self.groups) != ordinary or len(listed) != len(set(listed)):
                raise CardError(f"{where}: needs one group of categories a bin, no edges, and no category twice")

    @property
    def n_bins(self) -> int:
        """Bins including the missing one."""
        return len(self.points)

    @property
    def unknown(self) -> Unknown:
        """What becomes of a category that no group lists: refused, counted as missing, or given points of its own."""
        if self.other is None:
            return "error"
        return "missing" if self.other == self.n_bins - 1 else "neutral"

    @cached_property
    def codes(self) -> dict[int, float]:
        """Bins that hold one special code each, and the code."""
        found = ((k, code_of(a, b)) for k, (a, b) in enumerate(pairwise(self.edges), start=1))
        return {k: code for k, code in found if code is not None}

    @cached_property
    def plain_bins(self) -> tuple[int, ...]:
        """Bins of amounts and listed categories: neither missing, nor a special code, nor every other category."""
        return tuple(k for k in range(self.n_bins - 1) if k != self.other and k not in self.codes)

    @property
    def best(self) -> int:
        """Most points that an amount or a listed category can bring: what reasons are measured against."""
        return max((self.points[k] for k in self.plain_bins), default=max(self.points))

    @property
    def worst(self) -> int:
        """Least points that an amount or a listed category can bring."""
        return min((self.points[k] for k in self.plain_bins), default=min(self.points))


@dataclass(frozen=True)
class Card:
    """A fitted scorecard: characteristics, intercept in points, and scale. Immutable; equal cards score alike."""

    characteristics: tuple[Characteristic, ...]
    base: int  # points before any characteristic
    scale: Scale = Scale()

    def __post_init__(self) -> None:
        names = self.features
        if not 1 <= len(names) <= MAX_CHARACTERISTICS:
            raise CardError(f"a card needs 1 to {MAX_CHARACTERISTICS} characteristics, got {len(names)}")
        if len(set(names)) != len(names):
            raise CardError("a card must not name a feature twice")
        if type(self.base) is not int or abs(self.base) > MAX_BASE:
            raise CardError(f"a card's base must be a whole number of points within +-{MAX_BASE}")

    @property
    def features(self) -> list[str]:
        """Feature names in card order."""
        return [c.feature for c in self.characteristics]

    @cached_property
    def n_bins(self) -> tuple[int, ...]:
        """Bins of each characteristic, the missing bin included."""
        return tuple(c.n_bins for c in self.characteristics)

    @cached_property
    def points(self) -> NDArray[np.int32]:
        """Points, shape (d, widest), zero where a characteristic has fewer bins."""
        table = np.zeros((len(self.characteristics), max(self.n_bins)), np.int32)
        for row, c in zip(table, self.characteristics, strict=True):
            row[: c.n_bins] = c.points
        return table

    @property
    def min_total(self) -> int:
        """Least total points anybody can have, before clipping."""
        return self.base + sum(min(c.points) for c in self.characteristics)

    @property
    def max_total(self) -> int:
        """Most total points anybody can have, before clipping."""
        return self.base + sum(max(c.points) for c in self.characteristics)

    def bins(self, people: pd.DataFrame, unknown: Counter[str] | None = None) -> NDArray[np.uint8]:
        """Bin of every person in every characteristic, shape (n, d); columns are matched by name.

        Parameters
        ----------
        unknown : counts, a feature, the people whose category no group lists and who are scored all the same

        Raises
        ------
        DataError
            A column is missing, has the wrong type, or holds infinity or a category that the card does not know.
        """
        check_columns(self.features, people)
        out = np.empty((len(people), len(self.characteristics)), np.uint8)
        for j, c in enumerate(self.characteristics):
            out[:, j] = bin_column(c, people[c.feature], unknown)
        return out

    @cached_property
    def steps(self) -> Steps | None:
        """The card ready for the kernel, or None where it has categories."""
        from blindscore.scorecard.kernel.kernels import steps_of  # numba: slow to import, and only scoring needs it

        return steps_of(self) if all(c.groups is None for c in self.characteristics) else None

    def totals(self, bins: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Total points of each person before clipping, shape (n,), from bins of shape (n, d)."""
        columns = np.arange(len(self.characteristics))
        return np.asarray(self.base + self.points[columns, bins].sum(axis=1), np.int32)

    def scores(self, bins: NDArray[np.integer[Any]]) -> NDArray[np.int16]:
        """Score of each person, shape (n,), clipped to the scale, from bins of shape (n, d)."""
        return self.clip(self.totals(bins))

    def clip(self, totals: NDArray[np.integer[Any]]) -> NDArray[np.int16]:
        """Clip total points to the scale's lowest and highest score."""
        scores: NDArray[np.int16] = np.clip(totals, self.scale.low, self.scale.high).astype(np.int16)
        return scores

    def to_dict(self) -> dict[str, Any]:
        """Plain, JSON-ready form without the fingerprint."""
        return {
            "format": "blindscore-card",
            "version": 2,
            "scale": {
                "base_score": float(self.scale.base_score),
                "base_odds": float(self.scale.base_odds),
                "pdo": float(self.scale.pdo),
                "low": self.scale.low,
                "high": self.scale.high,
            },
            "base": self.base,
            "characteristics": [
                {
                    "feature": c.feature,
                    "edges": [float(e) for e in c.edges],
                    "groups": None if c.groups is None else [list(g) for g in c.groups],
                    "points": list(c.points),
                    "woe": None if c.woe is None else [float(w) for w in c.woe],
                    "other": c.other,
                }
                for c in self.characteristics
            ],
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON form (sorted keys, no spaces), hexadecimal."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(b"blindscore/card/v2" + canonical.encode()).hexdigest()
