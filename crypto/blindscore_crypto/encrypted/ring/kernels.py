"""Kernels: the per-coefficient loops of a reply, in Numba; no branch and no address depends on a secret value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit


@njit(cache=True)
def rounded(
    product: NDArray[np.int64],
    error: NDArray[np.int64],
    primes: NDArray[np.int64],
    inverses: NDArray[np.int64],
    width: int,
) -> NDArray[np.uint8]:
    """Return ``(product + error) * 2^(8 width) / q`` rounded, in ``width`` bytes a coefficient, little endian.

    Chinese remainders as fractions: ``c / q = sum_i (c_i (q/p_i)^-1 mod p_i) / p_i mod 1``. Floating point may move a
    tie by one unit, which the rounding bound covers.

    product  : (primes, N) int64, residues in [0, p)
    error    : (N,) int64, |error| < p
    primes   : (primes,) int64, below 2^50 where there are several
    inverses : (primes,) int64, (q/p_i)^-1 mod p_i
    """
    n = error.size
    fraction = np.zeros(n)
    for i in range(primes.size):
        p, inverse = primes[i], inverses[i]
        share = np.float64(inverse) / p
        for j in range(n):
            c = product[i, j] + error[j]
            c += p & (c >> 63)
            c -= p
            c += p & (c >> 63)
            if inverse != 1:
                c = c * inverse - np.int64(np.float64(c) * share) * p
            fraction[j] += np.float64(c) / p
    out = np.empty((n, width), np.uint8)
    scale = 2.0 ** (8 * width)
    for j in range(n):
        scaled = np.int64((fraction[j] - np.floor(fraction[j])) * scale + 0.5)
        for b in range(width):
            out[j, b] = scaled >> (8 * b) & 255
    return out


@njit(cache=True)
def top_halves(words: NDArray[np.int64], by: NDArray[np.int64], outputs: int) -> NDArray[np.int64]:
    """Return coefficients N-K .. N-1 of ``words * by`` modulo X^N + 1, as ``high * 2^27 + low``, shape (2, primes, K).

    Coefficient e is ``sum_{j<=e} words_j by_{e-j} - sum_{j>e} words_j by_{N+e-j}``. With words below 2^54, ``by`` below
    2^13 in size and N at most 2^13, every sum stays below 2^54.
    """
    primes, n = words.shape
    out = np.zeros((2, primes, outputs), np.int64)
    for i in range(primes):
        for k in range(outputs):
            e = n - outputs + k
            high, low = 0, 0
            for j in range(e + 1):
                w = words[i, j]
                high += (w >> 27) * by[e - j]
                low += (w & (2**27 - 1)) * by[e - j]
            for j in range(e + 1, n):
                w = words[i, j]
                high -= (w >> 27) * by[n + e - j]
                low -= (w & (2**27 - 1)) * by[n + e - j]
            out[0, i, k], out[1, i, k] = high, low
    return out


@njit(cache=True)
def packed(values: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Return each value, at least zero, in ``width`` bytes, little endian; any shape in, shape (n, width) out."""
    flat = values.ravel()
    out = np.empty((flat.size, width), np.uint8)
    for i in range(flat.size):
        rest = flat[i]
        for b in range(width):
            out[i, b] = rest & 255
            rest >>= 8
    return out


@njit(cache=True)
def bits_packed(values: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Return each value of ``width`` bits (at most 48), low bits first, without gaps; ``n * width`` divides by 8."""
    out = np.empty(values.size * width // 8, np.uint8)
    held, bits, at = 0, 0, 0
    for value in values:
        held |= value << bits
        bits += width
        while bits >= 8:
            out[at] = held & 255
            held >>= 8
            bits -= 8
            at += 1
    return out


@njit(cache=True)
def bits_unpacked(raw: NDArray[np.uint8], width: int, count: int) -> NDArray[np.int64]:
    """Return the values of :func:`bits_packed`; ``raw`` holds ``count * width / 8`` bytes."""
    out = np.empty(count, np.int64)
    held, bits, at = np.int64(0), 0, 0
    for j in range(count):
        while bits < width:
            held |= np.int64(raw[at]) << bits
            bits += 8
            at += 1
        out[j] = held & ((1 << width) - 1)
        held >>= width
        bits -= width
    return out
