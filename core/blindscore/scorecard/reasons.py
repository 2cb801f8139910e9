"""Why a score is not higher: the one rule for estimator, command line, reply, wallet, explorer and page.

A feature costs a person the points between the best of its plain bins (amounts and listed categories) and the person's
own bin. Missing values, special codes and unlisted categories are no aim that anybody could be told to reach, so they
set no best; somebody in the best plain bin, or better placed than it, is given no such reason. These are the
adverse-action reasons of 12 CFR 1002.9 (Regulation B) in points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.scorecard.bin_words import ENGLISH, BinWords
from blindscore.scorecard.binning import bin_labels
from blindscore.scorecard.card import Card

REASONS = 4  # as many as the official commentary on 12 CFR 1002.9(b)(2) calls meaningful


@dataclass(frozen=True)
class Reason:
    """One reason why a score is not higher."""

    feature: str
    bin: str  # the person's own bin
    points: int  # points of that bin
    best: int  # points of the feature's best plain bin
    lost: int  # best - points, 0 where the person stands no worse


def lost_points(card: Card, bins: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """Points that each feature costs each person, (n, d), 0 or more, from bins (n, d)."""
    best = np.array([c.best for c in card.characteristics], np.int32)
    return np.asarray(np.maximum(best - card.points[np.arange(bins.shape[1]), bins], 0), np.int32)


def costliest(lost: NDArray[np.int32], k: int = REASONS) -> NDArray[np.int64]:
    """Places on the card of the k features that cost each person most, (n, min(k, d)); ties go to the first."""
    return np.argsort(-lost, axis=1, kind="stable")[:, : max(0, k)]


def parts(card: Card, bins: NDArray[np.integer[Any]], words: BinWords = ENGLISH) -> list[tuple[Reason, ...]]:
    """What every feature costs each person, the costliest first, those that cost nothing included."""
    labels = [bin_labels(c, words) for c in card.characteristics]
    lost = lost_points(card, bins)
    return [
        tuple(
            Reason(c.feature, labels[j][own[j]], c.points[own[j]], c.best, int(cost[j]))
            for j, c in ((j, card.characteristics[j]) for j in order)
        )
        for own, cost, order in zip(bins, lost, costliest(lost, bins.shape[1]), strict=True)
    ]


def reasons(card: Card, bins: NDArray[np.integer[Any]], k: int = REASONS) -> list[tuple[Reason, ...]]:
    """Up to k features a person that cost most points, the costliest first; one that costs nothing is no reason."""
    return [tuple(part for part in own[: max(0, k)] if part.lost > 0) for own in parts(card, bins)]
