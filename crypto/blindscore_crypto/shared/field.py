"""Field: numbers modulo t = 65,521, and the cubic field over them, in which tags and challenges live.

An element of the cubic field is three numbers ``(a0, a1, a2)`` for ``a0 + a1 x + a2 x^2`` with ``x^3 = 2``; 2 is no
cube modulo t, so this is a field of t^3, about 2^48, elements. A number modulo t is ``(a, 0, 0)``. On the wire a number
has two bytes. Assumption of :func:`expand`: SHAKE-256 of a secret seed is a pseudorandom generator. Products are
compiled: an application has dozens of short ones, and each would cost several NumPy calls. No branch and no address
hangs on a value.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError
from blindscore.kernel_cache import njit

T = 65521  # the greatest prime below 2^16
CUBE = 2
DEGREE = 3
SEED_BYTES = 32
Numbers = NDArray[np.int64]


def digest(what: bytes, *parts: bytes) -> bytes:
    """Return SHA-256 (32 bytes) over parts, each with its length, under a domain of its own."""
    state = hashlib.sha256(b"blindscore/shared/" + what + b"/v1")
    for part in parts:
        state.update(len(part).to_bytes(4) + part)
    return state.digest()


def expand(seed: bytes, what: bytes, count: int) -> Numbers:
    """Return ``count`` numbers, each uniform modulo t, that grow from a seed for one use."""
    head = b"blindscore/shared/expand/" + len(what).to_bytes(2) + what + seed
    length = count + count // 2048 + 32  # of words one in 4,369 is too large and passed over
    while True:
        words = np.frombuffer(hashlib.shake_256(head).digest(2 * length), "<u2")
        have: Numbers = _below(words, count)
        if len(have) == count:
            return have
        length *= 2  # begins alike


@njit(cache=True)
def _below(words: NDArray[np.uint16], count: int) -> Numbers:
    """Return the first ``count`` words below t, or fewer where there are not as many."""
    out, filled = np.empty(count, np.int64), 0
    for word in words:
        if word < T and filled < count:
            out[filled] = word
            filled += 1
    return out[:filled]


def cubic(numbers: Numbers) -> Numbers:
    """Return numbers modulo t as elements of the cubic field, (..., 3)."""
    out = np.zeros((*np.shape(numbers), DEGREE), np.int64)
    out[..., 0] = numbers
    return out


def times(a: Numbers, b: Numbers) -> Numbers:
    """Return products of elements, (..., 3): of two vectors, or of one element and a vector."""
    one, other = a.reshape(-1, DEGREE), b.reshape(-1, DEGREE)
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        raise ValueError(f"vectors of {len(one)} and {len(other)} elements")
    out: Numbers = _products(one, other)
    return out if max(a.ndim, b.ndim) == 2 else out[0]


def dot(a: Numbers, b: Numbers) -> Numbers:
    """Return ``sum_i a_i b_i`` of two vectors of elements, (n, 3) each; below 2^28 of them."""
    if len(a) != len(b):
        raise ValueError(f"vectors of {len(a)} and {len(b)} elements")
    out: Numbers = _dot(a, b)
    return out


@njit(cache=True)
def _products(a: Numbers, b: Numbers) -> Numbers:
    n = max(a.shape[0], b.shape[0])
    out = np.empty((n, 3), np.int64)
    for i in range(n):
        p, q = a[i if a.shape[0] > 1 else 0], b[i if b.shape[0] > 1 else 0]
        out[i, 0] = (p[0] * q[0] + CUBE * (p[1] * q[2] + p[2] * q[1])) % T
        out[i, 1] = (p[0] * q[1] + p[1] * q[0] + CUBE * p[2] * q[2]) % T
        out[i, 2] = (p[0] * q[2] + p[1] * q[1] + p[2] * q[0]) % T
    return out


@njit(cache=True)
def _dot(a: Numbers, b: Numbers) -> Numbers:
    out = np.zeros(3, np.int64)
    for i in range(a.shape[0]):
        p, q = a[i], b[i]
        out[0] += p[0] * q[0] + CUBE * (p[1] * q[2] + p[2] * q[1])
        out[1] += p[0] * q[1] + p[1] * q[0] + CUBE * p[2] * q[2]
        out[2] += p[0] * q[2] + p[1] * q[1] + p[2] * q[0]
    return out % T


def encode(numbers: Numbers) -> bytes:
    """Return two bytes a number."""
    return numbers.astype("<u2").tobytes()


def decode(data: bytes, *shape: int) -> Numbers:
    """Return numbers of a shape from exactly as many bytes.

    Raises
    ------
    ForgeryError
        Another length, or a number that is not below t.
    """
    if len(data) != 2 * math.prod(shape):
        raise ForgeryError("numbers refused: too many bytes, or too few; apply again")
    numbers = np.frombuffer(data, "<u2").astype(np.int64).reshape(shape)
    if numbers.max(initial=0) >= T:
        raise ForgeryError("numbers refused: one is not below the modulus; apply again")
    return numbers
