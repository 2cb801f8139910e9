"""Batch: a bank's whole portfolio under one key, 4,096 people a block, one coefficient a person. A research engine.

A block holds m columns (one-hot bins, or small whole numbers), each a ring-LWE encryption of one number a person; the
lender adds them up, weighted by its secret points. A weight is a plain number, so no polynomials are multiplied but
for one fresh encryption of zero a block.

Who sees what: the lender ciphertext; the key holder one masked total a person, uniform modulo t. Assumption: ring-LWE
at N = 4096 and q = 2^48, far inside the published 128-bit limits of 106 and, against quantum computers, 80 bits (the
limit depends on the size of q, not on its factors). A bank that encrypts falsely reads nothing but where an answer
falls within its step; all but a few ten-millionths of the step are flooded (:func:`uncovered`). Does not protect:
there is no MAC: batch is for two institutions that hold each other to a contract.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.kernel_cache import njit
from blindscore_crypto.encrypted.batch.blocks import check_columns, check_length
from blindscore_crypto.encrypted.parameters import (
    DEFAULT,
    LOG2_Q_128_QUANTUM,
    SEAL_ERROR_VARIANCE,
    SOURCE_BITS,
    TAIL,
)
from blindscore_crypto.encrypted.ring.ntt import multiply_words, tables, transform
from blindscore_crypto.encrypted.ring.placement import pack
from blindscore_crypto.encrypted.ring.sampling import Draw, binomial, expand, open_stream, ternary

PEOPLE = 4096  # N, a block
LOG2_Q = 48
WORD = LOG2_Q // 8  # bytes of a coefficient, of blocks and of replies: no bit is dropped, so the flood fills the step
T = 2**12  # totals and masks live modulo t; it divides q, so a total that wraps leaves no noise
DELTA: int = 2**LOG2_Q // T
SEED_BYTES = 32
_TABLE = tables(DEFAULT.primes[0], PEOPLE)  # holds N * 2^24 exactly: a polynomial is multiplied in two halves

if LOG2_Q_128_QUANTUM[PEOPLE] < LOG2_Q:
    raise ParameterError("batch: below 128 bits of security")


def block_bytes(columns: int) -> int:
    """Bytes of an encrypted block of 4,096 people: the columns, and one encryption of zero."""
    return SEED_BYTES + WORD * PEOPLE * (columns + 1)


def reply_bytes() -> int:
    """Bytes of an answered block."""
    return 2 * WORD * PEOPLE


def noise_bound(weights: NDArray[np.int64]) -> float:
    """Bound on a total's noise before flooding; passed with probability below 2^-64 (subgaussian tails)."""
    zero = 2 * math.sqrt(PEOPLE)  # u e_0 and e_2 s, each of norm at most sqrt(N)
    return TAIL * math.sqrt(SEAL_ERROR_VARIANCE) * (float(np.linalg.norm(weights)) + zero)


def flood_width(weights: NDArray[np.int64]) -> int:
    """Half width of the uniform flooding noise: as wide as exact decryption allows.

    Raises
    ------
    ParameterError
        The weights are too large for an exact total.
    """
    width = int(DELTA / 2 - noise_bound(weights))
    if width < 1:
        raise ParameterError(f"batch: points of norm {np.linalg.norm(weights):.0f} leave no room for an exact total")
    return width


def flooding_bits(weights: NDArray[np.int64]) -> float:
    """Statistical distance of one total's noise from noise that knows no points, as -log2 of it."""
    return -math.log2(noise_bound(weights) / (2 * flood_width(weights) + 1))


def uncovered(weights: NDArray[np.int64]) -> float:
    """Part of a step that the flood leaves uncovered, so that totals are exact."""
    return 1 - (2 * flood_width(weights) + 1) / DELTA


def of_source(weights: NDArray[np.int64]) -> int:
    """Return for how many people one source is answered under a card, whatever it encrypts.

    As many as keep what false encryption can tell, ``-log2(1 - uncovered)`` bits a person, under :data:`SOURCE_BITS`.
    """
    return int(SOURCE_BITS / -math.log2(1 - uncovered(weights)))


@njit(cache=True)
def _weighted(columns: NDArray[np.uint64], weights: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return ``sum_c weights_c columns_c`` modulo 2^64, shape (N,), from columns of shape (m, N)."""
    out = np.zeros(columns.shape[1], np.uint64)
    for c in range(columns.shape[0]):
        w = weights[c]
        for i in range(columns.shape[1]):
            out[i] += w * columns[c, i]
    return out


@njit(cache=True)
def _words(raw: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return words of six bytes, little endian, read as three numbers each, shape (n, 3)."""
    out = np.empty(raw.shape[0], np.int64)
    for i in range(raw.shape[0]):
        out[i] = np.int64(raw[i, 0]) | np.int64(raw[i, 1]) << 16 | np.int64(raw[i, 2]) << 32
    return out


def _read(raw: bytes, rows: int) -> NDArray[np.int64]:
    words: NDArray[np.int64] = _words(np.frombuffer(raw, "<u2").reshape(-1, WORD // 2))
    return words.reshape(rows, PEOPLE)


def _grown(seed: bytes, rows: int) -> NDArray[np.int64]:
    """Return uniform polynomials from a public seed, shape (rows, N); nothing secret, so any good generator does.

    Words of 64 bits: whatever is computed of them counts modulo q.
    """
    return np.frombuffer(open_stream(seed)(8 * PEOPLE * rows), "<i8").reshape(rows, PEOPLE)


def _times(word: NDArray[np.int64], transformed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a product modulo 2^64 of a polynomial, which counts modulo q, and a ternary one, given transformed."""
    return multiply_words(_word(word), transformed, _TABLE, LOG2_Q // 2)


def _word(values: NDArray[np.int64]) -> NDArray[np.int64]:
    low: NDArray[np.int64] = values & ((1 << LOG2_Q) - 1)
    return low


def _sum(columns: NDArray[np.int64], points: NDArray[np.int64]) -> NDArray[np.int64]:
    weighed: NDArray[np.uint64] = _weighted(columns.view(np.uint64), points.view(np.uint64))
    return weighed.view(np.int64)


def encrypt_block(key: bytes, columns: NDArray[np.integer[Any]]) -> bytes:
    """Encrypt up to 4,096 people, columns of shape (m, n), whole numbers from 0 to t - 1; the rest is zero.

    Raises
    ------
    DataError
        Wrong shape or range.
    """
    check_columns(columns, PEOPLE, T)
    m, n = columns.shape
    seed = os.urandom(SEED_BYTES)
    secret = transform(ternary(PEOPLE, expand(key, b"batch secret")), _TABLE)
    error = binomial((m + 1) * PEOPLE, expand(os.urandom(SEED_BYTES), b"batch error")).reshape(m + 1, PEOPLE)
    error[:m, :n] += DELTA * columns.astype(np.int64)
    body = [_word(e - _times(a, secret)) for e, a in zip(error, _grown(seed, m + 1), strict=True)]
    return seed + pack(np.array(body), WORD)


def evaluate_block(
    block: bytes, weights: NDArray[np.int64], masks: NDArray[np.int64], draw: Draw = os.urandom
) -> bytes:
    """Return an encryption of ``weights . columns + masks mod t`` for each of 4,096 people, and of nothing else.

    Parameters
    ----------
    block
        From :func:`encrypt_block`; its authenticity is the caller's to check.
    weights : (m,) int64
    masks : (4096,) int64, in [0, t)

    Raises
    ------
    ForgeryError
        The block's size does not belong to so many columns.
    """
    m = len(weights)
    check_length(block, block_bytes(m), "block")
    width = flood_width(weights)
    uploaded = _read(block[SEED_BYTES:], m + 1)
    grown = _grown(block[:SEED_BYTES], m + 1)
    points = weights.astype(np.int64)
    u = transform(ternary(PEOPLE, draw), _TABLE)
    flood = expand(draw(SEED_BYTES), b"batch flood")
    wide = np.frombuffer(flood(8 * PEOPLE), "<u8") % np.uint64(2 * width + 1)
    top = _sum(uploaded[:m], points) + _times(uploaded[m], u) + DELTA * masks
    rest = _sum(grown[:m], points) + _times(grown[m], u) + binomial(PEOPLE, flood)
    return pack(_word(np.stack([top + wide.astype(np.int64) - width, rest])), WORD)


def open_block(key: bytes, reply: bytes) -> NDArray[np.int64]:
    """Return the masked total of each of 4,096 people, in [0, t)."""
    check_length(reply, reply_bytes(), "reply")
    top, rest = _read(reply, 2)
    secret = transform(ternary(PEOPLE, expand(key, b"batch secret")), _TABLE)
    phase = _word(top + _times(rest, secret))
    return np.asarray((phase + DELTA // 2) // DELTA % T)


def fresh_masks() -> NDArray[np.int64]:
    """Return one mask a person, uniform in [0, t), from the operating system."""
    return np.frombuffer(os.urandom(2 * PEOPLE), "<u2").astype(np.int64) % T
