"""Traces: what an observer makes of packets on a line, by size, direction and time.

Features after k-fingerprinting (Hayes and Danezis, "k-fingerprinting", USENIX Security 2016) and the cumulative sums of
CUMUL (Panchenko et al., NDSS 2016), and besides how long each request waited for its answer. Who attacks with them
stands in :mod:`.wire`.

Exchanges are played in pairs, one of either secret, interleaved and in random order, so that a drift of the machine
falls on both. A difference is then tested within pairs (Wilcoxon 1945; the sign test), which asks for no independence
between pairs beyond their order; samples on one machine depend on each other, so tests for independent ones are not
used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, wilcoxon

from blindscore.errors import ParameterError

HEADERS = 80  # bytes of an IP packet that carries nothing but TCP's own words
CUMULATIVE = 20  # points at which cumulative sums are read off
WAITS = 12  # requests of a line whose waiting time is read off; the last of them is a longer line's sum of the rest

Trace = NDArray[np.float64]  # (packets, 2): seconds since the first packet; bytes, negative towards the person


def features(traces: Sequence[Trace]) -> NDArray[np.float64]:
    """Return the features of traces, (n, 44 + WAITS + CUMULATIVE): counts, sizes, gaps, waits, cumulative sums.

    Raises
    ------
    ParameterError
        A trace is empty or of another shape.
    """
    if any(trace.ndim != 2 or trace.shape[1] != 2 or not len(trace) for trace in traces):
        raise ParameterError("a trace has a row a packet and two columns, time and signed bytes; none may be empty")
    return np.stack([_features(trace) for trace in traces])


def _features(trace: Trace) -> NDArray[np.float64]:
    time, size = trace[:, 0] - trace[0, 0], trace[:, 1]
    parts: list[float] = [len(trace), time[-1], np.abs(size).sum()]
    for way in (size > 0, size < 0):
        own, gaps = np.abs(size[way]), np.diff(time[way])
        parts += [own.size, own.sum(), *_spread(own), *_spread(gaps)]
    gaps = np.diff(time)
    parts += _spread(gaps)
    turns = np.flatnonzero(np.diff(np.sign(size)) != 0)
    turned = time[turns + 1] - time[turns] if turns.size else np.zeros(1)
    parts += [turns.size, turned.max(), turned[-1], time[turns[-1] + 1] if turns.size else 0.0]
    for way in (size > 0, size < 0):  # when a quarter, a half and three quarters had passed, and where they stand
        parts += (
            [*np.quantile(time[way], (0.25, 0.5, 0.75)), float(np.flatnonzero(way).mean())] if way.any() else [0.0] * 4
        )
    sums = np.cumsum(size)
    at = np.linspace(0, len(sums) - 1, CUMULATIVE)
    return np.array([*parts, *waits(trace), *np.interp(at, np.arange(len(sums)), sums)])


def waits(trace: Trace) -> NDArray[np.float64]:
    """Return how long each request waited, (WAITS,) seconds; the last is the sum from there on, 0 where none is.

    A wait lasts from a packet up that holds more than headers to the next one that does, if that goes down.
    """
    time, size = trace[:, 0], trace[:, 1]
    filled = np.flatnonzero(np.abs(size) > HEADERS)
    turns = np.flatnonzero((size[filled[:-1]] > 0) & (size[filled[1:]] < 0)) if filled.size else filled
    found = time[filled[turns + 1]] - time[filled[turns]]
    padded = np.zeros(WAITS)
    padded[: min(WAITS, found.size)] = found[:WAITS]
    padded[-1] += found[WAITS:].sum()
    return padded


def lines_features(exchanges: Sequence[Sequence[Trace]]) -> NDArray[np.float64]:
    """Return the features of exchanges of several lines each, side by side.

    Raises
    ------
    ParameterError
        Exchanges have different numbers of lines: that alone tells them apart, and is no matter of features.
    """
    if len({len(lines) for lines in exchanges}) != 1:
        raise ParameterError("all exchanges must have as many lines; compare those that do")
    return np.hstack([features([lines[i] for lines in exchanges]) for i in range(len(exchanges[0]))])


def _spread(values: NDArray[np.float64]) -> list[float]:
    if not values.size:
        return [0.0] * 5
    return [values.mean(), values.std(), values.min(), float(np.median(values)), values.max()]


@dataclass(frozen=True)
class PairedResult:
    """Whether one figure differs within pairs."""

    median_difference: float
    wilcoxon_p: float
    sign_p: float


def paired_difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> PairedResult:
    """Test whether a figure of paired exchanges differs, (n,) each; two-sided."""
    difference = one - other
    told = difference[difference != 0]
    if not told.size:
        return PairedResult(0.0, 1.0, 1.0)
    sign = binomtest(int((told > 0).sum()), told.size).pvalue
    return PairedResult(float(np.median(difference)), float(wilcoxon(told).pvalue), float(sign))
