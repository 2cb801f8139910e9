"""Batch on SEAL: as :mod:`~blindscore_crypto.encrypted.batch.rlwe`, added up by SEAL, more flooding and bytes.

A block holds m columns of 8,192 people, each a BFV ciphertext under the set ``columns`` (N = 8192, q of 50 bits), and
one encryption of zero; the lender weighs and adds them in SEAL, adds the zero times fresh ternary noise, floods, and
drops low bits.

Who sees what: the lender ciphertext; the key holder one masked total a person. Assumption: ring-LWE, as the table of
:mod:`~blindscore_crypto.encrypted.parameters` checks. Does not protect: no MAC, and no signature here: check where a
block comes from before it comes here. A weight of zero is left out of the sum, which the lender's own clock can see.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError, ParameterError
from blindscore.extras import needs
from blindscore_crypto.encrypted.batch.blocks import check_columns, check_length
from blindscore_crypto.encrypted.engines.seal import engine
from blindscore_crypto.encrypted.engines.seal_bytes import (
    CIPHER_WORDS,
    cipher_bytes,
    load_through,
    plain_bytes,
    save,
    scratch,
)
from blindscore_crypto.encrypted.parameters import COLUMNS, SEAL_ERROR_VARIANCE, SEED_BYTES, SOURCE_BITS, TAIL
from blindscore_crypto.encrypted.ring.kernels import rounded
from blindscore_crypto.encrypted.ring.ntt import multiply, multiply_words, reduced, tables, transform
from blindscore_crypto.encrypted.ring.placement import pack, secret_of, unpack
from blindscore_crypto.encrypted.ring.sampling import Draw, binomial, expand, open_stream, ternary, uniform

with needs("frontier"):
    import tenseal.sealapi as seal

PEOPLE = COLUMNS.degree
REPLY_BYTES = 5  # a coefficient of a reply: what rounding leaves open of a step is what false encryption reads
REPLY_BITS = 8 * REPLY_BYTES
T = COLUMNS.t
_PRIME = COLUMNS.primes[0]
_DELTA = (_PRIME - 1) // T
_TABLE = tables(_PRIME, PEOPLE)
_ALONE = (np.array([_PRIME], np.int64), np.array([1], np.int64))  # one prime: nothing to recombine


def block_bytes(columns: int) -> int:
    """Bytes of an encrypted block of 8,192 people."""
    return SEED_BYTES + COLUMNS.residue_bytes * PEOPLE * (columns + 1)


def reply_bytes() -> int:
    """Bytes of an answered block."""
    return 2 * REPLY_BYTES * PEOPLE


def noise_bound(weights: NDArray[np.int64], largest: int) -> float:
    """Bound on a total's noise before flooding, for column values up to ``largest``; passed below 2^-64."""
    zero = 2 * math.sqrt(PEOPLE)  # u e_0 and e_2 s
    wrapped = float(np.abs(weights).sum()) * largest / T + 1  # q = 1 modulo t: one unit each time a total wraps
    return TAIL * math.sqrt(SEAL_ERROR_VARIANCE) * (float(np.linalg.norm(weights)) + zero) + wrapped


def flood_width(weights: NDArray[np.int64], largest: int = T - 1) -> int:
    """Half width of the uniform flooding noise: as wide as exact decryption allows.

    Raises
    ------
    ParameterError
        The weights are too large for an exact total.
    """
    room = 1 - 2 * T * COLUMNS.rounding_bound() / 2**REPLY_BITS
    width = int(_PRIME / (2 * T) * room - noise_bound(weights, largest))
    if width < 1 or np.abs(weights).max(initial=0) > T // 2:
        raise ParameterError(f"batch: points of norm {np.linalg.norm(weights):.0f} leave no room for an exact total")
    return width


def flooding_bits(weights: NDArray[np.int64]) -> float:
    """Statistical distance of one total's noise from noise that knows no points, as -log2 of it."""
    return -math.log2(noise_bound(weights, T - 1) / (2 * flood_width(weights) + 1))


def uncovered(weights: NDArray[np.int64]) -> float:
    """Part of a step that the flood leaves uncovered, so that totals are exact."""
    return 1 - (2 * flood_width(weights) + 1) * T / _PRIME


def of_source(weights: NDArray[np.int64]) -> int:
    """As :func:`.rlwe.of_source`."""
    return int(SOURCE_BITS / -math.log2(1 - uncovered(weights)))


def encrypt_block(key: bytes, columns: NDArray[np.integer[Any]]) -> bytes:
    """Encrypt up to 8,192 people, columns of shape (m, n), whole numbers from 0 to t - 1; the rest is zero.

    Raises
    ------
    DataError
        Wrong shape or range.
    """
    check_columns(columns, PEOPLE, T)
    m, n = columns.shape
    seed = os.urandom(SEED_BYTES)
    secret = transform(secret_of(COLUMNS, key), _TABLE)
    error = binomial((m + 1) * PEOPLE, expand(os.urandom(SEED_BYTES), b"batch error")).reshape(m + 1, PEOPLE)
    error[1:, :n] += _DELTA * columns.astype(np.int64)
    public = open_stream(seed)
    body = [
        reduced(reduced(e, _PRIME) - multiply(uniform(PEOPLE, _PRIME, public), secret, _TABLE), _PRIME) for e in error
    ]
    return seed + pack(np.array(body), COLUMNS.residue_bytes)


def evaluate_block(
    block: bytes, weights: NDArray[np.int64], masks: NDArray[np.int64], draw: Draw = os.urandom
) -> bytes:
    """Return an encryption of ``weights . columns + masks mod t`` for each of 8,192 people, and of nothing else.

    Parameters
    ----------
    block
        From :func:`encrypt_block`; its authenticity is the caller's to check.
    weights : (m,) int64, within +-t/2
    masks : (8192,) int64, in [0, t)

    Raises
    ------
    ForgeryError
        The block's size does not belong to so many columns, or a residue is not below its prime.
    """
    m = len(weights)
    check_length(block, block_bytes(m), "block")
    width = flood_width(weights)
    context, evaluator = engine(COLUMNS)
    parms_id, public, size = context.first_parms_id(), open_stream(block[:SEED_BYTES]), COLUMNS.residue_bytes * PEOPLE

    def column(c: int, handle: int) -> Any:
        start = SEED_BYTES + c * size
        first = unpack(block[start : start + size], COLUMNS.residue_bytes)
        if (first >= _PRIME).any():
            raise ForgeryError("batch block refused: a residue is not below its prime; encrypt afresh")
        second = uniform(PEOPLE, _PRIME, public)
        return load_through(handle, seal.Ciphertext(), context, cipher_bytes(parms_id, first[None], second[None]))

    with scratch() as handle:
        total = column(0, handle)  # the encryption of zero
        spice = load_through(handle, seal.Plaintext(), context, plain_bytes(ternary(PEOPLE, draw) % T))
        evaluator.multiply_plain_inplace(total, spice)
        for c, weight in enumerate(weights.tolist(), 1):
            weighed = column(c, handle)
            if weight:  # SEAL refuses a product with zero
                evaluator.multiply_plain_inplace(weighed, seal.Plaintext(f"{weight % T:X}"))
                evaluator.add_inplace(total, weighed)
    product = np.frombuffer(save(total), "<i8", 2 * PEOPLE, CIPHER_WORDS).reshape(2, PEOPLE)
    noise = expand(draw(SEED_BYTES), b"batch flood")
    flood = (np.frombuffer(noise(8 * PEOPLE), "<u8") % np.uint64(2 * width + 1)).astype(np.int64) - width
    top = reduced(reduced(product[0] + _DELTA * masks, _PRIME) + flood, _PRIME)
    still = np.zeros(PEOPLE, np.int64)
    halves = (
        rounded(top[None], still, *_ALONE, REPLY_BYTES),
        rounded(product[1:], binomial(PEOPLE, noise), *_ALONE, REPLY_BYTES),
    )
    return b"".join(half.tobytes() for half in halves)


def open_block(key: bytes, reply: bytes) -> NDArray[np.int64]:
    """Return the masked total of each of 8,192 people, in [0, t)."""
    check_length(reply, reply_bytes(), "reply")
    top, rest = unpack(reply, REPLY_BYTES).reshape(2, PEOPLE)
    secret = transform(secret_of(COLUMNS, key), _TABLE)
    phase = (top + multiply_words(rest, secret, _TABLE, REPLY_BITS // 2)) % 2**REPLY_BITS
    return np.asarray((phase * T + 2 ** (REPLY_BITS - 1)) // 2**REPLY_BITS % T)


def fresh_masks() -> NDArray[np.int64]:
    """Return one mask a person, uniform in [0, t), from the operating system."""
    return uniform(PEOPLE, T, os.urandom)
