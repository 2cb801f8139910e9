"""Batch: a bank's whole portfolio under one key, 2,048 people a block, one coefficient a person. A research engine.

A block holds m columns (one-hot bins, or small whole numbers), each a ring-LWE encryption of one number a person; the
lender adds them up, weighted by its secret points. A weight is a plain number, so no polynomials are multiplied but
for one fresh encryption of zero a block.

Who sees what: the lender ciphertext; the key holder one masked total a person, uniform modulo t. Assumption: ring-LWE
at N = 2048 and q = 2^32, far inside the published 128-bit limit of 54 bits (the limit depends on the size of q, not on
its factors). Does not protect: the points as well as the single-person protocol does (flooding is a few bits:
:func:`flooding_bits`), and there is no MAC: batch is for two institutions that hold each other to a contract.
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
from blindscore_crypto.encrypted.parameters import LEAN, LOG2_Q_128, SEAL_ERROR_VARIANCE, TAIL
from blindscore_crypto.encrypted.ring.ntt import multiply, tables, transform
from blindscore_crypto.encrypted.ring.sampling import Draw, binomial, expand, open_stream, ternary

PEOPLE = 2048  # N, a block
LOG2_Q = 32
T = 2**12  # totals and masks live modulo t; it divides q, so a total that wraps leaves no noise
DELTA = 2**LOG2_Q // T
SEED_BYTES = 32
REPLY_BYTES = 3
_TABLE = tables(LEAN.primes[0], PEOPLE)  # holds N * 2^32 exactly, so it multiplies modulo 2^32 too

if LOG2_Q_128[PEOPLE] < LOG2_Q:
    raise ParameterError("batch: below 128 bits of security")


def block_bytes(columns: int) -> int:
    """Bytes of an encrypted block of 2,048 people: the columns, and one encryption of zero."""
    return SEED_BYTES + 4 * PEOPLE * (columns + 1)


def reply_bytes() -> int:
    """Bytes of an answered block."""
    return 2 * REPLY_BYTES * PEOPLE


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
    dropped = 2 ** (LOG2_Q - 8 * REPLY_BYTES) * (TAIL * 0.5 * math.sqrt(PEOPLE) + 1)
    width = int(DELTA / 2 - dropped - noise_bound(weights))
    if width < 1:
        raise ParameterError(f"batch: points of norm {np.linalg.norm(weights):.0f} leave no room for an exact total")
    return width


def flooding_bits(weights: NDArray[np.int64]) -> float:
    """Statistical distance of one total's noise from noise that knows no points, as -log2 of it."""
    return -math.log2(noise_bound(weights) / (2 * flood_width(weights) + 1))


@njit(cache=True)
def _weighted(columns: NDArray[np.uint32], weights: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return ``sum_c weights_c columns_c`` modulo 2^32, shape (N,), from columns of shape (m, N)."""
    out = np.zeros(columns.shape[1], np.uint32)
    for c in range(columns.shape[0]):
        w = weights[c]
        for i in range(columns.shape[1]):
            out[i] += np.uint32(w * columns[c, i])
    return out


def _grown(seed: bytes, rows: int) -> NDArray[np.uint32]:
    """Return uniform polynomials from a public seed, shape (rows, N); nothing secret, so any good generator does."""
    return np.frombuffer(open_stream(seed)(4 * PEOPLE * rows), "<u4").reshape(rows, PEOPLE)


def _times(small: NDArray[np.int64], transformed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a product over the whole numbers: small (ternary) times a polynomial below 2^32, given transformed."""
    product = multiply(small, transformed, _TABLE)
    return product - _TABLE.prime * (product > _TABLE.prime // 2)


def _word(values: NDArray[np.int64]) -> NDArray[np.uint32]:
    low: NDArray[np.uint32] = (values & (2**LOG2_Q - 1)).astype(np.uint32)
    return low


def encrypt_block(key: bytes, columns: NDArray[np.integer[Any]]) -> bytes:
    """Encrypt up to 2,048 people, columns of shape (m, n), whole numbers from 0 to t - 1; the rest is zero.

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
    body = [_word(e - _times(a.astype(np.int64), secret)) for e, a in zip(error, _grown(seed, m + 1), strict=True)]
    return seed + np.array(body, "<u4").tobytes()


def evaluate_block(
    block: bytes, weights: NDArray[np.int64], masks: NDArray[np.int64], draw: Draw = os.urandom
) -> bytes:
    """Return an encryption of ``weights . columns + masks mod t`` for each of 2,048 people, and of nothing else.

    Parameters
    ----------
    block
        From :func:`encrypt_block`; its authenticity is the caller's to check.
    weights : (m,) int64
    masks : (2048,) int64, in [0, t)

    Raises
    ------
    ForgeryError
        The block's size does not belong to so many columns.
    """
    m = len(weights)
    check_length(block, block_bytes(m), "block")
    width = flood_width(weights)
    uploaded = np.frombuffer(block, "<u4", offset=SEED_BYTES).reshape(m + 1, PEOPLE)
    grown = _grown(block[:SEED_BYTES], m + 1)
    points = _word(weights)
    u = transform(ternary(PEOPLE, draw), _TABLE)
    flood = expand(draw(SEED_BYTES), b"batch flood")
    wide = np.frombuffer(flood(8 * PEOPLE), "<u8") % np.uint64(2 * width + 1)
    top = _weighted(uploaded[:m], points) + _times(uploaded[m].astype(np.int64), u) + DELTA * masks
    rest = _weighted(grown[:m], points) + _times(grown[m].astype(np.int64), u) + binomial(PEOPLE, flood)
    both = np.stack([top + wide.astype(np.int64) - width, rest])
    dropped = LOG2_Q - 8 * REPLY_BYTES
    kept = _word(both + (1 << (dropped - 1))) >> np.uint32(dropped)
    return kept.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :REPLY_BYTES].tobytes()


def open_block(key: bytes, reply: bytes) -> NDArray[np.int64]:
    """Return the masked total of each of 2,048 people, in [0, t)."""
    check_length(reply, reply_bytes(), "reply")
    words = np.zeros((2 * PEOPLE, 4), np.uint8)
    words[:, :REPLY_BYTES] = np.frombuffer(reply, np.uint8).reshape(-1, REPLY_BYTES)
    top, rest = words.view("<u4").astype(np.int64).reshape(2, PEOPLE)
    secret = transform(ternary(PEOPLE, expand(key, b"batch secret")), _TABLE)
    modulus = 2 ** (8 * REPLY_BYTES)
    phase = (top + _times(rest, secret)) % modulus
    return np.asarray((phase * T + modulus // 2) // modulus % T)


def fresh_masks() -> NDArray[np.int64]:
    """Return one mask a person, uniform in [0, t), from the operating system."""
    return np.frombuffer(os.urandom(2 * PEOPLE), "<u2").astype(np.int64) % T
