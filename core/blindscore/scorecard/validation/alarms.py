"""What in a card's figures asks for somebody's attention, and how loudly: plain rules, each with its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from blindscore.scorecard.quality import Interval
from blindscore.scorecard.validation.calibration import Calibration
from blindscore.scorecard.validation.stability import Shift

Level = Literal["watch", "act"]
FEW = 0.01  # share of people beyond the scale, or of unlisted categories, that is worth a look
MORE_MISSING = 0.05  # rise of the share of missing values


@dataclass(frozen=True)
class Alarm:
    """One thing to look at."""

    level: Level  # "watch": note and look again; "act": find the cause before the card is used further
    what: str
    value: float
    limit: float


def shift_alarms(what: str, found: Shift) -> list[Alarm]:
    """A stability index over .1 (watch) or .25 (act), unless chance explains it."""
    levels: dict[str, tuple[Level, float]] = {"moved": ("watch", 0.1), "moved much": ("act", 0.25)}
    if found.verdict not in levels:
        return []
    level, limit = levels[found.verdict]
    return [Alarm(level, f"{what} {found.verdict} (stability index)", found.value, limit)]


def characteristic_alarms(table: pd.DataFrame) -> list[Alarm]:
    """Characteristics that moved, and those that are missing more often than before."""
    alarms: list[Alarm] = []
    for row in table.to_dict("records"):
        alarms += shift_alarms(f"characteristic {row['feature']!r}", Shift(row["psi"], row["chance"]))
        more = row["missing_after"] - row["missing_before"]
        if more > MORE_MISSING:
            alarms.append(Alarm("watch", f"{row['feature']!r} is missing more often", more, MORE_MISSING))
    return alarms


def calibration_alarms(found: Calibration) -> list[Alarm]:
    """The forecast rate outside the 95% interval of the observed one (watch), or 1.5 times off besides (act)."""
    if found.holds:
        return []
    ratio = found.observed.value / found.forecast
    level: Level = "act" if ratio > 1.5 or ratio < 1 / 1.5 else "watch"
    return [Alarm(level, "observed over forecast bad rate", ratio, 1.0)]


def rank_alarms(before: Interval, after: Interval) -> list[Alarm]:
    """AUC fell beyond chance, two samples of different people: watch, and act where it lost over .05."""
    spread = [(side.high - side.low) / (2 * norm.ppf(0.975)) for side in (before, after)]
    fall = before.value - after.value
    if fall <= norm.ppf(0.975) * float(np.hypot(*spread)):
        return []
    return [Alarm("act" if fall > 0.05 else "watch", "AUC fell", fall, 0.05)]


def share_alarm(what: str, share: float, limit: float = FEW) -> list[Alarm]:
    """A share of people beyond a limit."""
    return [Alarm("watch", what, share, limit)] if share > limit else []
