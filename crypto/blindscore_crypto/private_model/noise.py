"""Discrete Gaussian noise from the operating system's generator, exact to within 2^-110.

Who sees what: the caller adds these integers to integer sums and may publish the result; nobody sees the noise.
Assumption: ``os.urandom`` is unpredictable. Not protected: the draws against
somebody who can time the memory accesses of this process.

The distribution is that of Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020):
P(y) proportional to exp(-y^2 / (2 sigma^2)) over the integers. It is drawn by inversion from a table of cumulative
probabilities in 128-bit integers (Peikert, "An efficient and parallel Gaussian sampler for lattices", CRYPTO 2010),
with no floating point on the way, so that no output is ruled out or made likelier by rounding (Mironov, CCS 2012). What
lies beyond 14 standard deviations (2^-140), and the rounding of each entry, change it by less than 2^-110 in all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.kernel_cache import njit

MAX_SIGMA = 65536.0  # keeps the table under a million entries; usual sigmas need a few thousand
TAIL = 14  # standard deviations
FINE = 4096  # denominator of the variance where sigma is small
BITS = 128  # of a table entry
GUARD = 96  # further bits while the table is computed

Words = NDArray[np.uint64]
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class Variance:
    """A variance as a fraction num / den."""

    num: int
    den: int

    @classmethod
    def at_least(cls, sigma: float) -> Variance:
        """Return the least variance on the grid that is not below sigma squared.

        Raises
        ------
        ParameterError
            ``sigma`` is not a positive number up to ``MAX_SIGMA``.
        """
        if not 0 < sigma <= MAX_SIGMA:
            raise ParameterError(
                f"sigma must lie in (0, {MAX_SIGMA:g}], got {sigma:g}; grant a larger epsilon or use fewer features"
            )
        den = FINE if sigma < 64 else 1
        return cls(max(1, math.ceil(sigma * sigma * den)), den)

    @property
    def sigma(self) -> float:
        """Standard deviation parameter."""
        return math.sqrt(self.num / self.den)


@lru_cache(maxsize=32)
def cumulative(variance: Variance) -> tuple[Words, Words]:
    """Return P(|Y| <= k) as 128-bit integers, in two arrays of high and low words; the last entry stands for 2^128.

    Weights follow from ``exp(-1 / (2 sigma^2))`` by multiplication alone: ``w(k+1) = w(k) r(k)`` and
    ``r(k+1) = r(k) r(0)^2``.
    """
    one = 1 << (BITS + GUARD)
    with localcontext() as context:
        context.prec = 90
        ratio = int((Decimal(-variance.den) / Decimal(2 * variance.num)).exp() * one)
    square = ratio * ratio >> (BITS + GUARD)
    weight, sums = one, [one]
    for _ in range(math.ceil(TAIL * variance.sigma) + 1):
        weight = weight * ratio >> (BITS + GUARD)
        ratio = ratio * square >> (BITS + GUARD)
        sums.append(sums[-1] + 2 * weight)  # either sign
    low_bits, most = (1 << 64) - 1, (1 << BITS) - 1
    entries = [min((part << BITS) // sums[-1], most) for part in sums[:-1]]
    return (
        np.array([entry >> 64 for entry in entries] + [low_bits], np.uint64),
        np.array([entry & low_bits for entry in entries] + [low_bits], np.uint64),
    )


@njit(cache=True)
def draw_all(high: Words, low: Words, words: Words, out: NDArray[np.int64]) -> None:
    """Fill ``out`` by inversion: the least k with u < P(|Y| <= k), u of 128 bits, and a sign.

    high, low : (t,) uint64, of :func:`cumulative`
    words     : (2 m + ceil(m / 64),) uint64, uniform; the last ones hold the signs
    out       : (m,) int64
    """
    m = out.size
    for i in range(m):
        first, second = words[2 * i], words[2 * i + 1]
        left, right = 0, high.size - 1
        while left < right:
            middle = (left + right) // 2
            if first < high[middle] or (first == high[middle] and second < low[middle]):
                right = middle
            else:
                left = middle + 1
        negative = (words[2 * m + i // 64] >> np.uint64(i % 64)) & np.uint64(1)
        out[i] = -left if negative == np.uint64(1) else left


def discrete_gaussian(
    sigma: float, size: int, *, insecure_simulation_bytes: RandomBytes | None = None
) -> tuple[NDArray[np.int64], float]:
    """Return ``size`` independent draws and the exact sigma used (never below the one asked for).

    Parameters
    ----------
    sigma : float
        Least standard deviation parameter, in (0, 65536].
    size : int
    insecure_simulation_bytes : callable, optional
        Number of bytes -> that many, from a seeded generator; protects nobody, and serves simulations of people who do
        not exist. Without it bytes come from the operating system.

    Returns
    -------
    (size,) int64, float
        P(y) proportional to exp(-y^2 / (2 sigma^2)) over the integers.

    Raises
    ------
    ParameterError
        ``sigma`` is out of range.
    """
    variance = Variance.at_least(sigma)
    high, low = cumulative(variance)
    out = np.empty(size, np.int64)
    words = np.frombuffer((insecure_simulation_bytes or os.urandom)(8 * (2 * size + -(-size // 64))), np.uint64)
    draw_all(high, low, words, out)
    return out, variance.sigma
