"""Choose the scale that fits the people: odds anchored at their own, points per doubling so that hardly anybody is cut.

Scale after Siddiqi, "Credit Risk Scorecards" (2006), ch. 6. A user's own numbers are obeyed, and warned about where
they cut off so many people that the score ranks worse than the points behind it.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError, ScorecardWarning
from blindscore.scorecard.card import Scale

PDO = 50.0  # points that double the odds, unless that cuts people off
LEAST_PDO = 1.0
BEYOND = 0.001  # share of the training people under which either end must keep those beyond it
WARN = 0.01  # share beyond an end from which a user's own scale is warned about


@dataclass(frozen=True)
class ScaleWish:
    """What a user asks of the scale; None leaves a number to the people."""

    base_score: float | None = None  # default: five twelfths of the way from low to high, which is 600 of 350 to 950
    base_odds: float | None = None  # default: those of the training people
    pdo: float | None = None  # default: at most 50, less where more would cut people off
    low: int = 350
    high: int = 950

    def __post_init__(self) -> None:
        self.scale(1.0, PDO)  # refuses what no scale can be

    def scale(self, odds: float, pdo: float) -> Scale:
        """Return the scale with these odds (good : bad) and points per doubling where none are wished for."""
        if not (self.low < self.high):
            raise CardError(f"a scale needs low < high, got {self.low} and {self.high}")
        middle = float(round(self.low + 5 / 12 * (self.high - self.low)))
        return Scale(
            base_score=middle if self.base_score is None else self.base_score,
            base_odds=odds if self.base_odds is None else self.base_odds,
            pdo=pdo if self.pdo is None else self.pdo,
            low=self.low,
            high=self.high,
        )

    def fit(self, log_odds: NDArray[np.float64], rate: float) -> Scale:
        """Return the scale for people with the given log-odds of good, (n,), and bad rate."""
        odds = float(f"{(1 - rate) / rate:.3g}")
        scale, ordered = self.scale(odds, PDO), np.sort(log_odds)
        cut = max(0, math.ceil(BEYOND * len(ordered)) - 1)  # people who may stand beyond an end
        below, above = math.log(scale.base_odds) - ordered[cut], ordered[-1 - cut] - math.log(scale.base_odds)
        factors = [PDO / math.log(2)]
        factors += [(scale.base_score - scale.low) / below] if below > 0 else []
        factors += [(scale.high - scale.base_score) / above] if above > 0 else []
        return self.scale(odds, max(LEAST_PDO, float(math.floor(min(factors) * math.log(2)))))

    def narrower(self, scale: Scale) -> Scale | None:
        """Return the next scale to try where rounding left too many people beyond an end; None: there is none."""
        if self.pdo is not None or scale.pdo <= LEAST_PDO:
            return None
        return self.scale(scale.base_odds, scale.pdo - 1)


def beyond(scale: Scale, totals: NDArray[np.integer[Any]]) -> tuple[float, float]:
    """Share of people whose total stands below the scale's lowest score, and above its highest."""
    return float((totals < scale.low).mean()), float((totals > scale.high).mean())


def warn_of_clipping(scale: Scale, shares: tuple[float, float]) -> None:
    """Warn where a chosen scale cuts off more than one in a hundred at either end."""
    for share, end, where in zip(shares, (scale.low, scale.high), ("below", "above"), strict=True):
        if share > WARN:
            warnings.warn(
                f"{share:.1%} of the training people stand {where} {end} and all score {end}, so that nothing ranks "
                f"them; leave base_odds and pdo out, or lower pdo (now {scale.pdo:g})",
                ScorecardWarning,
                stacklevel=3,
            )
