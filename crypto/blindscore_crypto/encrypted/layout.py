"""Layout and Points: the public half of a scorecard (features, edges) and the lender's secret half (points).

A source needs the layout to know which bin a person falls into; it never sees points, base or scale. A layout that
many lenders share names none of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError, DataError
from blindscore.scorecard.card import Card
from blindscore_crypto.encrypted.parameters import Parameters


@dataclass(frozen=True)
class Layout:
    """What a source must know to encrypt a person for a card."""

    fingerprint: bytes  # 32 bytes, over features, edges and groups
    n_bins: tuple[int, ...]  # bins of each characteristic, the missing one included

    @classmethod
    def of(cls, card: Card) -> Layout:
        """Return the layout of a card, without its points."""
        public = [
            [c.feature, list(c.edges), None if c.groups is None else list(map(list, c.groups)), c.other, c.n_bins]
            for c in card.characteristics
        ]
        canonical = json.dumps(public, separators=(",", ":"), allow_nan=False)
        return cls(hashlib.sha256(b"blindscore/layout/v2" + canonical.encode()).digest(), card.n_bins)

    @property
    def size(self) -> int:
        """D, bins over all characteristics."""
        return sum(self.n_bins)

    def ones(self, bins: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the position, 0 .. D-1, of each of a person's bins, shape (d,).

        Raises
        ------
        DataError
            Wrong shape, or a bin that the layout does not have.
        """
        widths = np.array(self.n_bins)
        if bins.shape != widths.shape:
            raise DataError(f"bins of shape {bins.shape}; this layout has {len(widths)} characteristics")
        if (bins < 0).any() or (bins >= widths).any():
            # The bin is the person's own data, so it stays out of the message.
            raise DataError("a bin lies outside its characteristic; bin the person with this layout's own edges")
        return np.asarray(np.cumsum(widths) - widths + bins, np.int64)


@dataclass(frozen=True)
class Points:
    """What the lender keeps: a card's points, centred in each characteristic so that they are small.

    ``total = offset + weights[ones].sum()``, exactly, for every person.
    """

    weights: NDArray[np.int64]  # (D,)
    offset: int
    low: int  # least sum of weights that a person can have
    high: int  # greatest

    @classmethod
    def of(cls, card: Card) -> Points:
        """Return the points of a card in the layout's order."""
        weights: list[int] = []
        offset, low, high = card.base, 0, 0
        for c in card.characteristics:
            middle = (min(c.points) + max(c.points)) // 2
            offset += middle
            low += min(c.points) - middle
            high += max(c.points) - middle
            weights.extend(p - middle for p in c.points)
        return cls(np.array(weights, np.int64), offset, low, high)

    @property
    def span(self) -> int:
        """How many totals are possible at most."""
        return self.high - self.low + 1

    def check_fits(self, parameters: Parameters) -> None:
        """Raise :class:`CardError` unless the parameter set carries this card."""
        p, widest = parameters, int(np.abs(self.weights).max())
        if self.span > p.t or len(self.weights) > p.capacity or (p.outputs == 1 and widest > p.largest):
            raise CardError(
                f"card of {len(self.weights)} bins, {self.span} possible totals and points within +-{widest} of their "
                f"middle; set {p.name} takes {p.capacity} bins, {p.t} totals and, without a MAC, +-{p.largest} points"
            )
