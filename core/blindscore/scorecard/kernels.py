"""Score columns of numbers without looking anything up: add ``delta_k`` wherever ``x >= edge_k``.

A characteristic with points p_0 .. p_m gives ``p_0 + sum_k (p_{k+1} - p_k) [x >= e_k]``, which needs no search and no
table, only comparisons that a vector unit makes many at a time. A missing value (NaN) fails every comparison, so it
takes p_0 plus one more delta of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from blindscore.errors import CardError
from blindscore.scorecard.card import Card


@dataclass(frozen=True)
class Steps:
    """A card of numbers as steps: what :func:`score_columns` adds where."""

    start: int  # total of somebody in the first bin everywhere
    edges: tuple[NDArray[np.float64], ...]  # of each feature, increasing
    edges32: tuple[NDArray[np.float32], ...]  # least float32 >= edge: x >= edge32 iff x >= edge, for every float32 x
    deltas: tuple[NDArray[np.int32], ...]  # points gained at each edge
    missing: tuple[int, ...]  # points of the missing bin less those of the first
    low: int
    high: int


def steps_of(card: Card) -> Steps:
    """Return the card as steps.

    Raises
    ------
    CardError
        The card has categories, which no comparison of numbers can score.
    """
    named = [c.feature for c in card.characteristics if c.groups is not None]
    if named:
        raise CardError(f"the kernel scores numbers only; these are categories: {', '.join(named)}")
    edges = tuple(np.array(c.edges, np.float64) for c in card.characteristics)
    return Steps(
        start=card.base + sum(c.points[0] for c in card.characteristics),
        edges=edges,
        edges32=tuple(round_up_to_float32(e) for e in edges),
        deltas=tuple(np.array([b - a for a, b in pairwise(c.points[:-1])], np.int32) for c in card.characteristics),
        missing=tuple(c.points[-1] - c.points[0] for c in card.characteristics),
        low=card.scale.low,
        high=card.scale.high,
    )


def round_up_to_float32(edges: NDArray[np.float64]) -> NDArray[np.float32]:
    """Least float32 not below each edge, so that float32 data compare with it exactly as with the edge itself."""
    with np.errstate(over="ignore"):  # an edge beyond float32 becomes infinity, which no finite x reaches
        near = edges.astype(np.float32)
    below = near.astype(np.float64) < edges
    return np.where(below, np.nextafter(near, np.float32(np.inf)), near).astype(np.float32)


@njit(cache=True)
def add_column(values, edges, deltas, missing, totals):  # type: ignore[no-untyped-def]  # compiled: types by numba
    """Add one feature's points, less those of its first bin, to everybody's totals.

    values : (n,) float32 or float64, NaN = missing
    edges  : (m,) of the same type, increasing; deltas : (m,) int32, points; missing : int, points
    totals : (n,) int32, changed in place
    """
    for i in range(values.size):
        x = values[i]
        gained = missing if x != x else 0
        for k in range(edges.size):
            gained += deltas[k] if x >= edges[k] else 0
        totals[i] += gained


def add_column_plain(
    values: NDArray[Any], edges: NDArray[Any], deltas: NDArray[np.int32], missing: int, totals: NDArray[np.int32]
) -> None:
    """Plain twin of :func:`add_column`, which it defines."""
    for i, x in enumerate(values):
        totals[i] += missing if np.isnan(x) else sum(int(d) for d, e in zip(deltas, edges, strict=True) if x >= e)


def score_columns(steps: Steps, columns: Sequence[NDArray[Any]]) -> NDArray[np.int16]:
    """Score of each person, shape (n,), from one float32 or float64 array (n,) a feature, in card order.

    The caller has refused infinities; here an infinity counts as a very large or very small number.
    """
    totals = np.full(len(columns[0]), steps.start, np.int32)
    for j, column in enumerate(columns):
        edges = steps.edges32[j] if column.dtype == np.float32 else steps.edges[j]
        add_column(column, edges, steps.deltas[j], np.int32(steps.missing[j]), totals)
    return np.clip(totals, steps.low, steps.high).astype(np.int16)
