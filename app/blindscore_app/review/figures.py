"""Every figure of a validation, computed once and plain, for the page and for ``--json`` alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.plain import choose_threshold
from blindscore.errors import DataError
from blindscore.scorecard.monitoring import reliability
from blindscore.scorecard.quality import auc_interval
from blindscore.scorecard.validation.alarms import (
    Alarm,
    calibration_alarms,
    characteristic_alarms,
    rank_alarms,
    share_alarm,
    shift_alarms,
)
from blindscore.scorecard.validation.calibration import calibration
from blindscore.scorecard.validation.cutoff import break_even, strategy
from blindscore.scorecard.validation.discrimination import ks_interval, lift_table
from blindscore.scorecard.validation.fairness import fairness
from blindscore.scorecard.validation.information import close_pairs, information
from blindscore.scorecard.validation.months import by_month
from blindscore.scorecard.validation.reject import infer_rejects
from blindscore.scorecard.validation.sensitivity import shaken, without_each
from blindscore.scorecard.validation.stability import characteristic_shifts, score_bands, shift
from blindscore.scorecard.validation.swap import duel
from blindscore_app.review.sample import Sample

SHAKES = (0.01, 0.05, 0.1)  # shares of cells entered wrong
LEAST = 200  # people under whom the document warns that intervals are wide
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What the reviewer chose."""

    threshold: int | None = None  # approve from this score; None: the one that approves `approve`
    approve: float = 0.75
    gain: float = 1.0  # money, an approved good brings
    loss: float = 5.0  # money, an approved bad costs
    harsh: float = 1.0  # how many times worse than the accepted of equal score the refused are taken to be
    seed: int = 0


def validation(
    sample: Sample,
    base: Sample | None,
    challenger: Sample | None,
    refused: Sample | None,
    request: Request,
    progress: Progress,
) -> dict[str, Any]:
    """Return the figures by section; tables are lists of rows.

    Raises
    ------
    DataError
        The people lack goods or bads.
    """
    bad, card, bins = sample.bad, sample.card, sample.bins
    if bad is None or bad.all() or not bad.any():
        raise DataError(f"{sample.name}: a validation needs goods and bads with known outcomes")
    threshold = request.threshold
    if threshold is None:
        threshold = choose_threshold(sample.scores, request.approve, card.scale.low, card.scale.high)
    steps = iter(range(1, 9))

    def done(label: str) -> None:
        progress(label, next(steps), 8)

    auc = auc_interval(bad, sample.totals)
    found: dict[str, Any] = {
        "people": {
            "name": sample.name,
            "people": len(sample),
            "bads": int(bad.sum()),
            "bad_rate": float(bad.mean()),
            "few": len(sample) < LEAST,
            "beyond": sample.beyond,
            "unlisted": sample.unlisted,
            "base": None if base is None else {"name": base.name, "people": len(base)},
        },
        "request": asdict(request) | {"threshold": threshold, "approved": float((sample.scores >= threshold).mean())},
    }
    done("discrimination")
    found["discrimination"] = {
        "auc": auc,
        "gini": tuple(2 * value - 1 for value in auc),
        "ks": ks_interval(bad, sample.totals),
        "lift": rows(lift_table(bad, sample.totals)),
    }
    done("calibration")
    checked = calibration(bad, sample.probability)
    found["calibration"] = asdict(checked) | {
        "holds": checked.holds,
        "bands": rows(reliability(bad, sample.probability)),
    }
    done("stability")
    found["stability"] = None if base is None else stability(base, sample)
    done("fairness")
    found["fairness"] = {
        by: rows(fairness(bad, sample.scores, sample.probability, group, threshold))
        for by, group in sample.groups.items()
    }
    done("sensitivity")
    found["sensitivity"] = {
        "features": rows(without_each(card, bins, bad, threshold)),
        "shaken": rows(shaken(card, bins, bad, threshold, SHAKES, request.seed)),
    }
    done("information")
    found["information"] = {"features": rows(information(card, bins, bad)), "pairs": rows(close_pairs(card, bins))}
    found["cutoff"] = {
        "table": rows(strategy(bad, sample.scores, gain=request.gain, loss=request.loss)),
        "break_even": break_even(request.gain, request.loss),
    }
    done("champion and challenger")
    found["duel"] = None
    if challenger is not None:
        fight = duel(bad, sample.totals, challenger.totals, request.approve)
        found["duel"] = {
            "fingerprint": challenger.card.fingerprint,
            "champion": fight.champion,
            "challenger": fight.challenger,
            "gain": fight.gain,
            "thresholds": fight.thresholds,
            "verdict": fight.verdict,
            "swaps": rows(fight.swaps),
        }
    done("reject inference")
    found["reject"] = None
    if refused is not None:
        inferred = infer_rejects(
            card, bins, bad, refused.bins, approve=request.approve, harsh=request.harsh, seed=request.seed
        )
        found["reject"] = asdict(inferred) | {"table": rows(inferred.table)}
    found["findings"] = [asdict(alarm) for alarm in _findings(sample, base, found)]
    return found


def _findings(sample: Sample, base: Sample | None, found: dict[str, Any]) -> list[Alarm]:
    """What the figures themselves ask a reviewer to look at."""
    assert sample.bad is not None  # the caller has checked
    alarms = calibration_alarms(calibration(sample.bad, sample.probability)) + drift(base, sample)
    for by, groups in found["fairness"].items():
        for row in groups:
            if row["below"]:
                alarms.append(Alarm("act", f"approval of {by} {row['group']!r} under four fifths", row["ratio"], 0.8))
    for row in found["information"]["features"]:
        if row["vif"] is not None and row["vif"] > 5:
            alarms.append(Alarm("watch", f"{row['feature']!r} is explained by other features", row["vif"], 5.0))
        if row["iv"] < 0.02:
            alarms.append(Alarm("watch", f"{row['feature']!r} tells little on its own here (IV)", row["iv"], 0.02))
    return alarms


def drift(base: Sample | None, sample: Sample) -> list[Alarm]:
    """What moved between two samples, and who does not fit the card."""
    alarms: list[Alarm] = []
    if base is not None:
        bands = score_bands(base.scores, sample.scores)
        alarms += shift_alarms("score", shift(bands.before.to_numpy(), bands.after.to_numpy()))
        alarms += characteristic_alarms(characteristic_shifts(sample.card, base.bins, sample.bins))
        if base.bad is not None and sample.bad is not None and _both(base) and _both(sample):
            alarms += rank_alarms(*(auc_interval(*_told(side)) for side in (base, sample)))
    alarms += share_alarm("people beyond the scale's ends", sample.beyond)
    for feature, count in sample.unlisted.items():
        alarms += share_alarm(f"{feature!r}: categories not on the card", count / len(sample))
    return alarms


def _both(sample: Sample) -> bool:
    told = _told(sample)[0]
    return bool(told.any() and not told.all())


def _told(sample: Sample) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Outcomes and totals of those whose outcome is known."""
    assert sample.bad is not None  # the caller has checked
    return sample.bad[sample.outcomes], sample.totals[sample.outcomes]


def stability(base: Sample, sample: Sample) -> dict[str, Any]:
    """Stability of score and characteristics between two samples."""
    bands = score_bands(base.scores, sample.scores)
    moved = shift(bands.before.to_numpy(), bands.after.to_numpy())
    shares = bands.assign(before=bands.before / len(base), after=bands.after / len(sample))
    return {
        "psi": moved.value,
        "chance": moved.chance,
        "verdict": moved.verdict,
        "bands": rows(shares),
        "features": rows(characteristic_shifts(sample.card, base.bins, sample.bins)),
    }


def monitoring(base: Sample, new: Sample, progress: Progress) -> dict[str, Any]:
    """Return every figure of the monitor of `new` against `base`."""
    found: dict[str, Any] = {
        side: {
            "name": s.name,
            "people": len(s),
            "known": int(s.outcomes.sum()),
            "mean_score": float(s.scores.mean()),
            "beyond": s.beyond,
            "unlisted": s.unlisted,
        }
        for side, s in (("base", base), ("new", new))
    }
    progress("stability", 1, 3)
    found["stability"] = stability(base, new)
    alarms = drift(base, new)
    progress("outcomes", 2, 3)
    found["auc"] = {
        side: auc_interval(*_told(s)) if s.bad is not None and _both(s) else None
        for side, s in (("base", base), ("new", new))
    }
    found["calibration"] = None
    if new.bad is not None and _both(new):
        told, known = _told(new)[0], new.outcomes
        checked = calibration(told, new.probability[known])
        bands = rows(reliability(told, new.probability[known]))
        found["calibration"] = asdict(checked) | {"holds": checked.holds, "bands": bands}
        found["ks"] = ks_interval(*_told(new))
        alarms += calibration_alarms(checked)
    progress("months", 3, 3)
    found["months"] = None if new.month is None else rows(_months(base, new))
    found["alarms"] = [asdict(alarm) for alarm in alarms]
    return found


def _months(base: Sample, new: Sample) -> pd.DataFrame:
    """Everybody's scores by month, and outcomes of those who have one."""
    assert new.month is not None  # the caller has checked
    everybody = by_month(new.month, base.scores, new.scores)
    if new.bad is None or not new.outcomes.any():
        return everybody
    known = new.outcomes
    told = by_month(new.month[known], base.scores, new.scores[known], new.probability[known], new.bad[known])
    kept = ["month", "people", "bad_rate", "forecast", "ks", "auc", "low", "high"]
    return everybody.merge(told[kept].rename(columns={"people": "known"}), on="month", how="left")


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as plain rows, NaN as None, so that JSON can hold it."""
    return [
        {str(key): None if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def plain(value: Any) -> Any:
    """The same figures as JSON can hold them: NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
