"""Ring: what both ends compute with NumPy: where bins and points stand in a polynomial, and how a reply is opened.

Source of the layout: inner products by coefficient packing (Huang, Lu, Hong, Ding, "Cheetah", 2022); here the spare
coefficients carry the blinding noise (see :mod:`~blindscore_crypto.encrypted.parameters`). Opening is decryption of K
learning-with-errors samples cut out of one ring sample (Chen, Dai, Kim, Song, 2021).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.encrypted.parameters import REPLY_BITS, REPLY_BYTES, Parameters
from blindscore_crypto.encrypted.ring.kernels import packed, rounded, top_halves
from blindscore_crypto.encrypted.ring.sampling import Draw, below, centred, expand, ternary


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


def top_of_product(parameters: Parameters, words: NDArray[np.int64], by: NDArray[np.int64]) -> list[int]:
    """Return coefficients N-K .. N-1 of ``words * by`` in the ring, as integers in [0, q)."""
    halves = top_halves(words, by, parameters.outputs)
    out = [0] * parameters.outputs
    for p, high, low in zip(parameters.primes, *halves.tolist(), strict=True):
        basis = (others := parameters.q // p) * pow(others, -1, p)
        for k in range(parameters.outputs):
            out[k] = (out[k] + (high[k] * 2**27 + low[k]) % p * basis) % parameters.q
    return out


def pack(values: NDArray[np.int64], width: int) -> bytes:
    """Return each value in ``width`` bytes, little endian."""
    data: bytes = packed(values, width).tobytes()
    return data


def unpack(raw: bytes, width: int) -> NDArray[np.int64]:
    """Return the values of :func:`pack`: overlapping reads of 8 bytes, less the bytes of the next value."""
    count = len(raw) // width
    words = np.ndarray((count,), "<i8", buffer=raw + bytes(8 - width), strides=(width,))
    return words & ((1 << 8 * width) - 1)


def blind(
    parameters: Parameters,
    words: NDArray[np.int64],
    by: NDArray[np.int64],
    product: NDArray[np.int64],
    masks: NDArray[np.int64],
    width: int,
    draw: Draw,
) -> bytes:
    """Return the reply: K answers, masked and flooded, and the polynomial ``a W + e2``, low bits dropped.

    words   : (primes, N), the first polynomial of the upload
    by      : (N,), the multiplier W of :func:`multiplier`
    product : (primes, N), ``a W`` in [0, p)
    masks   : (K,) in [0, t)
    width   : half width of the flooding noise
    """
    p = parameters
    answers = [
        round_one(p, answer + int(mask) * ((p.q - 1) // p.t) + below(2 * width + 1, draw) - width)
        for answer, mask in zip(top_of_product(p, words, by), masks, strict=True)
    ]
    error = centred(p.degree, p.spread, draw)
    reply: bytes = (
        pack(np.array(answers, np.int64), REPLY_BYTES) + rounded(product, error, *_primes(p), REPLY_BYTES).tobytes()
    )
    return reply


@cache
def _primes(parameters: Parameters) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the primes and the inverses that recombining residues needs."""
    q, primes = parameters.q, parameters.primes
    return np.array(primes, np.int64), np.array([pow(q // p, -1, p) if q > p else 1 for p in primes], np.int64)


def round_one(parameters: Parameters, value: int) -> int:
    """Return ``value * 2^REPLY_BITS / q`` rounded, modulo 2^REPLY_BITS."""
    q = parameters.q
    answer: int = ((value % q << REPLY_BITS) + q // 2) // q % 2**REPLY_BITS
    return answer


def open_reply(parameters: Parameters, secret: NDArray[np.int64], reply: bytes) -> NDArray[np.int64]:
    """Return the K values in [0, t) of a reply: K coefficients, then the polynomial, REPLY_BYTES each.

    Coefficient e of ``a s`` in the ring is ``sum_{j<=e} a_j s_{e-j} - sum_{j>e} a_j s_{N+e-j}``.
    """
    words = unpack(reply, REPLY_BYTES)
    answers, a = words[: parameters.outputs], words[parameters.outputs :]
    backwards = np.concatenate([secret[::-1], -secret[::-1]])  # at offset N-1-e: s_e .. s_0, then -s_{N-1} ..
    top = parameters.degree - parameters.outputs
    out = np.empty(parameters.outputs, np.int64)
    for k in range(parameters.outputs):
        start = parameters.degree - 1 - (top + k)
        phase = (answers[k] + a @ backwards[start : start + parameters.degree]) % 2**REPLY_BITS
        out[k] = (phase * parameters.t + 2 ** (REPLY_BITS - 1)) // 2**REPLY_BITS % parameters.t
    return out
