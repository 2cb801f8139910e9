"""Exact discrete Gaussian noise from the operating system's generator.

Who sees what: the caller adds these integers to integer sums and may publish the result; nobody sees the noise.
Assumption: ``os.urandom`` is unpredictable. Not protected: the sampler's running time depends on what it draws.

Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020), algorithms 1
to 3. Every step is integer arithmetic, so that no output is ruled out or made likelier by rounding (Mironov, CCS 2012).
Draws beyond 13 standard deviations are rejected, which changes the distribution by less than 2^-115 a draw.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from blindscore.errors import ParameterError

MAX_SIGMA = 10_000.0  # keeps (|y| * den * t)^2 below 2^63 for |y| <= 13 sigma
TAIL = 13  # standard deviations
FINE = 256  # denominator of the variance where sigma is small
Words = NDArray[np.uint64]
Place = NDArray[np.int64]  # as `at`, one entry: the next word to use
RESERVE = 4096  # words that one draw may use; it needs about twenty


@dataclass(frozen=True)
class Variance:
    """A variance as a fraction num / den, so that the sampler needs no floating point."""

    num: int
    den: int

    @classmethod
    def at_least(cls, sigma: float) -> Variance:
        """Return the least variance on the grid that is not below sigma squared.

        Raises
        ------
        ParameterError
            ``sigma`` is not a positive number below ``MAX_SIGMA``.
        """
        if not 0 < sigma <= MAX_SIGMA:
            raise ParameterError(f"sigma must lie in (0, {MAX_SIGMA:g}], got {sigma}; coarsen the integer grid")
        den = FINE if sigma < 64 else 1
        return cls(max(1, math.ceil(sigma * sigma * den)), den)

    @property
    def sigma(self) -> float:
        """Standard deviation parameter."""
        return math.sqrt(self.num / self.den)


@njit(cache=True)
def _word(words: Words, at: Place) -> Any:
    # Past the end the caller throws the draw away; the value is then of no matter.
    if at[0] >= words.size:
        at[0] = words.size + 1
        return words[0]
    at[0] += 1
    return words[at[0] - 1]


@njit(cache=True)
def _below(bound: Any, words: Words, at: Place) -> Any:
    """Uniform integer in [0, bound), by rejection, bound < 2^63."""
    if bound == 1:
        return np.int64(0)
    bound = np.uint64(bound)
    top = np.uint64(0xFFFFFFFFFFFFFFFF)
    limit = top - top % bound  # a multiple of bound
    draw = _word(words, at)
    while draw >= limit and at[0] <= words.size:
        draw = _word(words, at)
    return np.int64(draw % bound)


@njit(cache=True)
def _bernoulli_exp_small(num: int, den: int, words: Words, at: Place) -> bool:
    """True with probability exp(-num / den), for 0 <= num <= den (algorithm 1, first case)."""
    k = np.int64(1)
    while at[0] <= words.size:
        # Bernoulli(num / (den k)) as two independent events, which keeps the integers small.
        if not (_below(den, words, at) < num and _below(k, words, at) == 0):
            break
        k += 1
    return k % 2 == 1


@njit(cache=True)
def _bernoulli_exp(num: int, den: int, words: Words, at: Place) -> bool:
    """True with probability exp(-num / den), for num >= 0 (algorithm 1)."""
    while num > den:
        if not _bernoulli_exp_small(den, den, words, at) or at[0] > words.size:
            return False
        num -= den
    return _bernoulli_exp_small(num, den, words, at)


@njit(cache=True)
def _laplace(t: int, words: Words, at: Place) -> Any:
    """Discrete Laplace of scale t: P(y) proportional to exp(-|y| / t) (algorithm 2, with s = 1)."""
    while at[0] <= words.size:
        u = _below(t, words, at)
        if not _bernoulli_exp_small(u, t, words, at):
            continue
        v = np.int64(0)
        while at[0] <= words.size and _bernoulli_exp_small(1, 1, words, at):
            v += 1
        y = u + t * v
        negative = _below(2, words, at) == 1
        if negative and y == 0:
            continue
        return -y if negative else y
    return np.int64(0)


@njit(cache=True)
def _gaussian(num: int, den: int, t: int, furthest: int, words: Words, at: Place) -> Any:
    """Discrete Gaussian of variance num / den (algorithm 3), with t = floor(sigma) + 1."""
    while at[0] <= words.size:
        y = _laplace(t, words, at)
        size = abs(y)
        if size > furthest:
            continue
        gap = size * den * t - num
        if _bernoulli_exp(gap * gap, 2 * num * den * t * t, words, at):
            return y
    return np.int64(0)


@njit(cache=True)
def fill(out: Place, start: int, num: int, den: int, t: int, furthest: int, words: Words) -> int:
    """Fill ``out[start:]`` while words last; return the first index not filled.

    out      : (m,) int64
    words    : (w,) uint64, uniform and used once
    returns  : int, ``m`` when done
    """
    at = np.zeros(1, np.int64)
    for i in range(start, out.size):
        if words.size - at[0] < RESERVE:
            return i
        draw = _gaussian(num, den, t, furthest, words, at)
        if at[0] > words.size:
            return i
        out[i] = draw
    return out.size


def discrete_gaussian(sigma: float, size: int) -> tuple[NDArray[np.int64], float]:
    """Return ``size`` independent draws and the exact sigma used (never below the one asked for).

    Parameters
    ----------
    sigma : float
        Least standard deviation parameter, in (0, 10000].
    size : int

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
    t = math.floor(variance.sigma) + 1
    furthest = math.ceil(TAIL * variance.sigma)
    out = np.empty(size, np.int64)
    done = 0
    while done < size:
        words = np.frombuffer(os.urandom(8 * (RESERVE + 40 * (size - done))), np.uint64)
        done = int(fill(out, done, variance.num, variance.den, t, furthest, words))
    return out, variance.sigma
