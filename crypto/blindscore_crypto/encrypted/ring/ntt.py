"""NTT: multiplication of polynomials modulo X^N + 1 and a prime, in Numba.

Source: the negacyclic number-theoretic transform with merged powers of psi (Longa, Naehrig, 2016, algorithms 1 and 2).
Products modulo p by the quotient in floating point: for p below 2^50 the rounded quotient lies within 7/8 of the true
one, so the rest lies in (-p, p) and one addition mends it, done with a mask of the sign. Every step does the same work
whatever the values: no branch and no address depends on a secret.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.kernel_cache import njit

MAX_PRIME = 2**50


class Tables(NamedTuple):
    """Powers of psi for one prime and dimension, in the order in which the transform needs them."""

    prime: int
    forward: NDArray[np.int64]
    backward: NDArray[np.int64]
    scale: int  # 1 / N


@cache
def tables(prime: int, degree: int) -> Tables:
    """Return the tables of a prime that is 1 modulo 2 N.

    Raises
    ------
    ParameterError
        The prime is 2^50 or more, or has no root of the right order.
    """
    if prime >= MAX_PRIME or prime % (2 * degree) != 1:
        raise ParameterError(f"prime {prime}: the transform needs one below 2^50 that is 1 modulo {2 * degree}")
    psi = next(
        root
        for root in (pow(g, (prime - 1) // (2 * degree), prime) for g in range(2, 1000))
        if pow(root, degree, prime) == prime - 1
    )
    bits = degree.bit_length() - 1
    order = [int(format(i, f"0{bits}b")[::-1], 2) for i in range(degree)]
    forward = np.array([pow(psi, i, prime) for i in order], np.int64)
    backward = np.array([pow(psi, -i, prime) for i in order], np.int64)
    return Tables(prime, forward, backward, pow(degree, -1, prime))


@njit(cache=True)
def reduced(values: NDArray[np.int64], p: int) -> NDArray[np.int64]:
    """Return values from (-p, 2 p) modulo p, in [0, p)."""
    out = np.empty_like(values)
    for j in range(values.size):
        v = values[j] + (p & (values[j] >> 63)) - p
        out[j] = v + (p & (v >> 63))
    return out


@njit(cache=True)
def _forward(values: NDArray[np.int64], powers: NDArray[np.int64], p: int) -> None:
    n = values.size
    half, groups = n, 1
    while groups < n:
        half //= 2
        for g in range(groups):
            w = powers[groups + g]
            share = np.float64(w) / p
            start = 2 * g * half
            low, high = values[start : start + half], values[start + half : start + 2 * half]
            for j in range(half):
                # w * high mod p: wraps modulo 2^64, but the difference lies in (-p, p)
                v = high[j] * w - np.int64(np.float64(high[j]) * share + 0.5) * p
                v += p & (v >> 63)
                u = low[j]
                s, d = u + v - p, u - v
                low[j] = s + (p & (s >> 63))
                high[j] = d + (p & (d >> 63))
        groups *= 2


@njit(cache=True)
def _backward(values: NDArray[np.int64], powers: NDArray[np.int64], p: int, scale: int) -> None:
    n = values.size
    half, groups = 1, n // 2
    while groups >= 1:
        for g in range(groups):
            w = powers[groups + g]
            share = np.float64(w) / p
            start = 2 * g * half
            low, high = values[start : start + half], values[start + half : start + 2 * half]
            for j in range(half):
                u, v = low[j], high[j]
                s, d = u + v - p, u - v
                d += p & (d >> 63)
                low[j] = s + (p & (s >> 63))
                v = d * w - np.int64(np.float64(d) * share + 0.5) * p
                high[j] = v + (p & (v >> 63))
        half *= 2
        groups //= 2
    share = np.float64(scale) / p
    for j in range(n):
        v = values[j] * scale - np.int64(np.float64(values[j]) * share + 0.5) * p
        values[j] = v + (p & (v >> 63))


@njit(cache=True)
def _multiply(
    polynomial: NDArray[np.int64],
    transformed: NDArray[np.int64],
    forward: NDArray[np.int64],
    backward: NDArray[np.int64],
    p: int,
    scale: int,
) -> None:
    """Replace ``polynomial`` by its product with the polynomial whose transform is given."""
    _forward(polynomial, forward, p)
    for j in range(polynomial.size):
        share = np.float64(transformed[j]) / p
        v = polynomial[j] * transformed[j] - np.int64(np.float64(polynomial[j]) * share + 0.5) * p
        polynomial[j] = v + (p & (v >> 63))
    _backward(polynomial, backward, p, scale)


def multiply(polynomial: NDArray[np.int64], transformed: NDArray[np.int64], table: Tables) -> NDArray[np.int64]:
    """Return the product, coefficients in [0, p).

    polynomial  : (N,) int64 in (-p, 2 p)
    transformed : (N,) int64 in [0, p): the other factor after its transform, in bit-reversed order
    """
    out: NDArray[np.int64] = reduced(polynomial, table.prime)
    _multiply(out, transformed, table.forward, table.backward, table.prime, table.scale)
    return out


def multiply_words(
    words: NDArray[np.int64], transformed: NDArray[np.int64], table: Tables, half: int
) -> NDArray[np.int64]:
    """Return the product modulo 2^64 of words, taken in two halves, and a small polynomial, given transformed.

    words : (N,) int64 in [0, 2^(2 half)); N * 2^half times the small one's greatest coefficient is below p / 2
    """

    def times(part: NDArray[np.int64]) -> NDArray[np.int64]:
        product = multiply(part, transformed, table)
        return product - table.prime * (product > table.prime // 2)

    return times(words & ((1 << half) - 1)) + (times(words >> half) << half)


def transform(polynomial: NDArray[np.int64], table: Tables) -> NDArray[np.int64]:
    """Return the transform of a polynomial, shape (N,), coefficients in (-p, 2 p), in bit-reversed order."""
    out: NDArray[np.int64] = reduced(polynomial, table.prime)
    _forward(out, table.forward, table.prime)
    return out


def back(transformed: NDArray[np.int64], table: Tables) -> NDArray[np.int64]:
    """Return the polynomial, coefficients in [0, p), whose transform is given."""
    out = transformed.copy()
    _backward(out, table.backward, table.prime, table.scale)
    return out
