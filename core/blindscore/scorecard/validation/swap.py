"""Champion against challenger: who ranks better, and whom a change of card would swap in and out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.inputs import as_flags
from blindscore.scorecard.quality import Interval, auc_interval, auc_loss_interval
from blindscore.scorecard.validation.calibration import binomial_interval


@dataclass(frozen=True)
class Duel:
    """Two scores on the same people."""

    champion: Interval  # AUC
    challenger: Interval
    gain: Interval  # AUC of the challenger less that of the champion, paired
    thresholds: tuple[float, float]
    swaps: pd.DataFrame  # four rows: who, people, share, bad_rate, low, high

    @property
    def verdict(self) -> str:
        """Whether the challenger ranks better beyond chance."""
        if self.gain.low > 0:
            return "the challenger ranks better"
        return "the challenger ranks worse" if self.gain.high < 0 else "no difference beyond chance"


def duel(bad: ArrayLike, champion: ArrayLike, challenger: ArrayLike, approve: float) -> Duel:
    """Compare two scores at thresholds that approve about the share `approve` each.

    The swap set (Siddiqi, 2006, ch. 8) is judged on outcomes that are known; who was refused in truth has none.

    Raises
    ------
    DataError
        Lengths differ.
    ParameterError
        `approve` lies not strictly between 0 and 1.
    """
    outcome, old, new = as_flags(bad), np.asarray(champion, np.float64), np.asarray(challenger, np.float64)
    if not outcome.shape == old.shape == new.shape:
        raise DataError("outcomes and both scores must have one length")
    if not 0 < approve < 1:
        raise ParameterError(f"approve must lie strictly between 0 and 1, got {approve}")
    cuts = tuple(float(np.quantile(side, 1 - approve, method="closest_observation")) for side in (old, new))
    passed, would = old >= cuts[0], new >= cuts[1]
    rows = []
    for who, inside in (
        ("approved by both", passed & would),
        ("swapped in (challenger alone approves)", ~passed & would),
        ("swapped out (champion alone approves)", passed & ~would),
        ("refused by both", ~passed & ~would),
    ):
        n = int(inside.sum())
        rate = binomial_interval(int(outcome[inside].sum()), n) if n else Interval(np.nan, np.nan, np.nan)
        rows.append(
            {"who": who, "people": n, "share": n / len(outcome), "bad_rate": rate[0], "low": rate[1], "high": rate[2]}
        )
    return Duel(
        auc_interval(outcome, old), auc_interval(outcome, new), auc_loss_interval(outcome, new, old), (cuts[0],
        cuts[1]), pd.DataFrame(rows),
    )  # fmt: skip
