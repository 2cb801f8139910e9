"""Score many people at once: lay a card out for the vector loops, run them, and say where an infinity was.

A number's points are ``p_0 + sum_k (p_{k+1} - p_k) [x >= e_k]`` over the card's edges; a missing value (NaN) gives the
missing bin's points. :func:`score_columns_plain` says the same in plain Python and is the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError, DataError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.kernel import lanes
from blindscore.scorecard.kernel.lanes import GROUP, LANES, SIZES, SLOTS
from blindscore.threads import cores

SERIAL_CELLS = 4_000_000  # below it one thread is as fast: starting threads takes about as long as scoring
TILE = 1 << 16  # people a thread takes at a time


@dataclass(frozen=True)
class Program:
    """Some features of a card, laid out for the loops; padded to a multiple of four with features worth nothing."""

    order: NDArray[np.int64]  # (d,) place of each feature on the card, those with few edges first
    kinds: NDArray[np.int64]  # (d / 4,) edges that the group's loop is specialised to: 3, 7 or 15
    edges: NDArray[Any]  # (d, SLOTS) float32 or float64: edges, or search tables
    points: NDArray[np.int32]  # (d, LANES) gains at each edge, or points of each bin less those of the first
    missing: NDArray[np.int32]  # (d,) points of the missing bin less those of the first

    @property
    def tables(self) -> tuple[NDArray[Any], ...]:
        """What the loops take besides the columns."""
        return self.kinds, self.edges, self.points, self.missing


@dataclass(frozen=True)
class Steps:
    """A card of numbers, ready to score; keeps the programs that it has laid out."""

    card: Card
    start: int  # total of somebody in the first bin everywhere
    programs: dict[tuple[type, tuple[int, ...]], Program] = field(default_factory=dict, repr=False, compare=False)

    def program(self, dtype: type, features: tuple[int, ...]) -> Program:
        """Lay out the features whose columns have one type (float32 or float64)."""
        key = (dtype, features)
        if key not in self.programs:
            self.programs[key] = _lay_out(self.card.characteristics, dtype, features)
        return self.programs[key]


def steps_of(card: Card) -> Steps:
    """Return the card, ready to score.

    Raises
    ------
    CardError
        The card has categories, which no comparison of numbers can score.
    """
    named = [c.feature for c in card.characteristics if c.groups is not None]
    if named:
        raise CardError(f"the kernel scores numbers only; these are categories: {', '.join(named)}")
    return Steps(card, card.base + sum(c.points[0] for c in card.characteristics))


def round_up_to_float32(edges: NDArray[np.float64]) -> NDArray[np.float32]:
    """Least float32 not below each edge: a float32 x then compares with it exactly as with the edge itself."""
    with np.errstate(over="ignore"):  # an edge beyond float32 becomes infinity, which no finite x reaches
        near = edges.astype(np.float32)
    below = near.astype(np.float64) < edges
    return np.where(below, np.nextafter(near, np.float32(np.inf)), near).astype(np.float32)


def _lay_out(characteristics: Sequence[Characteristic], dtype: type, features: tuple[int, ...]) -> Program:
    wide = dtype is np.float64
    by_edges = sorted(features, key=lambda j: len(characteristics[j].edges))
    order = by_edges + by_edges[:1] * (-len(by_edges) % GROUP)  # padding reads a column that is read anyway
    n = len(order)
    edges: NDArray[Any] = np.full((n, SLOTS), np.inf, dtype)
    points, missing = np.zeros((n, LANES), np.int32), np.zeros(n, np.int32)
    kinds = np.empty(n // GROUP, np.int64)
    for g in range(n // GROUP):
        members = by_edges[GROUP * g : GROUP * (g + 1)]
        most = max(len(characteristics[j].edges) for j in members)
        kinds[g] = size = next(size for size in SIZES if most <= size)
        for row, j in enumerate(members, start=GROUP * g):
            c = characteristics[j]
            own: NDArray[Any] = np.full(size, np.inf, dtype)
            exact = np.array(c.edges, np.float64)
            own[: len(exact)] = exact if wide else round_up_to_float32(exact)
            gains = np.array(c.points[:-1]) - c.points[0]
            missing[row] = c.points[-1] - c.points[0]
            if lanes.permutes(size, wide):
                edges[row], points[row] = _search_tables(own, gains)
            else:
                edges[row, :size] = own
                points[row, : len(gains) - 1] = np.diff(gains)
    return Program(np.array(order, np.int64), kinds, edges, points, missing)


def _search_tables(own: NDArray[Any], gains: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Edges (SLOTS,) as the search asks for them, and points (LANES,) by the place that it ends at.

    own : (7 or 15,) edges, infinity where the feature has fewer; gains : (bins,) points less those of the first
    """
    steps = lanes.search_steps(len(own))
    edges, points = np.full(SLOTS, np.inf, own.dtype), np.zeros(LANES, np.int32)
    places = np.arange(LANES)
    reached = np.zeros(LANES, np.int64)  # edges that x is known to reach, by place
    for s, (bit, skipped) in enumerate(steps):
        if s > 1:
            edges[LANES * (s - 1) : LANES * s] = own[reached + skipped - 1]
        reached += np.where(places & bit, skipped, 0)
    quarter = (len(own) + 1) // 4
    edges[:3] = own[quarter - 1 :: quarter]
    points[:] = gains[np.minimum(reached, len(gains) - 1)]
    return edges, points


def score_columns(steps: Steps, columns: Sequence[NDArray[Any]], *, threads: int | None = None) -> NDArray[np.int16]:
    """Score of each person, shape (n,), from one float32 or float64 array (n,) a feature, in card order.

    Parameters
    ----------
    threads : number of threads; default: one for small work, else one a processor

    Raises
    ------
    DataError
        Wrong number, length or type of columns, or an infinity; names the feature and the first row.
    """
    names, n = steps.card.features, len(columns[0]) if len(columns) else 0
    if len(columns) != len(names) or any(column.shape != (n,) for column in columns):
        raise DataError(f"{len(names)} columns of one length needed, one a feature of the scorecard")
    plain = [np.ascontiguousarray(column) for column in columns]
    if any(column.dtype not in (np.float32, np.float64) for column in plain):
        raise DataError("columns of float32 or float64 needed; convert them first")
    parts = []
    for dtype in (np.float32, np.float64):
        program = steps.program(dtype, tuple(j for j, column in enumerate(plain) if column.dtype == dtype))
        addresses = np.array([plain[j].ctypes.data for j in program.order], np.int64)
        parts.append((addresses, *program.tables))
    scale, out = steps.card.scale, np.empty(n, np.int16)

    def run(begin: int, end: int) -> bool:
        return bool(lanes.score_blocks(parts[0], parts[1], steps.start, scale.low, scale.high, out, begin, end))

    if _run(run, n, n * len(names), threads):
        _point_at_infinity(names, plain)
    return out


def score_rows(steps: Steps, table: NDArray[Any], *, threads: int | None = None) -> NDArray[np.int16]:
    """Score of each person, shape (n,), from a table (n, d) of float32 or float64, columns in card order.

    Raises
    ------
    DataError
        Wrong shape or type, or an infinity; names the feature and the first row.
    """
    names = steps.card.features
    if table.ndim != 2 or table.shape[1] != len(names):
        raise DataError(f"a table of {len(names)} columns needed, one a feature of the scorecard")
    if table.dtype not in (np.float32, np.float64):
        raise DataError(f"a table of float32 or float64 needed, found {table.dtype}; convert it first")
    if not table.flags.c_contiguous:
        return score_columns(steps, list(table.T), threads=threads)
    program = steps.program(table.dtype.type, tuple(range(len(names))))
    scale, out, size, tables = steps.card.scale, np.empty(len(table), np.int16), table.itemsize, program.tables

    def run(begin: int, end: int) -> bool:
        return bool(
            lanes.score_tiles(table, program.order, tables, size, steps.start, scale.low, scale.high, out, begin, end)
        )

    if _run(run, len(table), table.size, threads):
        _point_at_infinity(names, list(table.T))
    return out


def score_columns_plain(card: Card, columns: Sequence[Sequence[float]]) -> list[int]:
    """Plain twin of :func:`score_columns`, which it defines; an infinity raises :class:`DataError`."""
    scores = []
    for values in zip(*columns, strict=True):
        total = card.base
        for c, x in zip(card.characteristics, map(float, values), strict=True):
            if x in (float("inf"), float("-inf")):
                raise DataError(f"column {c.feature!r}: infinity")
            total += c.points[-1] if x != x else c.points[sum(x >= edge for edge in c.edges)]
        scores.append(min(max(total, card.scale.low), card.scale.high))
    return scores


def _run(run: Callable[[int, int], bool], n: int, cells: int, threads: int | None) -> bool:
    """Run over n people in one thread or several; say whether any part saw an infinity."""
    if threads is None:
        threads = 1 if cells < SERIAL_CELLS else cores()
    if threads <= 1 or n <= TILE:
        return run(0, n)
    bounds = [(begin, min(begin + TILE, n)) for begin in range(0, n, TILE)]
    with ThreadPoolExecutor(threads) as pool:  # made anew each time: a kept one would not survive a fork
        return any(list(pool.map(lambda pair: run(*pair), bounds)))


def _point_at_infinity(names: Sequence[str], columns: Sequence[NDArray[Any]]) -> None:
    for name, column in zip(names, columns, strict=True):
        infinite = np.isinf(column)
        if infinite.any():
            where = f"column {name!r}, row {int(np.argmax(infinite))}"
            raise DataError(f"{where}: infinity; correct it or leave the cell empty; rows count from 0")
