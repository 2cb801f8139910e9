"""Scheme: what an encryption engine must do for the protocol, whatever ring it computes in.

Who sees what: the key holder sees the K masked values of a reply; whoever evaluates sees ciphertexts alone. Every
engine keeps to the polynomial layout told in :mod:`~blindscore_crypto.encrypted.parameters`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.encrypted.ring.sampling import Draw

KEY_BYTES = 32


class Scheme(Protocol):
    """One way to add up points under encryption."""

    @property
    def t(self) -> int:
        """Modulus of the K masked values, a prime."""
        ...

    @property
    def outputs(self) -> int:
        """K, masked values a reply."""
        ...

    @property
    def capacity(self) -> int:
        """Most bins, over all characteristics, of a card."""
        ...

    @property
    def upload_bytes(self) -> int:
        """Bytes of every encrypted person."""
        ...

    @property
    def reply_bytes(self) -> int:
        """Bytes of every encrypted answer."""
        ...

    def encrypt(self, key: bytes, ones: NDArray[np.integer[Any]]) -> bytes:
        """Encrypt a person: a one at each of the positions ``ones`` (of the card's D bins), zero elsewhere.

        ``key`` is :data:`KEY_BYTES` from the operating system, for this one person and application.
        """
        ...

    def check(self, upload: bytes) -> None:
        """Raise :class:`~blindscore.errors.ForgeryError` unless every field of an upload is in range."""
        ...

    def evaluate(self, upload: bytes, weights: NDArray[np.int64], masks: NDArray[np.int64], draw: Draw) -> bytes:
        """Return an encryption of ``weights[k] . person + masks[k] mod t`` for every output k, and of nothing else.

        Pre-conditions
            - ``check(upload)`` has passed, and its signature before that
            - ``weights`` has shape (K, D) and lies within +-t/2, ``masks`` has shape (K,) and lies in [0, t)
        """
        ...

    def open(self, key: bytes, reply: bytes) -> NDArray[np.int64]:
        """Return the K values of a reply, each in [0, t)."""
        ...
