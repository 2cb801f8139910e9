"""Field: numbers modulo t = 65,521, and the cubic field over them, in which tags and challenges live.

An element of the cubic field is three numbers ``(a0, a1, a2)`` for ``a0 + a1 x + a2 x^2`` with ``x^3 = 2``; 2 is no
cube modulo t, so this is a field of t^3, about 2^48, elements. A number modulo t is ``(a, 0, 0)``. On the wire a number
has two bytes. Assumption of :func:`expand`: AES-256 in counter mode is a pseudorandom generator.
"""

from __future__ import annotations

import hashlib

import numpy as np
from Crypto.Cipher import AES
from numpy.typing import NDArray

from blindscore.errors import ForgeryError

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
    key = digest(b"expand/" + what, seed)
    have, length = np.zeros(0, np.int64), count + 32  # of words one in 4,369 is too large and passed over
    while len(have) < count:
        stream = AES.new(key, AES.MODE_CTR, nonce=b"").encrypt(bytes(2 * length))
        words = np.frombuffer(stream, "<u2")
        have, length = words[words < T].astype(np.int64), 2 * length
    return have[:count]


def cubic(numbers: Numbers) -> Numbers:
    """Return numbers modulo t as elements of the cubic field, (..., 3)."""
    return np.stack([numbers, np.zeros_like(numbers), np.zeros_like(numbers)], axis=-1)


def times(a: Numbers, b: Numbers) -> Numbers:
    """Return products of elements, (..., 3)."""
    return _folded(a[..., :, None] * b[..., None, :])


def dot(a: Numbers, b: Numbers) -> Numbers:
    """Return ``sum_i a_i b_i`` of two vectors of elements, (n, 3) each; below 2^30 of them."""
    return _folded(a.T @ b)


def _folded(products: Numbers) -> Numbers:
    p = products % T
    return (
        np.stack(
            [
                p[..., 0, 0] + CUBE * (p[..., 1, 2] + p[..., 2, 1]),
                p[..., 0, 1] + p[..., 1, 0] + CUBE * p[..., 2, 2],
                p[..., 0, 2] + p[..., 1, 1] + p[..., 2, 0],
            ],
            axis=-1,
        )
        % T
    )


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
    if len(data) != 2 * int(np.prod(shape)):
        raise ForgeryError("numbers refused: too many bytes, or too few; apply again")
    numbers = np.frombuffer(data, "<u2").astype(np.int64).reshape(shape)
    if (numbers >= T).any():
        raise ForgeryError("numbers refused: one is not below the modulus; apply again")
    return numbers
