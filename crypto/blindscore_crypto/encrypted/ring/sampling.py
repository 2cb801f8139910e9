"""Sampling: secrets, errors and masks from bytes that come from the operating system.

Every sampler takes ``draw(n) -> n bytes``: :func:`os.urandom`, or :func:`expand` of a seed where both ends, or an
auditor, must draw the same. Assumption of the latter: ChaCha20 is a pseudorandom function. NumPy's generators never
come near a secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from Crypto.Cipher import AES, ChaCha20
from numpy.typing import NDArray

from blindscore.kernel_cache import njit

Draw = Callable[[int], bytes]


def expand(seed: bytes, purpose: bytes) -> Draw:
    """Return a source of bytes that is the same for the same seed (at least 16 bytes) and purpose."""
    key = hashlib.sha256(b"blindscore/expand/v1" + len(purpose).to_bytes(2) + purpose + seed).digest()
    stream = ChaCha20.new(key=key, nonce=bytes(12))  # the key serves this one stream
    return lambda n: stream.encrypt(bytes(n))


@njit(cache=True)
def _keep_thirds(raw: NDArray[np.uint8], out: NDArray[np.int64], filled: int) -> int:
    """Fill ``out`` from ``filled`` on with bytes modulo 3, less 1; 255 = 85 * 3 is left out, so the rest is even."""
    for byte in raw:
        if byte < 255 and filled < out.size:
            out[filled] = np.int64(byte) % 3 - 1
            filled += 1
    return filled


@njit(cache=True)
def _keep_below(words: NDArray[np.uint64], mask: int, bound: int, out: NDArray[np.int64], filled: int) -> int:
    """Fill ``out`` from ``filled`` on with masked words, leaving out those from ``bound`` on."""
    for word in words:
        value = np.int64(word & np.uint64(mask))
        if value < bound and filled < out.size:
            out[filled] = value
            filled += 1
    return filled


@njit(cache=True)
def _ones(x: int) -> int:
    """Return how many of 21 bits are set, without a branch or table (Warren, Hacker's Delight, section 5-1)."""
    x -= (x >> 1) & 0x155555
    x = (x & 0x333333) + ((x >> 2) & 0x333333)
    x = (x + (x >> 4)) & 0x0F0F0F
    return (x + (x >> 8) + (x >> 16)) & 0x1F


@njit(cache=True)
def _heads_less_tails(words: NDArray[np.int64]) -> NDArray[np.int64]:
    out = np.empty(words.size, np.int64)
    for i in range(words.size):
        out[i] = _ones(words[i] & 0x1FFFFF) - _ones((words[i] >> 21) & 0x1FFFFF)
    return out


def open_stream(seed: bytes) -> Draw:
    """Return bytes that everybody may know, the same for the same 32-byte seed: AES-256 in counter mode, for speed."""
    stream = AES.new(seed, AES.MODE_CTR, nonce=bytes(8))
    return lambda n: stream.encrypt(bytes(n))


def ternary(n: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent values, uniform on {-1, 0, 1}."""
    out, filled = np.empty(n, np.int64), 0
    while filled < n:
        filled = _keep_thirds(np.frombuffer(draw(n - filled + n // 32 + 32), np.uint8), out, filled)
    return out


def centred(n: int, spread: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent values, uniform on [-spread, spread); ``spread`` is a power of two up to 2^15."""
    words = np.frombuffer(draw(2 * n), "<u2").astype(np.int64)
    return (words & (2 * spread - 1)) - spread


def binomial(n: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent centred binomials of 42 coins: variance 10.5, as SEAL's own error."""
    return np.asarray(_heads_less_tails(np.frombuffer(draw(8 * n), "<i8")))


def uniform(n: int, bound: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent values, uniform on [0, bound), bound at most 2^62, by rejection."""
    mask = (1 << (bound - 1).bit_length()) - 1
    out, filled = np.empty(n, np.int64), 0
    while filled < n:
        filled = _keep_below(np.frombuffer(draw(8 * (n - filled) + 64), "<u8"), mask, bound, out, filled)
    return out


def below(bound: int, draw: Draw) -> int:
    """Return a value uniform on [0, bound) up to a distance of 2^-64."""
    return int.from_bytes(draw((bound.bit_length() + 7) // 8 + 8)) % bound
