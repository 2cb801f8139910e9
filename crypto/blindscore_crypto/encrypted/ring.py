"""Ring: what both ends compute with NumPy: where bins and points stand in a polynomial, and how a reply is opened.

Source of the layout: inner products by coefficient packing (Huang, Lu, Hong, Ding, "Cheetah", 2022); here the spare
coefficients carry the blinding noise (see :mod:`~blindscore_crypto.encrypted.parameters`). Opening is decryption of K
learning-with-errors samples cut out of one ring sample (Chen, Dai, Kim, Song, 2021).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.encrypted.parameters import REPLY_BYTES, Parameters
from blindscore_crypto.encrypted.sampling import Draw, expand, ternary

REPLY_BITS = 8 * REPLY_BYTES


def secret_of(parameters: Parameters, key: bytes) -> NDArray[np.int64]:
    """Return the ternary secret, shape (N,), that a key stands for."""
    return ternary(parameters.degree, expand(key, b"secret"))


def exponents(parameters: Parameters, ones: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the exponents that hold a one in the encrypted polynomial of a person."""
    return parameters.outputs * np.asarray(ones, np.int64)


def multiplier(parameters: Parameters, weights: NDArray[np.int64], draw: Draw) -> NDArray[np.int64]:
    """Return W, shape (N,): ternary noise below, points at the top, so that coefficient N-K+k holds answer k.

    Exponent of point (k, i): ``N - K + k - K i``; times ``X^(K i)`` it falls on ``N - K + k``.
    """
    out = ternary(parameters.degree, draw)
    out[parameters.degree - weights.size :] = weights.T[::-1].ravel()
    return out


def top_of_product(
    parameters: Parameters, words: NDArray[np.uint64], multiplier: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Return coefficients N-K .. N-1 of ``words * multiplier`` in the ring, shape (primes, K).

    Coefficient e is ``sum_{j<=e} words_j W_{e-j} - sum_{j>e} words_j W_{N+e-j}``. In halves of 27 bits, W below 2^13
    and N at most 2^13, every partial sum stays below 2^53, so floating point adds exactly.
    """
    n, k = parameters.degree, parameters.outputs
    backwards = np.concatenate([multiplier[::-1], -multiplier[::-1]]).astype(np.float64)
    columns = np.stack([backwards[k - 1 - i : k - 1 - i + n] for i in range(k)], axis=1)
    half = np.uint64(27)
    high = ((words >> half).astype(np.float64) @ columns).astype(np.int64)
    low = ((words & np.uint64(2**27 - 1)).astype(np.float64) @ columns).astype(np.int64)
    out = [
        [((int(h) << 27) + int(l)) % p for h, l in zip(*rows, strict=True)]
        for p, *rows in zip(parameters.primes, high, low, strict=True)
    ]
    return np.array(out, np.uint64)


def pack(values: NDArray[np.uint64], width: int) -> bytes:
    """Return each value in ``width`` bytes, little endian."""
    return np.ascontiguousarray(values, "<u8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


def unpack(raw: bytes, width: int) -> NDArray[np.uint64]:
    """Return the values of :func:`pack`."""
    out = np.zeros((len(raw) // width, 8), np.uint8)
    out[:, :width] = np.frombuffer(raw, np.uint8).reshape(-1, width)
    return out.view("<u8").ravel().astype(np.uint64)


def round_coefficients(parameters: Parameters, residues: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return ``c * 2^24 / q`` rounded, modulo 2^24, of coefficients given by their residues, shape (primes, N).

    Chinese remainders as fractions: ``c / q = sum_i (c_i (q/p_i)^-1 mod p_i) / p_i mod 1``. Floating point may
    move a tie by one unit, which the rounding bound covers.
    """
    fraction = np.zeros(residues.shape[1])
    for p, row in zip(parameters.primes, residues, strict=True):
        others = parameters.q // p
        fraction += _times(row, pow(others, -1, p), p) / p if others > 1 else row / p
    scaled = np.rint((fraction % 1.0) * 2.0**REPLY_BITS).astype(np.uint64)
    return scaled & np.uint64(2**REPLY_BITS - 1)


def _times(values: NDArray[np.uint64], factor: int, p: int) -> NDArray[np.uint64]:
    """Return ``values * factor mod p`` for p below 2^42, in two halves because the product passes 64 bits."""
    half, prime, by = np.uint64(21), np.uint64(p), np.uint64(factor)
    high = (values >> half) * by % prime
    low = (values & np.uint64(2**21 - 1)) * by
    return np.asarray(((high << half) + low) % prime)


def recombine(parameters: Parameters, residues: NDArray[np.uint64]) -> list[int]:
    """Return coefficients as integers in [0, q) from their residues, shape (primes, few)."""
    out = [0] * residues.shape[1]
    for p, row in zip(parameters.primes, residues, strict=True):
        basis = (others := parameters.q // p) * pow(others, -1, p)
        out = [(sofar + int(residue) * basis) % parameters.q for sofar, residue in zip(out, row, strict=True)]
    return out


def open_reply(parameters: Parameters, secret: NDArray[np.int64], reply: bytes) -> NDArray[np.int64]:
    """Return the K values in [0, t) of a reply: K coefficients, then the polynomial, 3 bytes each.

    Coefficient e of ``a s`` in the ring is ``sum_{j<=e} a_j s_{e-j} - sum_{j>e} a_j s_{N+e-j}``.
    """
    words = unpack(reply, REPLY_BYTES).astype(np.int64)
    answers, a = words[: parameters.outputs], words[parameters.outputs :]
    backwards = np.concatenate([secret[::-1], -secret[::-1]])  # at offset N-1-e: s_e .. s_0, then -s_{N-1} ..
    top = parameters.degree - parameters.outputs
    out = np.empty(parameters.outputs, np.int64)
    for k in range(parameters.outputs):
        start = parameters.degree - 1 - (top + k)
        phase = (answers[k] + a @ backwards[start : start + parameters.degree]) % 2**REPLY_BITS
        out[k] = (phase * parameters.t + 2 ** (REPLY_BITS - 1)) // 2**REPLY_BITS % parameters.t
    return out
