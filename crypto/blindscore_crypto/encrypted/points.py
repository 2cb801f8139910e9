"""Points: what a lender keeps to itself, a card's points in the layout's order.

Who sees what: the lender alone. The layout, which everybody may see, is :class:`blindscore_crypto.layout.Layout`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError
from blindscore.scorecard.card import Card
from blindscore_crypto.encrypted.parameters import Parameters


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
