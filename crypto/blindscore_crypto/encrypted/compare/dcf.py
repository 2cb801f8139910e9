"""Distributed comparison function: two keys whose outputs add up to ``beta`` below ``alpha``, and to zero elsewhere.

Boyle, Chandran, Gilboa, Gupta, Ishai, Kumar, Rathee, "Function Secret Sharing for Mixed-Mode and Fixed-Point Secure
Computation" (EUROCRYPT 2021), figure 1; outputs are whole numbers modulo 2^64. The generator is AES-128 in counter
mode under the seed. Source of the known pitfalls: a key's shares are uniform, so that no bit of one key alone tells
anything; alpha is never opened.

Who sees what: a key alone tells nothing of alpha and beta. Assumption: AES-128 as a pseudorandom generator; an honest
dealer. Does not protect: against the dealer and one party together. No state: a fork of the process shares nothing.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from Crypto.Cipher import AES

SEED_BYTES = 16
VALUE_BYTES = 8
MODULUS = 1 << 64
_STEP_BYTES = SEED_BYTES + VALUE_BYTES + 1
_ZEROS = bytes(48)


class _Node(NamedTuple):
    """What a seed grows into on one side."""

    seed: bytes
    value: int
    bit: int


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
    seeds = first = (secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES))
    bits, path, steps = (0, 1), 0, b""
    for level in range(depth - 1, -1, -1):
        kept = alpha >> level & 1
        nodes = [_grow(seed) for seed in seeds]  # [party][side]
        sign = -1 if bits[1] else 1
        lost = 1 - kept
        seed_word = _xor(nodes[0][lost].seed, nodes[1][lost].seed)
        value_word = sign * (nodes[1][lost].value - nodes[0][lost].value - path)
        if lost == 0:
            value_word += sign * beta
        value_word %= MODULUS
        bit_words = (nodes[0][0].bit ^ nodes[1][0].bit ^ kept ^ 1, nodes[0][1].bit ^ nodes[1][1].bit ^ kept)
        path = (path - nodes[1][kept].value + nodes[0][kept].value + sign * value_word) % MODULUS
        steps += seed_word + value_word.to_bytes(VALUE_BYTES) + bytes([bit_words[0] << 1 | bit_words[1]])
        seeds = (
            _under(nodes[0][kept].seed, bits[0], seed_word),
            _under(nodes[1][kept].seed, bits[1], seed_word),
        )
        bits = (
            nodes[0][kept].bit ^ (bits[0] & bit_words[kept]),
            nodes[1][kept].bit ^ (bits[1] & bit_words[kept]),
        )
    last = (-1 if bits[1] else 1) * (_value(seeds[1]) - _value(seeds[0]) - path) % MODULUS
    tail = steps + last.to_bytes(VALUE_BYTES)
    return first[0] + tail, first[1] + tail


def evaluate(party: int, key: bytes, depth: int, x: int) -> int:
    """Return a party's (0 or 1) share of the output at x, in [0, 2^64)."""
    seed, bit, total = key[:SEED_BYTES], party, 0
    for i in range(depth):
        step = key[SEED_BYTES + i * _STEP_BYTES : SEED_BYTES + (i + 1) * _STEP_BYTES]
        seed_word, value_word = step[:SEED_BYTES], int.from_bytes(step[SEED_BYTES:-1])
        side = x >> (depth - 1 - i) & 1
        node = _grow(seed)[side]
        total += node.value + bit * value_word
        seed = _under(node.seed, bit, seed_word)
        bit = node.bit ^ (bit & (step[-1] >> (1 - side) & 1))
    total += _value(seed) + bit * int.from_bytes(key[-VALUE_BYTES:])
    return (total if party == 0 else -total) % MODULUS


def _grow(seed: bytes) -> tuple[_Node, _Node]:
    raw = AES.new(seed, AES.MODE_CTR, nonce=b"grow").encrypt(_ZEROS + bytes(SEED_BYTES))
    values = raw[32:48]
    return (
        _Node(raw[:16], int.from_bytes(values[:8]), raw[48] & 1),
        _Node(raw[16:32], int.from_bytes(values[8:]), raw[48] >> 1 & 1),
    )


def _value(seed: bytes) -> int:
    return int.from_bytes(AES.new(seed, AES.MODE_CTR, nonce=b"leaf").encrypt(bytes(VALUE_BYTES)))


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a) ^ int.from_bytes(b)).to_bytes(len(a))


def _under(seed: bytes, bit: int, word: bytes) -> bytes:
    """Return the seed, corrected if the bit is set; both ways take the same steps."""
    return _xor(seed, (int.from_bytes(word) * bit).to_bytes(len(word)))
