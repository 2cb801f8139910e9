"""Judge: what a campaign's observer could tell, with intervals, tests within pairs, and what the defence cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.surveillance.inference.traces import PairedResult, lines_features, paired_difference, waits
from blindscore.surveillance.inference.wire import Heard, listen, nearest_neighbour_limit
from blindscore_app.town.wire.campaign import Campaign, Exchange

BARELY = 1e-6  # seconds: waits that differ by less are one


@dataclass(frozen=True)
class Judged:
    """What was heard of one secret in one campaign.

    Parameters
    ----------
    limit
        Estimate of what the best attacker on these features would have.
    paired
        Of the wait that differs most, within pairs; p values are multiplied by the number of waits (Bonferroni).
    """

    design: str
    defence: str
    link: str
    at_once: int
    secret: str
    exchanges: int
    wrong: int
    heard: list[Heard]
    limit: float
    paired: PairedResult | None
    wait: str
    ms_an_exchange: float  # on the line, median
    service_ms_an_exchange: float  # processor time
    bytes_an_exchange: float

    @property
    def best(self) -> Heard:
        """The attacker with the largest advantage."""
        return max(self.heard, key=lambda one: one.advantage)

    @property
    def upper(self) -> float:
        """The largest upper end of any attacker."""
        return max(one.high for one in self.heard)

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values."""
        return {**asdict(self), "best": asdict(self.best), "upper": self.upper}


def judge(campaign: Campaign, *, shuffle: bool = False, seed: int = 0) -> Judged:
    """Return what an observer tells of the decision.

    Parameters
    ----------
    shuffle
        Swap the labels of half of the pairs by chance: whatever is then found is chance.

    Raises
    ------
    DataError
        No pair was played whole.
    """
    pairs = whole_pairs(campaign.exchanges)
    if not pairs:
        raise DataError("no pair of exchanges was seen whole; see how many went wrong")
    flip = np.random.default_rng([seed, 0x5AF]).random(len(pairs)) < 0.5 if shuffle else np.zeros(len(pairs), np.bool_)
    played = [one for pair in pairs for one in pair]
    truth = np.array([one.approved for one in played], np.bool_)
    secret = np.where(np.repeat(flip, 2), ~truth, truth).astype(np.int64)
    half = np.array([one.half for one in played], np.int64)
    rows = lines_features([one.traces for one in played])
    paired, wait = most_different(played, secret)
    span = [sum(float(trace[-1, 0]) for trace in one.traces) for one in played]
    size = [sum(float(np.abs(trace[:, 1]).sum()) for trace in one.traces) for one in played]
    return Judged(
        campaign.design,
        campaign.defence.name,
        campaign.link,
        campaign.at_once,
        "shuffled labels" if shuffle else "decision",
        len(played),
        campaign.wrong,
        listen(rows, secret, half, seed),
        nearest_neighbour_limit(rows, secret, half),
        paired,
        wait,
        1e3 * float(np.median(span)),
        1e3 * campaign.service_seconds / max(1, len(campaign.exchanges)),
        float(np.mean(size)),
    )


def whole_pairs(exchanges: list[Exchange]) -> list[tuple[Exchange, Exchange]]:
    """Return the pairs of which both exchanges were seen, in the order of play."""
    by_pair: dict[int, list[Exchange]] = {}
    for one in exchanges:
        by_pair.setdefault(one.pair, []).append(one)
    return [(both[0], both[1]) for both in by_pair.values() if len(both) == 2]


def most_different(played: list[Exchange], secret: NDArray[np.int64]) -> tuple[PairedResult | None, str]:
    """Return the test within pairs of the wait that differs most, corrected for how many waits there are."""
    found: list[tuple[PairedResult, str]] = []
    for line in range(len(played[0].traces)):
        table = np.stack([waits(one.traces[line]) for one in played])
        of = [table[secret == kind] for kind in (0, 1)]  # in the order of pairs, either kind
        for place in np.flatnonzero(np.abs(table).max(axis=0) > BARELY):
            found.append((paired_difference(of[1][:, place], of[0][:, place]), f"line {line + 1}, wait {place + 1}"))
    if not found:
        return None, ""
    best, where = min(found, key=lambda one: one[0].wilcoxon_p)
    times = len(found)
    corrected = PairedResult(best.median_difference, min(1.0, times * best.wilcoxon_p), min(1.0, times * best.sign_p))
    return corrected, where
