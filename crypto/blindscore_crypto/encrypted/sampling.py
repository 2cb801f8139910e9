"""Sampling: secrets, errors and masks from bytes that come from the operating system.

Every sampler takes ``draw(n) -> n bytes``: :func:`os.urandom`, or :func:`expand` of a seed where both ends, or an
auditor, must draw the same. Assumption of the latter: ChaCha20 is a pseudorandom function. NumPy's generators never
come near a secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from Crypto.Cipher import ChaCha20
from numpy.typing import NDArray

Draw = Callable[[int], bytes]


def expand(seed: bytes, purpose: bytes) -> Draw:
    """Return a source of bytes that is the same for the same seed (at least 16 bytes) and purpose."""
    key = hashlib.sha256(b"blindscore/expand/v1" + len(purpose).to_bytes(2) + purpose + seed).digest()
    stream = ChaCha20.new(key=key, nonce=bytes(12))  # the key serves this one stream
    return lambda n: stream.encrypt(bytes(n))


def ternary(n: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent values, uniform on {-1, 0, 1}."""
    kept = np.empty(0, np.uint8)
    while kept.size < n:
        fresh = np.frombuffer(draw(n + n // 32 + 32), np.uint8)
        kept = np.concatenate([kept, fresh[fresh < 255]])  # 255 = 85 * 3: what is left is even
    return (kept[:n] % 3).astype(np.int64) - 1


def centred(n: int, spread: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent values, uniform on [-spread, spread); ``spread`` is a power of two up to 2^15."""
    words = np.frombuffer(draw(2 * n), "<u2").astype(np.int64)
    return (words & (2 * spread - 1)) - spread


def binomial(n: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent centred binomials of 42 coins: variance 10.5, as SEAL's own error."""
    words = np.frombuffer(draw(8 * n), "<u8")
    coins = np.uint64(2**21 - 1)
    heads, tails = np.bitwise_count(words & coins), np.bitwise_count((words >> np.uint64(21)) & coins)
    return heads.astype(np.int64) - tails.astype(np.int64)


def uniform(n: int, bound: int, draw: Draw) -> NDArray[np.int64]:
    """Return n independent values, uniform on [0, bound), bound at most 2^62, by rejection."""
    mask = np.uint64((1 << (bound - 1).bit_length()) - 1)
    kept = np.empty(0, np.uint64)
    while kept.size < n:
        fresh = np.frombuffer(draw(8 * (n - kept.size) + 64), "<u8") & mask
        kept = np.concatenate([kept, fresh[fresh < bound]])
    return kept[:n].astype(np.int64)


def below(bound: int, draw: Draw) -> int:
    """Return a value uniform on [0, bound) up to a distance of 2^-64."""
    return int.from_bytes(draw((bound.bit_length() + 7) // 8 + 8)) % bound
