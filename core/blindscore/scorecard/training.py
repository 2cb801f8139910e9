"""From people with known outcomes to a card: read the columns, choose bins, fit effects, round to points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.binning import categories, kind_of, numbers
from blindscore.scorecard.card import MAX_POINTS, Card, Characteristic, Scale
from blindscore.scorecard.classing import (
    Bins,
    Direction,
    class_categories,
    class_numbers,
    fine_edges,
    rises,
    with_special,
)
from blindscore.scorecard.rounding import merge_effects, merged, round_points
from blindscore.scorecard.sparse import fit_sparse
from blindscore.scorecard.woe import fit_woe, weights_of_evidence

Method = Literal["sparse", "woe"]
FINE_BINS = 40  # of a number, before the sparse fit chooses among them
FINE_GROUPS = 24  # of categories, likewise


@dataclass(frozen=True)
class Column:
    """One feature of the training people: a number's values, or a category's codes and names."""

    name: str
    values: NDArray[np.float64]  # (n,) NaN = missing; for categories the codes, likewise
    names: list[str] | None  # of the categories; None for a number
    special: tuple[float, ...] = ()  # codes of a number that mean something else than an amount

    @classmethod
    def read(cls, column: pd.Series[Any], special: Sequence[float] = ()) -> Column:
        """Read a column of a table; see :mod:`blindscore.scorecard.binning` for what is refused."""
        if kind_of(column) == "number":
            return cls(str(column.name), numbers(column).astype(np.float64), None, tuple(map(float, special)))
        if special:
            raise ParameterError(f"special codes are those of numbers; {column.name!r} holds categories")
        codes, names = categories(column)
        return cls(str(column.name), np.where(codes < 0, np.nan, codes), names)

    def parts(self) -> list[Column]:
        """The columns to fit: this one, or its amounts and, as categories, its special codes and missing values."""
        if not self.special:
            return [self]
        codes = np.full(len(self.values), np.nan)
        for k, code in enumerate(self.special):
            codes[self.values == code] = k
        codes[np.isnan(self.values)] = len(self.special)
        amounts = np.where(np.isnan(codes), self.values, np.nan)
        return [Column(self.name, amounts, None), Column(self.name, codes, [*map(repr, self.special), "missing"])]

    def place(self, bins: Bins) -> NDArray[np.uint8]:
        """Bin of each person, the missing bin last."""
        present = ~np.isnan(self.values)
        out = np.full(len(self.values), bins.n_ordinary, np.uint8)
        if self.names is None:
            out[present] = np.searchsorted(np.asarray(bins.edges), self.values[present], side="right")
        elif self.names:
            group_of = {name: k for k, group in enumerate(bins.groups or ()) for name in group}
            lookup = np.array([group_of[name] for name in self.names], np.uint8)
            out[present] = lookup[self.values[present].astype(int)]
        return out

    def coarse(self, bad: NDArray[np.bool_], max_bins: int, direction: Direction | None) -> Bins:
        """Bins for weight of evidence: nothing is paid for a bin, as shape and smoothing hold luck down already."""
        present = ~np.isnan(self.values)
        if self.names is None:
            return class_numbers(self.values[present], bad[present], max_bins, direction, price=0.0)
        return class_categories(np.where(present, self.values, -1).astype(int), self.names, bad, max_bins, price=0.0)

    def fine(self, bad: NDArray[np.bool_]) -> Bins:
        """Bins for the sparse fit to choose among."""
        present = ~np.isnan(self.values)
        if self.names is None:
            edges = fine_edges(self.values[present], FINE_BINS) if present.any() else ()
            return Bins(edges=tuple(map(float, edges)))
        codes = np.where(present, self.values, -1).astype(int)
        return class_categories(codes, self.names, bad, FINE_GROUPS, price=0.0)

    def sign(self, bad: NDArray[np.bool_], direction: Direction | None) -> int:
        """+1 where points must rise with the number, -1 where they must fall, 0 where they are free."""
        if direction is None or self.names is not None:
            return 0
        if direction == "auto":
            present = ~np.isnan(self.values)
            return 1 if not present.any() or rises(self.values[present], bad[present]) else -1
        return 1 if direction == "increasing" else -1


@dataclass(frozen=True)
class Trained:
    """A card, and how many goods and bads stood in each bin, (bins, 2) a feature on the card."""

    card: Card
    counts: dict[str, NDArray[np.int64]]


def train(
    columns: Sequence[Column],
    bad: NDArray[np.bool_],
    *,
    method: Method,
    max_bins: int,
    directions: Sequence[Direction | None],
    strength: float,
    scale: Scale,
    seed: int,
) -> Trained:
    """Fit a card; the settings are those of :class:`~blindscore.scorecard.scorecard.Scorecard`."""
    parts, ways, most = [], [], []
    for column, way in zip(columns, directions, strict=True):
        for part in column.parts():
            parts.append(part)
            ways.append(way if part.names is None else None)
            most.append(max_bins - 2 * len(column.special) if part.names is None else max_bins)
    signs = np.array([c.sign(bad, way) for c, way in zip(parts, ways, strict=True)], np.int64)
    if method == "woe":
        bins = [column.coarse(bad, m, way) for column, m, way in zip(parts, most, ways, strict=True)]
        placed = np.array([column.place(b) for column, b in zip(parts, bins, strict=True)])
        effects = list(fit_woe(placed.T, [b.n_ordinary + 1 for b in bins], bad, strength, signs).effects)
    else:
        bins, placed, effects = _sparse(parts, bad, signs, most, seed)
    fitted = _join(columns, bins, placed, effects)
    directed = signs[[k for k, part in enumerate(parts) if k == 0 or part.name != parts[k - 1].name]]
    base, points = round_points(
        np.array([f.placed for f in fitted]), [f.effects for f in fitted], scale.factor, scale.offset, directed, bad,
        [f.bins.n_ordinary for f in fitted],
    )  # fmt: skip
    if max(int(np.abs(p).max()) for p in points) > MAX_POINTS:
        raise DataError(f"the fit gives a bin more than {MAX_POINTS} points; lower pdo or strength")
    kept = [j for j, p in enumerate(points) if p.any()] or [0]
    characteristics, counts = [], {}
    for j in kept:
        final, order = with_special(fitted[j].bins, columns[j].special)
        own, n_bins = columns[j].place(final), final.n_ordinary + 1
        woe = weights_of_evidence(own, bad, n_bins, 0 if columns[j].special else directed[j])
        characteristics.append(
            Characteristic(
                feature=columns[j].name,
                points=tuple(int(p) for p in points[j][order]),
                edges=final.edges,
                groups=final.groups,
                woe=tuple(round(float(w), 6) for w in woe),
            )
        )
        by_outcome = [np.bincount(own[bad == outcome], minlength=n_bins) for outcome in (False, True)]
        counts[columns[j].name] = np.column_stack(by_outcome)
    return Trained(Card(tuple(characteristics), base, scale), counts)


@dataclass(frozen=True)
class _Fitted:
    """One feature between fit and rounding; bins stand as ordinary ones, special codes, missing."""

    bins: Bins  # the ordinary ones
    placed: NDArray[np.uint8]  # (n,)
    effects: NDArray[np.float64]


def _join(
    columns: Sequence[Column], bins: list[Bins], placed: NDArray[np.uint8], effects: list[NDArray[np.float64]]
) -> list[_Fitted]:
    """Put amounts and special codes, which were fitted as two columns, back into one feature."""
    fitted, at = [], 0
    for column in columns:
        own, effect, place = bins[at], effects[at], placed[at]
        at += 1
        if column.special:
            m, group_of = own.n_ordinary, {name: k for k, group in enumerate(bins[at].groups or ()) for name in group}
            extra = effects[at][[group_of[name] for name in [*map(repr, column.special), "missing"]]]
            effect = np.concatenate([effect[:m] + effects[at][-1], effect[m] + extra])
            for k, code in enumerate(column.special):
                place = np.where(column.values == code, m + k, place)
            place = np.where(np.isnan(column.values), m + len(column.special), place).astype(np.uint8)
            at += 1
        fitted.append(_Fitted(own, place, effect))
    return fitted


def _sparse(
    columns: Sequence[Column], bad: NDArray[np.bool_], signs: NDArray[np.int64], most: list[int], seed: int
) -> tuple[list[Bins], NDArray[np.uint8], list[NDArray[np.float64]]]:
    """Fit fine bins, then merge those that the fit left alike."""
    fine = [column.fine(bad) for column in columns]
    placed = np.array([column.place(bins) for column, bins in zip(columns, fine, strict=True)])
    ordinary = np.array([bins.n_ordinary for bins in fine], np.int64)
    ordered = np.array([column.names is None for column in columns])
    fitted = fit_sparse(placed, ordinary, ordered, bad, signs, seed)
    bins, effects, rebinned = [], [], []
    for own, m, old, effect, max_bins in zip(placed, ordinary, fine, fitted, most, strict=True):
        people = np.bincount(own, minlength=m + 1)[:m].astype(np.float64)
        starts = merge_effects(effect[:m], people, max_bins)
        new_of = np.append(np.searchsorted(starts, np.arange(m), side="right") - 1, len(starts)).astype(np.uint8)
        bins.append(old.merge(starts))
        effects.append(np.append(merged(effect[:m], people, starts), effect[m]))
        rebinned.append(new_of[own])
    return bins, np.array(rebinned), effects
