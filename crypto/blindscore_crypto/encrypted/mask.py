"""Mask and MAC: what hides the score from the applicant who decrypts it, and catches one who lies about it.

The applicant decrypts ``y_k = alpha_k v + r_k mod t`` for k = 1 .. K, with secret uniform ``r_k`` (so it learns
nothing: each y_k is uniform) and secret ``alpha_k`` from 1 .. t-1. An opening that differs passes only if one wrong
v' fits all K equations, which happens with probability at most ``(span - 1) / (t - 1)^K``: a one-time algebraic MAC
(Carter, Wegman, 1981; several outputs in place of one large field). Information-theoretic: no assumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore_crypto.encrypted.ring.sampling import Draw, below


@dataclass(frozen=True)
class Mask:
    """Secrets of one application; never used twice."""

    t: int
    factors: NDArray[np.int64]  # alpha, shape (K,)
    shifts: NDArray[np.int64]  # r, shape (K,)

    @classmethod
    def fresh(cls, t: int, outputs: int, draw: Draw) -> Mask:
        """Draw a mask; a single output carries no MAC and leaves the points as small as they are."""
        factors = [1 + below(t - 1, draw) for _ in range(outputs)] if outputs > 1 else [1]
        shifts = [below(t, draw) for _ in range(outputs)]
        return cls(t, np.array(factors, np.int64), np.array(shifts, np.int64))

    def encode(self) -> bytes:
        """Return factors and shifts, 4 bytes each, for the lender's own store."""
        return np.concatenate([self.factors, self.shifts]).astype(">u4").tobytes()

    @classmethod
    def decode(cls, t: int, outputs: int, data: bytes) -> Mask:
        """Return the mask of :meth:`encode`.

        Raises
        ------
        DataError
            Not the bytes of a mask of so many outputs modulo t.
        """
        if len(data) != 8 * outputs:
            raise DataError(f"a stored mask has {len(data)} bytes, not {8 * outputs}")
        numbers = np.frombuffer(data, ">u4").astype(np.int64)
        if (numbers >= t).any() or (numbers[:outputs] == 0).any():
            raise DataError("a stored mask is out of range")
        return cls(t, numbers[:outputs], numbers[outputs:])

    def weights(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``alpha_k w_i mod t`` within +-t/2, shape (K, D)."""
        half = self.t // 2
        return (np.outer(self.factors, points) + half) % self.t - half

    def settle(self, values: NDArray[np.int64], low: int, high: int) -> int | None:
        """Return the sum of weights that an opening stands for, or None if there is no such sum in [low, high]."""
        first = (int(values[0]) - int(self.shifts[0])) * pow(int(self.factors[0]), -1, self.t) % self.t
        total = low + (first - low) % self.t
        fits = (self.factors * total + self.shifts - values) % self.t == 0
        return total if total <= high and bool(fits.all()) else None
