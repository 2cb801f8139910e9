"""One feature of the training people: its values, and the parts of it that are fitted.

A category with few people is pooled with the others of its kind and not named on the card: a bin of one person would
publish that person's outcome. The pool is also where categories go that turn up later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.scorecard.binning import categories, kind_of, numbers
from blindscore.scorecard.card import Unknown
from blindscore.scorecard.classing import Bins, Direction, class_numbers, fine_edges, rises
from blindscore.scorecard.special import nearest

FINE_BINS = 40  # of a number, before the sparse fit chooses among them
MOST_LEVELS = 200  # categories of one feature that are looked at one by one; rarer ones are pooled

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """What one fit sees of a feature: amounts, or levels of categories."""

    name: str
    values: NDArray[np.float64]  # (n,) amounts, or numbers of levels; NaN = missing
    levels: Bins | None = None  # one bin a level; None for amounts
    cuts: tuple[float, ...] | None = None  # of amounts, given by hand
    locked: bool = False  # bins stay as given by hand

    def fine(self, weight: NDArray[np.float64] | None) -> Bins:
        """Bins for the sparse fit to choose among; weight: (n,) for how many people each stands, None for one each."""
        if self.levels is not None:
            return self.levels
        if self.cuts is not None:
            return Bins(edges=self.cuts)
        here = ~np.isnan(self.values)
        edges = fine_edges(self.values[here], FINE_BINS, None if weight is None else weight[here]) if here.any() else ()
        return Bins(edges=tuple(map(float, edges)))

    def coarse(
        self, bad: NDArray[np.bool_], weight: NDArray[np.float64] | None, max_bins: int, least: int, sign: int
    ) -> Bins:
        """Bins for weight of evidence: nothing is paid for a bin, as shape and smoothing hold luck down already."""
        if self.levels is not None or self.locked:
            return self.fine(weight)
        here = ~np.isnan(self.values)
        own = None if weight is None else weight[here]
        edges = None if self.cuts is None else np.array(self.cuts)
        return class_numbers(
            self.values[here], bad[here], max_bins, sign, price=0.0, least=least, weight=own, edges=edges
        )

    def place(self, bins: Bins) -> NDArray[np.uint8]:
        """Bin of each person, the missing bin last; levels are bins already."""
        present = ~np.isnan(self.values)
        out = np.full(len(self.values), bins.n_ordinary, np.uint8)
        own = self.values[present]
        out[present] = own if self.levels is not None else np.searchsorted(np.asarray(bins.edges), own, side="right")
        return out

    def sign(self, bad: NDArray[np.bool_], weight: NDArray[np.float64] | None, direction: Direction) -> int:
        """+1 where points must rise with the number, -1 where they must fall, 0 where they are free."""
        if direction == "none" or self.levels is not None:
            return 0
        if direction == "auto":
            here = ~np.isnan(self.values)
            own = None if weight is None else weight[here]
            return 1 if not here.any() or rises(self.values[here], bad[here], own) else -1
        return 1 if direction == "increasing" else -1


@dataclass(frozen=True)
class Column:
    """One feature of the training people: a number's values, or a category's codes and names."""

    name: str
    values: NDArray[np.float64]  # (n,) NaN = missing; for categories the codes, likewise
    names: tuple[str, ...] | None = None  # of the categories; None for a number
    special: tuple[float, ...] = ()  # codes of a number that mean something else than an amount
    cuts: tuple[float, ...] | None = None  # of a number, given by hand
    groups: Groups | None = None  # of categories, given by hand
    locked: bool = False  # the bins given by hand stay as they are
    levels: tuple[str, ...] = ()  # categories that were declared, whoever has them

    @classmethod
    def read(cls, column: pd.Series[Any], **by_hand: Any) -> Column:
        """Read a column of a table; see :mod:`blindscore.scorecard.binning` for what is refused.

        Parameters
        ----------
        by_hand : special, cuts, groups, locked, levels, as above

        Raises
        ------
        DataError
            Infinity, or a wrong type.
        ParameterError
            Special codes or cut points of categories, or groups or levels of a number.
        """
        name = str(column.name)
        if kind_of(column) == "number":
            if by_hand.get("groups") is not None:
                raise ParameterError(f"groups are those of categories; {name!r} holds numbers")
            if by_hand.get("levels"):
                raise ParameterError(f"levels are those of categories; {name!r} holds numbers")
            return cls(name, numbers(column).astype(np.float64), **by_hand)
        if by_hand.get("special") or by_hand.get("cuts") is not None:
            raise ParameterError(f"special codes and cuts are those of numbers; {name!r} holds categories")
        codes, names = categories(column)
        return cls(name, np.where(codes < 0, np.nan, codes), tuple(names), **by_hand)

    def parts(self, least: int, unknown: Unknown) -> list[Part]:
        """The parts to fit: the feature, or its amounts and, as categories, its special codes and missing values."""
        if self.names is not None:
            return [self._pooled(least, unknown)]
        amounts = Part(self.name, self.values, None, self.cuts, self.locked)
        if not self.special:
            return [amounts]
        codes = np.full(len(self.values), np.nan)
        for k, code in enumerate(self.special):
            codes[self.is_code(code)] = k
        codes[np.isnan(self.values)] = len(self.special)
        levels = Column(self.name, codes, (*map(repr, self.special), "missing"))
        return [replace(amounts, values=np.where(np.isnan(codes), self.values, np.nan)), levels._pooled(least)]

    def _pooled(self, least: int, unknown: Unknown = "neutral") -> Part:
        """Levels of at least so many people; the rest are "any other", or missing, or, where unknown ones are an
        error, a level that lists them.

        "Any other" names those of its levels that were declared: that they exist is no secret, and a name that stands
        on the card is a category, not a word for missing, when people are scored.
        """
        names = self.names or ()
        levels = tuple((name,) for name in names) if self.groups is None else self.groups
        level_of = {name: k for k, level in enumerate(levels) for name in level}
        rest = len(levels)
        lookup = np.array([*(level_of.get(name, rest) for name in names), rest + 1])
        own = lookup[np.where(np.isnan(self.values), len(names), self.values).astype(np.int64)]
        people = np.bincount(own, minlength=rest + 1)[:rest]
        kept = np.arange(rest)
        if not self.locked:
            kept = np.sort(np.argsort(-people, kind="stable")[:MOST_LEVELS])
            kept = kept[people[kept] >= max(least, 1)]
        new_of = np.full(rest + 2, float(len(kept)))
        new_of[kept], new_of[rest + 1] = np.arange(len(kept)), np.nan
        groups, other = tuple(levels[k] for k in kept), None
        named = {name for group in groups for name in group}
        declared = tuple(sorted(set(self.levels) - named))
        if unknown == "neutral":
            groups, other = (*groups, declared), len(kept)
        elif unknown == "missing":
            new_of[new_of == len(kept)] = np.nan
            groups = groups or ((),)
            other = len(groups)
        else:
            left = tuple(name for name in dict.fromkeys([*level_of, *names, *declared]) if name not in named)
            groups = (*groups, left) if left or not groups else groups
        return Part(self.name, new_of[own], Bins(groups=groups, other=other), None, self.locked)

    def is_code(self, code: float) -> NDArray[np.bool_]:
        """Whose value is the special code, as float64 or as float32 data hold it; (n,)."""
        return np.asarray((self.values == code) | (self.values == nearest(code)))

    def place(self, bins: Bins) -> NDArray[np.uint8]:
        """Bin of each person in the finished bins, the missing bin last."""
        present = ~np.isnan(self.values)
        out = np.full(len(self.values), bins.n_ordinary, np.uint8)
        if self.names is None:
            out[present] = np.searchsorted(np.asarray(bins.edges), self.values[present], side="right")
        elif self.names:
            bin_of = {name: k for k, group in enumerate(bins.groups or ()) for name in group}
            lookup = np.array([bin_of.get(name, bins.other) for name in self.names], np.uint8)
            out[present] = lookup[self.values[present].astype(int)]
        return out
