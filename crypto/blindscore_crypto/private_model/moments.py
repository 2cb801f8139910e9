"""Noisy counts of people by bin and outcome and by pairs of bins: what most methods know of the people first.

Who sees what: both tables may be published. Assumption: discrete Gaussian noise. Not protected: the applicant.

Noise in the pair counts is removed by the optimal shrinkage of eigenvalues (Gavish and Donoho, "Optimal shrinkage of
singular values", IEEE Trans. Inf. Theory 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.counts import (
    Counts,
    label_counts,
    label_sensitivity,
    pair_sensitivity,
)
from blindscore_crypto.private_model.layout import Floats, Layout


@dataclass(frozen=True)
class Moments:
    """Noisy counts and what is known of their noise: the public basis of everything that follows."""

    layout: Layout
    labels: Floats  # (k, 2) people by column and outcome
    labels_sigma: float
    pairs: Floats | None = None  # (k, k) upper triangle; None = not counted, features taken as independent
    pairs_sigma: float = 0.0

    @property
    def people(self) -> float:
        """Estimated head count, at least 1: every feature counts everybody once."""
        return max(float(self.labels.sum()) / len(self.layout.n_bins), 1.0)

    @property
    def bad_rate(self) -> float:
        """Estimated share of defaults, kept inside (0, 1) by half a person on either side."""
        bad = float(self.labels[:, 1].sum()) / len(self.layout.n_bins)
        return float(np.clip(bad, 0.5, max(self.people - 0.5, 0.5))) / (self.people + 1)

    @property
    def shares(self) -> Floats:
        """Estimated share of people in every column, (k,); the columns of a feature sum to one."""
        starts, size = self.layout.starts, np.maximum(self.labels.sum(axis=1), 0)
        sums = np.add.reduceat(size, starts[:-1])
        fallback = 1 / np.repeat(self.layout.n_bins, self.layout.n_bins)
        spread = np.repeat(sums, self.layout.n_bins)
        return np.where(spread > 0, size / np.where(spread > 0, spread, 1), fallback)

    @property
    def unseen(self) -> float:
        """Eigenvalue of the scatter matrix that the noise may hide: the largest of a symmetric noise matrix."""
        return 2 * self.pairs_sigma * math.sqrt(len(self.labels))

    @property
    def clarity(self) -> float:
        """Sampling variance of the defaults in an average bin over the variance of the noise in its count."""
        in_bin = self.people * self.layout.features / len(self.labels)
        return in_bin * self.bad_rate * (1 - self.bad_rate) / max(self.labels_sigma**2, 1e-9)

    def averaged(self, other: Moments) -> Moments:
        """Return the counts by outcome of two releases as one, each weighed by the inverse of its variance."""
        mine, theirs = self.labels_sigma**-2, other.labels_sigma**-2
        labels = (mine * self.labels + theirs * other.labels) / (mine + theirs)
        return replace(self, labels=labels, labels_sigma=(mine + theirs) ** -0.5)

    def scatter(self) -> Floats:
        """Estimated scatter matrix of the one-hot rows about their mean, (k, k), positive semi-definite."""
        shares = self.shares
        feature = np.repeat(np.arange(self.layout.features), self.layout.n_bins)
        same = feature[:, None] == feature
        independent = self.people * np.outer(shares, shares)
        within = np.where(same, np.diag(self.people * shares) - independent, 0.0)
        if self.pairs is None:
            return within
        upper = np.triu(self.pairs, 1)
        across = np.where(same, 0.0, upper + upper.T - independent)
        values, vectors = eigh(across)
        # What reaches beyond the noise is signal, inflated.
        values = np.sign(values) * np.sqrt(np.maximum(values**2 - self.unseen**2, 0))
        values, vectors = eigh(within + (vectors * values) @ vectors.T)
        clipped: Floats = (vectors * np.maximum(values, 0)) @ vectors.T
        return clipped


def release_labels(columns: Counts, bad: NDArray[np.bool_], layout: Layout, noise: float, budget: Budget) -> Moments:
    """Release people by bin and outcome; ``noise`` in units of the sensitivity."""
    return noisy_labels(label_counts(columns, bad, int(layout.starts[-1])), layout, noise, budget)


def noisy_labels(labels: Counts, layout: Layout, noise: float, budget: Budget) -> Moments:
    """Release counts by bin and outcome, (k, 2)."""
    seen, sigma = budget.release(labels, "people by bin and outcome", label_sensitivity(layout.features), noise)
    return Moments(layout, seen, sigma)


def with_pairs(moments: Moments, pairs: Counts, noise: float, budget: Budget) -> Moments:
    """Release people by pairs of bins, (k, k) upper triangle, as well; ``noise`` in units of the sensitivity."""
    upper, d = np.triu_indices(len(pairs), 1), moments.layout.features
    if d == 1:
        return moments
    together = np.zeros(pairs.shape)
    together[upper], sigma = budget.release(pairs[upper], "people by pairs of bins", pair_sensitivity(d), noise)
    return replace(moments, pairs=together, pairs_sigma=sigma)
