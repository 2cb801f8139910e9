"""Choose bins for training ("classing"): optimal segmentation of fine bins by dynamic programming.

A column is cut finely first, then neighbouring fine bins are merged so that the log-likelihood of the outcome, less
a price a bin, is greatest (segment neighbourhood search: Auger and Lawrence, 1989; price: Schwarz, 1978). A monotone
request pools violators first (Ayer et al., 1955), so every merge afterwards stays monotone. Where nothing is asked, the
bad rate of a number may turn once, from rising to falling or back: wiggles beyond that are mostly luck. Categories are
never put in an order of their outcomes before a fit: with many of them that order is luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.scorecard.special import code_edges

Direction = Literal["increasing", "decreasing", "auto", "none"]
FINE_BINS = 100
TURN = 2.0  # log-likelihood that a turn of a number's bad rate must gain: its place and its kind, at Akaike's price


@dataclass(frozen=True)
class Bins:
    """Bins of one feature as training chose them: edges of a number, or groups of categories."""

    edges: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] | None = None
    other: int | None = None  # bin of categories in no group; None: there are none

    @property
    def n_ordinary(self) -> int:
        """Bins without the missing one."""
        return len(self.edges) + 1 if self.groups is None else len(self.groups)

    def merge(self, order: NDArray[np.int64], starts: list[int]) -> Bins:
        """Put the listed bins in an order and join neighbours; "any other", where it has a bin, stays the last.

        Each new bin starts at one of `starts`, the first of which is 0.
        """
        if self.groups is None:
            return Bins(edges=tuple(self.edges[k - 1] for k in starts[1:]))
        ends = [*starts[1:], len(order)]
        joined = [
            tuple(sorted(chain.from_iterable(self.groups[k] for k in order[a:b])))
            for a, b in zip(starts, ends, strict=True)
        ]
        rest = [self.groups[k] for k in range(len(order), len(self.groups))]
        other = None if self.other is None else self.other - len(order) + len(joined)
        return Bins(groups=(*joined, *rest), other=other)


def with_special(bins: Bins, special: tuple[float, ...]) -> tuple[Bins, NDArray[np.int64]]:
    """Give every special code of a number a bin of its own, so that edges say it all.

    Returns
    -------
    bins, and for each of them and the missing one its place in the order: ordinary bins, special codes, missing
    """
    m = bins.n_ordinary
    if not special:
        return bins, np.arange(m + 1)
    pairs = [code_edges(code) for code in special]
    outside = (edge for edge in bins.edges if not any(low < edge < end for low, end in pairs))
    cuts = sorted({*outside, *chain.from_iterable(pairs)})
    places = {low: m + k for k, (low, _) in enumerate(pairs)}
    ordinary = np.searchsorted(bins.edges, [-np.inf, *cuts], side="right")
    order = [places.get(start, int(own)) for start, own in zip([-np.inf, *cuts], ordinary, strict=True)]
    return Bins(edges=tuple(cuts)), np.array([*order, m + len(special)])


def short_edge(low: float, high: float) -> float:
    """Return the decimal with the fewest digits in (low, high], so that tables stay readable."""
    middle = low + (high - low) / 2
    for digits in range(1, 17):
        for near in (middle, high):
            edge = float(f"{near:.{digits}g}")
            if low < edge <= high:
                return edge
    return high


def fine_edges(
    values: NDArray[np.float64], most: int = FINE_BINS, weight: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """At most `most` - 1 increasing edges between distinct values, about equally many people between them."""
    if weight is None:
        distinct, counts = np.unique(values, return_counts=True)
    else:
        distinct, place = np.unique(values, return_inverse=True)
        counts = np.bincount(place, weights=weight)
    if len(distinct) <= most:
        starts = np.arange(1, len(distinct))
    else:
        reached = np.cumsum(counts) / counts.sum()
        starts = np.unique(np.searchsorted(reached, np.arange(1, most) / most) + 1)
        starts = starts[starts < len(distinct)]
    return np.array([short_edge(float(distinct[k - 1]), float(distinct[k])) for k in starts])


@njit(cache=True, nogil=True)
def _fit(bad: Any, good: Any) -> Any:
    """Greatest log-likelihood of one bin."""
    n = bad + good
    return (bad * np.log(bad / n) if bad > 0 else 0.0) + (good * np.log(good / n) if good > 0 else 0.0)


@njit(cache=True, nogil=True)
def _isotonic(bad: Any, good: Any, rising: Any) -> Any:
    """Pool to a monotone bad rate: log-likelihood of the first 0, 1, ... m fine bins, and the blocks' starts."""
    m = len(bad)
    fits, starts = np.zeros(m + 1), np.zeros(m, np.int64)
    b, g, count, total = np.zeros(m), np.zeros(m), 0, 0.0
    for k in range(m):
        starts[count], b[count], g[count] = k, bad[k], good[k]
        total += _fit(bad[k], good[k])
        count += 1
        while count > 1:
            i, j = count - 2, count - 1
            sound = b[i] * g[j] <= b[j] * g[i] if rising else b[i] * g[j] >= b[j] * g[i]
            if sound and b[i] + g[i] > 0 and b[j] + g[j] > 0:  # a bin without people joins its neighbour
                break
            total -= _fit(b[i], g[i]) + _fit(b[j], g[j])
            b[i] += b[j]
            g[i] += g[j]
            total += _fit(b[i], g[i])
            count -= 1
        fits[k + 1] = total
    return fits, starts[:count]


def pool_violators(bad: NDArray[np.float64], good: NDArray[np.float64], rising: bool) -> NDArray[np.int64]:
    """Start of each block of neighbouring fine bins after pooling to a monotone bad rate (isotonic regression)."""
    return np.asarray(_isotonic(bad, good, rising)[1])


def pool_turns(bad: NDArray[np.float64], good: NDArray[np.float64]) -> NDArray[np.int64]:
    """Start of each block after pooling to the likeliest bad rate that turns at most once (unimodal regression).

    Every split into a monotone left and right part is tried (Frisén, 1986); a turn must gain `TURN` in log-likelihood.
    """
    return np.asarray(_turning(bad, good))


@njit(cache=True, nogil=True)
def _turning(bad: Any, good: Any) -> Any:
    m, best, split = len(bad), -np.inf, 0
    rising = m >= 0  # no constant: it would be compiled for in a form of its own, and so would views from the right
    from_right = bad[::-1].copy(), good[::-1].copy()
    for way in (True, False):
        left, right = _isotonic(bad, good, way)[0], _isotonic(from_right[0], from_right[1], way)[0]
        for k in range(m + 1):
            whole = left[k] + right[m - k] - (TURN if 0 < k < m else 0.0)
            if whole > best:
                best, split, rising = whole, k, way
    before, after = (
        _isotonic(bad[:split], good[:split], rising)[1],
        _isotonic(bad[split:], good[split:], not rising)[1],
    )
    starts = np.empty(before.size + after.size, np.int64)
    for k in range(before.size):
        starts[k] = before[k]
    for k in range(after.size):
        starts[before.size + k] = split + after[k]
    return starts


def log_likelihood(bad: NDArray[np.float64], good: NDArray[np.float64]) -> NDArray[np.float64]:
    """Greatest binomial log-likelihood of each pair of counts."""
    n = np.maximum(bad + good, 1e-300)
    return bad * np.log(np.maximum(bad / n, 1e-300)) + good * np.log(np.maximum(good / n, 1e-300))


def merge(
    bad: NDArray[np.float64],
    good: NDArray[np.float64],
    max_bins: int,
    least: float,
    price: float | None = None,
    heads: NDArray[np.int64] | None = None,
) -> list[int]:
    """Start of every bin after the best merge of neighbouring fine bins (the first start is 0).

    Parameters
    ----------
    bad, good : (m,) counts in the fine bins
    max_bins : most bins to return
    least : least people in a bin
    price : log-likelihood that a further bin must gain; default: that of Schwarz, half the logarithm of the people
    heads : (m,) people whom the counts stand for, where they are weighted
    """
    m = len(bad)
    before_bad, before_good = (np.concatenate([[0.0], np.cumsum(counts)]) for counts in (bad, good))
    b, g = before_bad[None, :] - before_bad[:, None], before_good[None, :] - before_good[:, None]
    people = np.concatenate([[0.0], np.cumsum(bad + good if heads is None else heads)])
    allowed = (people[None, :] - people[:, None] >= least) & (np.arange(m + 1)[:, None] < np.arange(m + 1)[None, :])
    gain = np.where(allowed, log_likelihood(np.maximum(b, 0), np.maximum(g, 0)), -np.inf)  # [i, j]: bin of i..j-1
    price = 0.5 * np.log(before_bad[-1] + before_good[-1] + 1.0) if price is None else price
    found = best_segments(gain, max_bins)
    worth = [total - price * (len(starts) - 1) for total, starts in found]
    return found[int(np.argmax(worth))][1] if np.isfinite(max(worth)) else [0]


def best_segments(gain: NDArray[np.float64], most: int) -> list[tuple[float, list[int]]]:
    """For k = 1, 2, ... at most `most`: the greatest total gain of k segments, and where each of them starts.

    gain : (m + 1, m + 1), gain[i, j] of one segment i..j-1; -inf where it is not allowed
    """
    totals, starts = _segments(np.ascontiguousarray(gain), most)
    return [
        (float(total), sorted(row[: k + 1].tolist())) for k, (total, row) in enumerate(zip(totals, starts, strict=True))
    ]


@njit(cache=True, nogil=True)
def _segments(gain: Any, most: int) -> Any:
    """As :func:`best_segments`: totals, (k,), and starts, (k, k), of 1, 2, ... k segments."""
    m = gain.shape[0] - 1
    rounds = max(1, min(most, m))
    best, came_from = np.empty((rounds, m + 1)), np.zeros((rounds, m + 1), np.int64)
    for j in range(m + 1):
        best[0, j] = gain[0, j]
    for k in range(1, rounds):
        for j in range(m + 1):
            best[k, j] = best[k - 1, 0] + gain[0, j]
        for i in range(1, m + 1):
            for j in range(m + 1):
                reached = best[k - 1, i] + gain[i, j]
                if reached > best[k, j]:
                    best[k, j], came_from[k, j] = reached, i
    starts = np.zeros((rounds, rounds), np.int64)
    for k in range(rounds):
        end = m
        for step in range(k, 0, -1):
            end = came_from[step, end]
            starts[k, step] = end
    return best[:, m].copy(), starts


def class_numbers(
    values: NDArray[np.float64],
    bad: NDArray[np.bool_],
    max_bins: int,
    sign: int = 0,
    *,
    price: float | None = None,
    least: int = 1,
    weight: NDArray[np.float64] | None = None,
    edges: NDArray[np.float64] | None = None,
) -> Bins:
    """Bins of a number from present values, shape (n,), and outcomes.

    Parameters
    ----------
    sign : +1 where the score must rise with the number, -1 where it must fall, 0 where it is free
    least : least head count of a bin
    weight : (n,) for how many people each stands; default one
    edges : to choose among; default fine ones
    """
    if len(values) == 0:
        return Bins()
    edges = fine_edges(values, weight=weight) if edges is None else edges
    at = np.searchsorted(edges, values, side="right")
    bads, goods = _count(at, bad, len(edges) + 1, weight), _count(at, ~bad, len(edges) + 1, weight)
    starts = pool_violators(bads, goods, sign < 0) if sign else pool_turns(bads, goods)
    heads = np.add.reduceat(np.bincount(at, minlength=len(edges) + 1), starts)
    chosen = merge(*_pool(bads, goods, starts), max_bins, least, price, heads)
    return Bins(edges=tuple(float(edges[starts[k] - 1]) for k in chosen if k > 0))


def rises(values: NDArray[np.float64], bad: NDArray[np.bool_], weight: NDArray[np.float64] | None = None) -> bool:
    """Whether a score that rises with the values fits the outcomes at least as well as one that falls."""
    edges = fine_edges(values, weight=weight)
    at = np.searchsorted(edges, values, side="right")
    bads, goods = _count(at, bad, len(edges) + 1, weight), _count(at, ~bad, len(edges) + 1, weight)
    fits = [log_likelihood(*_pool(bads, goods, pool_violators(bads, goods, way))).sum() for way in (False, True)]
    return bool(fits[0] >= fits[1])


def _count(
    at: NDArray[np.int64], which: NDArray[np.bool_], n: int, weight: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    return np.asarray(np.bincount(at, weights=which if weight is None else which * weight, minlength=n), np.float64)


def _pool(
    bad: NDArray[np.float64], good: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.add.reduceat(bad, starts), np.add.reduceat(good, starts)
