"""Distributed comparison function: two keys whose outputs add up to ``beta`` below ``alpha``, and to zero elsewhere.

Boyle, Chandran, Gilboa, Gupta, Ishai, Kumar, Rathee, "Function Secret Sharing for Mixed-Mode and Fixed-Point Secure
Computation" (EUROCRYPT 2021), figure 1; outputs are whole numbers modulo 2^64. The generator is one block of ChaCha
(Bernstein, 2008; 20 rounds, keys of 128 bits) under the seed: additions, rotations and exclusive ors alone, in the same
order whatever the data. Source of the known pitfalls: a key's shares are uniform, so that no bit of one key alone tells
anything; alpha is never opened.

Who sees what: a key alone tells nothing of alpha and beta. Assumption: ChaCha with keys of 128 bits as a pseudorandom
generator; an honest dealer. Does not protect: against the dealer and one party together. No state: a fork of the
process shares nothing.
"""

from __future__ import annotations

import secrets

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError
from blindscore.kernel_cache import njit

SEED_BYTES = 16
VALUE_BYTES = 8
MODULUS = 1 << 64
_STEP_BYTES = SEED_BYTES + VALUE_BYTES + 1
_WORDS = SEED_BYTES // 4  # of a seed
_GROW, _LEAF = np.uint32(0), np.uint32(1)  # block counters: what a block serves


def key_bytes(depth: int) -> int:
    """Bytes of one key for inputs of ``depth`` bits."""
    return SEED_BYTES + depth * _STEP_BYTES + VALUE_BYTES


def generate(depth: int, alpha: int, beta: int) -> tuple[bytes, bytes]:
    """Return two keys: their outputs at x, in [0, 2^depth), add up to ``beta`` modulo 2^64 iff ``x < alpha``.

    Parameters
    ----------
    alpha
        In [0, 2^depth).
    beta
        In [0, 2^64).
    """
    roots = secrets.token_bytes(2 * SEED_BYTES)
    seeds = np.frombuffer(roots, "<u4").astype(np.uint32).reshape(2, _WORDS)
    words, values, bits, last = _generate(seeds, depth, np.uint64(alpha), np.uint64(beta))
    steps = np.zeros((depth, _STEP_BYTES), np.uint8)
    steps[:, :SEED_BYTES] = words.astype("<u4").view(np.uint8)
    steps[:, SEED_BYTES:-1] = values.astype("<u8").view(np.uint8).reshape(depth, VALUE_BYTES)
    steps[:, -1] = bits
    tail = steps.tobytes() + int(last).to_bytes(VALUE_BYTES, "little")
    return roots[:SEED_BYTES] + tail, roots[SEED_BYTES:] + tail


def evaluate(party: int, key: bytes, depth: int, x: int) -> int:
    """Return a party's (0 or 1) share of the output at x, in [0, 2^64), by a key of :func:`key_bytes` bytes.

    Raises
    ------
    ForgeryError
        The key is longer or shorter.
    """
    if len(key) != key_bytes(depth):
        raise ForgeryError(f"comparison key refused: {len(key)} bytes, not {key_bytes(depth)}; apply again")
    total = int(_evaluate(np.frombuffer(key, np.uint8), depth, np.uint64(x), np.uint32(party)))
    return (total if party == 0 else -total) % MODULUS


@njit(cache=True)
def _turned(word, by):  # type: ignore[no-untyped-def]
    return (word << by) | (word >> (np.uint32(32) - by))


@njit(cache=True)
def _quarter(w, a, b, c, d):  # type: ignore[no-untyped-def]
    w[a] += w[b]
    w[d] = _turned(w[d] ^ w[a], np.uint32(16))
    w[c] += w[d]
    w[b] = _turned(w[b] ^ w[c], np.uint32(12))
    w[a] += w[b]
    w[d] = _turned(w[d] ^ w[a], np.uint32(8))
    w[c] += w[d]
    w[b] = _turned(w[b] ^ w[c], np.uint32(7))


@njit(cache=True)
def block(seed, counter):  # type: ignore[no-untyped-def]
    """Return one ChaCha block, (16,) uint32, under a key of 128 bits, (4,) uint32; the nonce is zero."""
    start = np.zeros(16, np.uint32)
    start[0], start[1], start[2], start[3] = 0x61707865, 0x3120646E, 0x79622D36, 0x6B206574  # "expand 16-byte k"
    for i in range(4):
        start[4 + i] = start[8 + i] = seed[i]
    start[12] = counter
    w = start.copy()
    for _ in range(10):
        for i in range(4):
            _quarter(w, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            _quarter(w, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    for i in range(16):
        w[i] += start[i]
    return w


@njit(cache=True)
def _value(grown, at):  # type: ignore[no-untyped-def]
    return np.uint64(grown[at]) | (np.uint64(grown[at + 1]) << np.uint64(32))


@njit(cache=True)
def _generate(seeds, depth, alpha, beta):  # type: ignore[no-untyped-def]
    words, values = np.zeros((depth, 4), np.uint32), np.zeros(depth, np.uint64)
    bits, path = np.zeros(depth, np.uint8), np.uint64(0)
    own = np.array([0, 1], np.uint32)  # each party's control bit
    for level in range(depth):
        kept = np.uint32((alpha >> np.uint64(depth - 1 - level)) & np.uint64(1))
        lost = np.uint32(1) - kept
        g0, g1 = block(seeds[0], _GROW), block(seeds[1], _GROW)
        minus = np.uint64(0) - np.uint64(own[1])  # all ones where the sign is minus
        value = _value(g1, 8 + 2 * lost) - _value(g0, 8 + 2 * lost) - path
        value = (value ^ minus) - minus
        value += ((beta ^ minus) - minus) * np.uint64(kept)  # all that lies on the left is below alpha
        left = (g0[12] ^ g1[12] ^ kept ^ np.uint32(1)) & np.uint32(1)
        right = (g0[13] ^ g1[13] ^ kept) & np.uint32(1)
        path += _value(g0, 8 + 2 * kept) - _value(g1, 8 + 2 * kept) + ((value ^ minus) - minus)
        for i in range(4):
            word = g0[4 * lost + i] ^ g1[4 * lost + i]
            seeds[0, i] = g0[4 * kept + i] ^ (word * own[0])
            seeds[1, i] = g1[4 * kept + i] ^ (word * own[1])
            words[level, i] = word
        correction = right * kept + left * lost
        own[0] = (g0[12 + kept] & np.uint32(1)) ^ (own[0] & correction)
        own[1] = (g1[12 + kept] & np.uint32(1)) ^ (own[1] & correction)
        values[level], bits[level] = value, left << np.uint32(1) | right
    minus = np.uint64(0) - np.uint64(own[1])
    last = _value(block(seeds[1], _LEAF), 0) - _value(block(seeds[0], _LEAF), 0) - path
    return words, values, bits, (last ^ minus) - minus


@njit(cache=True)
def _evaluate(key, depth, x, party):  # type: ignore[no-untyped-def]
    seed, own, total = np.zeros(4, np.uint32), party, np.uint64(0)
    for i in range(16):
        seed[i // 4] |= np.uint32(key[i]) << np.uint32(8 * (i % 4))
    at = 16
    for level in range(depth):
        side = np.uint32((x >> np.uint64(depth - 1 - level)) & np.uint64(1))
        grown = block(seed, _GROW)
        total += _value(grown, 8 + 2 * side) + np.uint64(own) * _read(key, at + 16)
        for i in range(4):
            word = np.uint32(0)
            for j in range(4):
                word |= np.uint32(key[at + 4 * i + j]) << np.uint32(8 * j)
            seed[i] = grown[4 * side + i] ^ (word * own)
        correction = (np.uint32(key[at + 24]) >> (np.uint32(1) - side)) & np.uint32(1)
        own = (grown[12 + side] & np.uint32(1)) ^ (own & correction)
        at += 25
    return total + _value(block(seed, _LEAF), 0) + np.uint64(own) * _read(key, at)


@njit(cache=True)
def _read(key, at):  # type: ignore[no-untyped-def]
    value = np.uint64(0)
    for i in range(8):
        value |= np.uint64(key[at + i]) << np.uint64(8 * i)
    return value


def keystream(seed: bytes, counter: int) -> NDArray[np.uint32]:
    """Return one block of the generator, (16,), under a seed of 16 bytes."""
    words: NDArray[np.uint32] = block(np.frombuffer(seed, "<u4").astype(np.uint32), np.uint32(counter))
    return words
