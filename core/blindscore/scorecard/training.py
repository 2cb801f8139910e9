"""From people with known outcomes to a card: read the columns, choose bins, fit effects, round to points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.scorecard.binning import categories, kind_of, numbers
from blindscore.scorecard.card import MAX_POINTS, Card, Characteristic, Scale
from blindscore.scorecard.classing import Bins, Direction, class_categories, class_numbers, fine_edges, rises
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

    @classmethod
    def read(cls, column: pd.Series[Any]) -> Column:
        """Read a column of a table; see :mod:`blindscore.scorecard.binning` for what is refused."""
        if kind_of(column) == "number":
            return cls(str(column.name), numbers(column).astype(np.float64), None)
        codes, names = categories(column)
        return cls(str(column.name), np.where(codes < 0, np.nan, codes), names)

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
    signs = np.array([c.sign(bad, way) for c, way in zip(columns, directions, strict=True)], np.int64)
    if method == "woe":
        bins = [column.coarse(bad, max_bins, way) for column, way in zip(columns, directions, strict=True)]
        placed = np.array([column.place(b) for column, b in zip(columns, bins, strict=True)])
        effects = list(fit_woe(placed.T, [b.n_ordinary + 1 for b in bins], bad, strength, signs).effects)
    else:
        bins, placed, effects = _sparse(columns, bad, signs, max_bins, seed)
    base, points = round_points(placed, effects, scale.factor, scale.offset, signs, bad)
    if max(int(np.abs(p).max()) for p in points) > MAX_POINTS:
        raise DataError(f"the fit gives a bin more than {MAX_POINTS} points; lower pdo or strength")
    kept = [j for j, p in enumerate(points) if p.any()] or [0]
    characteristics, counts = [], {}
    for j in kept:
        woe = weights_of_evidence(placed[j], bad, bins[j].n_ordinary + 1, signs[j])
        characteristics.append(
            Characteristic(
                feature=columns[j].name,
                points=tuple(int(p) for p in points[j]),
                edges=bins[j].edges,
                groups=bins[j].groups,
                woe=tuple(round(float(w), 6) for w in woe),
            )
        )
        n_bins = bins[j].n_ordinary + 1
        by_outcome = [np.bincount(placed[j][bad == outcome], minlength=n_bins) for outcome in (False, True)]
        counts[columns[j].name] = np.column_stack(by_outcome)
    return Trained(Card(tuple(characteristics), base, scale), counts)


def _sparse(
    columns: Sequence[Column], bad: NDArray[np.bool_], signs: NDArray[np.int64], max_bins: int, seed: int
) -> tuple[list[Bins], NDArray[np.uint8], list[NDArray[np.float64]]]:
    """Fit fine bins, then merge those that the fit left alike."""
    fine = [column.fine(bad) for column in columns]
    placed = np.array([column.place(bins) for column, bins in zip(columns, fine, strict=True)])
    ordinary = np.array([bins.n_ordinary for bins in fine], np.int64)
    ordered = np.array([column.names is None for column in columns])
    fitted = fit_sparse(placed, ordinary, ordered, bad, signs, seed)
    bins, effects, rebinned = [], [], []
    for own, m, old, effect in zip(placed, ordinary, fine, fitted, strict=True):
        people = np.bincount(own, minlength=m + 1)[:m].astype(np.float64)
        starts = merge_effects(effect[:m], people, max_bins)
        new_of = np.append(np.searchsorted(starts, np.arange(m), side="right") - 1, len(starts)).astype(np.uint8)
        bins.append(old.merge(starts))
        effects.append(np.append(merged(effect[:m], people, starts), effect[m]))
        rebinned.append(new_of[own])
    return bins, np.array(rebinned), effects
