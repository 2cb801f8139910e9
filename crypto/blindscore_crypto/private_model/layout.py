"""Where each feature's bins lie in the one-hot row: what every training method shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.private_model.counts import Counts, starts_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """Which one-hot columns belong to which feature, and whether its bins have an order."""

    n_bins: tuple[int, ...]  # the missing bin included
    ordered: tuple[bool, ...]

    @property
    def features(self) -> int:
        """How many features there are."""
        return len(self.n_bins)

    @property
    def starts(self) -> Counts:
        """First column of each feature, and the total."""
        return starts_of(list(self.n_bins))

    def columns(self, bins: NDArray[np.uint8]) -> Counts:
        """One-hot column of each person in each feature, (n, d) int64."""
        return np.asarray(bins.astype(np.int64) + self.starts[:-1])

    def split(self, weights: Floats) -> list[Floats]:
        """Cut a vector over all columns into one part a feature."""
        return np.split(weights, self.starts[1:-1])

    def prior(self, step: float) -> Floats:
        """Precision matrix of the unit prior on the weights, (k, k): a random walk over ordered bins, and a ridge."""
        starts = self.starts
        out = np.eye(int(starts[-1]))
        for first, m, in_order in zip(starts, self.n_bins, self.ordered, strict=False):
            for a in range(first, first + m - 2 if in_order else 0):  # the missing bin has no neighbour
                out[a : a + 2, a : a + 2] += np.array([[1, -1], [-1, 1]]) / step**2
        return out
