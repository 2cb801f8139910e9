"""How a card treats groups of people: approval against the best-served group, errors, and calibration by group."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from blindscore.errors import DataError
from blindscore.scorecard.inputs import as_flags
from blindscore.scorecard.monitoring import by_group

FOUR_FIFTHS = 0.8  # 29 CFR 1607.4(D): a rule of thumb of US employment law that credit reviews borrow
FEWEST = 30  # people under whom a group is shown and not judged
UNKNOWN = "unknown"


def known_groups(group: ArrayLike) -> NDArray[np.object_]:
    """Groups as texts; a missing one is a group of its own, so that nobody is left out."""
    values = np.asarray(group, dtype=object)
    return np.where(np.asarray(pd.isna(values)), UNKNOWN, values.astype(str)).astype(object)


def fairness(
    bad: ArrayLike, score: ArrayLike, probability: ArrayLike, group: ArrayLike, threshold: float
) -> pd.DataFrame:
    """One row a group: what :func:`~blindscore.scorecard.monitoring.by_group` says, and further columns.

    ratio with ratio_low and ratio_high (approval rate over that of the group with the highest, among those with 30
    people or more; 95% interval of Katz et al., 1978, on the logarithm), below (the interval lies wholly under four
    fifths), forecast (mean probability of default, beside bad_rate).
    """
    outcome, points = as_flags(bad), np.asarray(score, np.float64)
    risk, groups = np.asarray(probability, np.float64), known_groups(group)
    if not outcome.shape == points.shape == risk.shape == groups.shape:
        raise DataError("outcomes, scores, probabilities and groups must have one length")
    table = by_group(outcome, points, groups, threshold)
    table["forecast"] = [float(risk[groups == name].mean()) for name in table.group]
    judged = table[table.people >= FEWEST]
    if judged.empty or judged.approved.max() == 0:
        return table.assign(ratio=np.nan, ratio_low=np.nan, ratio_high=np.nan, below=False)
    best = judged.iloc[int(judged.approved.argmax())]
    ratio = table.approved / best.approved
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(
            (1 - table.approved) / (table.approved * table.people) + (1 - best.approved) / (best.approved * best.people)
        )
        half = norm.ppf(0.975) * error
        low, high = ratio * np.exp(-half), ratio * np.exp(half)
    itself = table.group == best.group
    none = table.approved == 0  # no logarithm: the rule of three bounds the share (Hanley and Lippman-Hand, 1983)
    low, high = low.where(~none, 0.0), high.where(~none, np.minimum(1.0, 3 / table.people) / best.approved)
    low, high = low.where(~itself, 1.0), high.where(~itself, 1.0)
    return table.assign(
        ratio=ratio, ratio_low=low, ratio_high=high, below=(high < FOUR_FIFTHS) & (table.people >= FEWEST)
    )
