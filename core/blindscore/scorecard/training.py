"""From people with known outcomes to a card: choose bins, fit effects, choose the scale, round to points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.scorecard.card import MAX_POINTS, Card, Characteristic, Scale, Unknown
from blindscore.scorecard.classing import Bins, Direction, with_special
from blindscore.scorecard.columns import Column, Part
from blindscore.scorecard.neighbours import differing
from blindscore.scorecard.rounding import (
    intercept_of,
    log_odds_of,
    merge_effects,
    merged,
    neutral,
    round_points,
)
from blindscore.scorecard.scale import BEYOND, ScaleWish, beyond
from blindscore.scorecard.sparse import fit_sparse
from blindscore.scorecard.woe import fit_woe, weights_of_evidence

Method = Literal["sparse", "woe"]


@dataclass(frozen=True)
class Settings:
    """How to fit; see :class:`~blindscore.scorecard.scorecard.Scorecard`."""

    method: Method
    max_bins: int
    least_count: int
    least_share: float
    max_pvalue: float
    unknown: Unknown
    strength: float
    seed: int
    scale: ScaleWish

    def least(self, people: int) -> int:
        """Least head count of a bin among so many people."""
        return max(self.least_count, math.ceil(self.least_share * people))


@dataclass(frozen=True)
class Smallest:
    """The bin of a card that fewest training people decided."""

    feature: str
    bin: int
    people: int


@dataclass(frozen=True)
class Trained:
    """A card, and how many goods and bads stood in each bin, (bins, 2) a feature on the card."""

    card: Card
    counts: dict[str, NDArray[np.int64]]
    beyond: tuple[float, float]  # share of the training people below the lowest score, above the highest
    least: int  # head count under which a bin says nothing of its own
    smallest: Smallest | None  # None where no feature moves a point


@dataclass(frozen=True)
class _Fitted:
    """One feature between fit and rounding; bins stand as ordinary ones, special codes, missing."""

    bins: Bins  # the ordinary ones
    placed: NDArray[np.uint8]  # (n,)
    effects: NDArray[np.float64]


def train(
    columns: Sequence[Column],
    bad: NDArray[np.bool_],
    weight: NDArray[np.float64],
    directions: Sequence[Direction],
    settings: Settings,
) -> Trained:
    """Fit a card.

    Parameters
    ----------
    columns : of the training people
    bad : (n,) True = defaulted
    weight : (n,) for how many people each row stands, > 0
    directions : one a column
    """
    least = settings.least(len(bad))
    parts, ways, most = [], [], []
    for column, way in zip(columns, directions, strict=True):
        for part in column.parts(least, settings.unknown):
            parts.append(part)
            ways.append(way if part.levels is None else "none")
            most.append(settings.max_bins - 2 * len(column.special) if part.levels is None else settings.max_bins)
    uneven = weight if (weight != 1).any() else None
    signs = np.array([c.sign(bad, uneven, way) for c, way in zip(parts, ways, strict=True)], np.int64)
    fitted = _join(columns, *_fit_parts(parts, bad, weight, signs, most, least, settings))
    directed = signs[[k for k, part in enumerate(parts) if k == 0 or part.name != parts[k - 1].name]]
    scale, base, points, shares = _round(fitted, directed, bad, weight, settings.scale)
    if max(int(np.abs(p).max()) for p in points) > MAX_POINTS:
        raise DataError(f"the fit gives a bin more than {MAX_POINTS} points; lower pdo or strength")
    characteristics, counts, sizes = [], {}, []
    for j in [j for j, p in enumerate(points) if p.any()] or [0]:
        column = columns[j]
        final, order = with_special(fitted[j].bins, column.special)
        own, n_bins = column.place(final), final.n_ordinary + 1
        by_outcome = [np.bincount(own[bad == outcome], minlength=n_bins) for outcome in (False, True)]
        people = by_outcome[0] + by_outcome[1]
        told = (people >= least) | (column.locked & (people > 0))
        woe = weights_of_evidence(own, bad, n_bins, 0 if column.special else directed[j], weight)
        characteristics.append(
            Characteristic(
                feature=column.name,
                points=tuple(int(p) for p in points[j][order]),
                edges=final.edges,
                groups=final.groups,
                woe=tuple(round(float(w), 6) if known else 0.0 for w, known in zip(woe, told, strict=True)),
                other=final.other,
            )
        )
        counts[column.name] = np.column_stack(by_outcome)
        if points[j].any():
            sizes += [Smallest(column.name, int(k), int(people[k])) for k in np.flatnonzero(told)]
    smallest = min(sizes, key=lambda size: size.people, default=None)
    return Trained(Card(tuple(characteristics), base, scale), counts, shares, least, smallest)


def _fit_parts(
    parts: Sequence[Part],
    bad: NDArray[np.bool_],
    weight: NDArray[np.float64],
    signs: NDArray[np.int64],
    most: Sequence[int],
    least: int,
    settings: Settings,
) -> tuple[list[Bins], list[NDArray[np.uint8]], list[NDArray[np.float64]]]:
    """Bins, people's places and effects of each part, after neighbours were merged and small bins silenced."""
    uneven = weight if (weight != 1).any() else None
    fine = [
        part.fine(uneven) if settings.method == "sparse" else part.coarse(bad, uneven, n, least, sign)
        for part, n, sign in zip(parts, most, signs, strict=True)
    ]
    placed = np.array([part.place(bins) for part, bins in zip(parts, fine, strict=True)])
    ordinary = np.array([bins.n_ordinary for bins in fine], np.int64)
    ordered = np.array([part.levels is None for part in parts])
    if settings.method == "sparse":
        fitted = list(fit_sparse(placed, ordinary, ordered, bad, weight, signs, settings.seed, least))
    else:
        fitted = fit_woe(placed, ordinary, ordered, bad, weight, signs, settings.strength)
    bins, effects, rebinned = [], [], []
    for part, own, old, effect, n in zip(parts, placed, fine, fitted, most, strict=True):
        m = old.n_ordinary
        heads = np.bincount(own, minlength=m + 1)
        people = np.asarray(np.bincount(own, weights=weight, minlength=m + 1), np.float64)
        if part.locked:
            bins.append(old)
            rebinned.append(own)
            effects.append(effect[: m + 1])
            continue
        order, starts = _merge(part, old, effect, people, heads, n, least)
        if settings.max_pvalue < 1:
            bads = np.bincount(own[bad], minlength=m + 1)
            starts = differing(bads[order], heads[order], starts, settings.max_pvalue)
        final = old.merge(order, starts) if len(order) else old
        listed = len(order)
        new_of = np.empty(m + 1, np.uint8)
        new_of[order] = np.searchsorted(starts, np.arange(listed), side="right") - 1
        rest = np.arange(listed, m + 1)  # every other category, if there is such a bin, and the missing one
        new_of[rest] = len(starts) + rest - listed
        together = [*merged(effect[order], people[order], starts), *effect[rest]]
        mass, told = (
            np.asarray(np.bincount(new_of, weights=size, minlength=len(together)), np.float64)
            for size in (people, heads)
        )
        bins.append(final)
        rebinned.append(new_of[own])
        effects.append(neutral(np.array(together), mass, told >= least))
    return bins, rebinned, effects


def _merge(
    part: Part,
    old: Bins,
    effect: NDArray[np.float64],
    people: NDArray[np.float64],
    heads: NDArray[np.int64],
    most: int,
    least: int,
) -> tuple[NDArray[np.int64], list[int]]:
    """Order of the listed fine bins, and where each merged one starts in it."""
    listed = old.n_ordinary if old.other is None or old.other == old.n_ordinary else old.n_ordinary - 1
    order = np.arange(listed)
    if part.levels is not None:
        order = np.argsort(effect[:listed], kind="stable")
        most -= old.n_ordinary - listed
    if not listed:
        return order, []
    return order, merge_effects(effect[order], people[order], max(1, most), least, heads[order])


def _join(
    columns: Sequence[Column], bins: list[Bins], placed: list[NDArray[np.uint8]], effects: list[NDArray[np.float64]]
) -> list[_Fitted]:
    """Put amounts and special codes, which were fitted as two columns, back into one feature."""
    fitted, at = [], 0
    for column in columns:
        own, effect, place = bins[at], effects[at], placed[at]
        at += 1
        if column.special:
            m, codes = own.n_ordinary, bins[at]
            group_of = {name: k for k, group in enumerate(codes.groups or ()) for name in group}
            names = [*map(repr, column.special), "missing"]
            extra = effects[at][[group_of.get(name, codes.n_ordinary - 1) for name in names]]
            effect = np.concatenate([effect[:m] + effects[at][-1], effect[m] + extra])
            for k, code in enumerate(column.special):
                place = np.where(column.is_code(code), m + k, place)
            place = np.where(np.isnan(column.values), m + len(column.special), place).astype(np.uint8)
            at += 1
        fitted.append(_Fitted(own, place, effect))
    return fitted


def _round(
    fitted: Sequence[_Fitted],
    signs: NDArray[np.int64],
    bad: NDArray[np.bool_],
    weight: NDArray[np.float64],
    wish: ScaleWish,
) -> tuple[Scale, int, list[NDArray[np.int64]], tuple[float, float]]:
    """Scale, base, points of each feature, and the shares of people beyond either end of the scale."""
    placed, effects = np.array([f.placed for f in fitted]), [f.effects for f in fitted]
    exact = log_odds_of(placed, effects)
    exact += intercept_of(exact, bad, weight)
    scale: Scale | None = wish.fit(exact, float(np.average(bad, weights=weight)))
    ordinary = [f.bins.n_ordinary for f in fitted]
    while scale is not None:
        base, points = round_points(placed, effects, exact, scale.factor, scale.offset, signs, weight, ordinary)
        totals = base + sum(p[own] for p, own in zip(points, placed, strict=True))
        found = scale, base, points, beyond(scale, totals)
        scale = None if max(found[3]) < BEYOND else wish.narrower(scale)
    return found
