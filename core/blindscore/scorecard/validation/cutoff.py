"""Where to draw the line: approval rate, bad rate and profit at every threshold worth a look."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from blindscore.scorecard.inputs import as_flags


def strategy(
    bad: ArrayLike, score: ArrayLike, *, gain: float = 1.0, loss: float = 5.0, step: float = 0.05
) -> pd.DataFrame:
    """One row a threshold, from everybody approved to about `step` of the people.

    Columns: threshold (approve from there), approved (share of all), bad_rate (of the approved), bad_rate_refused,
    good_refused (share of goods), bads_caught (share of bads refused), profit (mean an applicant: an approved good
    brings `gain`, an approved bad costs `loss`, in units of money that the caller chooses), best (the row of most
    profit).
    """
    outcome, points = as_flags(bad), np.asarray(score, np.float64)
    places = np.floor(len(points) * np.arange(0, 1, step) + 1e-9).astype(int)  # people refused, at most
    cuts = np.sort(points)[places]
    rows = []
    for cut in np.unique(cuts):
        passed = points >= cut
        refused = ~passed
        rows.append(
            {
                "threshold": cut,
                "approved": passed.mean(),
                "bad_rate": outcome[passed].mean(),
                "bad_rate_refused": outcome[refused].mean() if refused.any() else np.nan,
                "good_refused": refused[~outcome].mean(),
                "bads_caught": refused[outcome].mean(),
                "profit": float(np.where(outcome, -loss, gain)[passed].sum() / len(outcome)),
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(best=table.index == table.profit.idxmax())


def break_even(gain: float, loss: float) -> float:
    """Probability of default at which an approval neither brings nor costs: gain / (gain + loss)."""
    return gain / (gain + loss)
