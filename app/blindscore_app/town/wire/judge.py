"""Judge: what a campaign's observer could tell, with intervals, tests within pairs, and what the defence cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.surveillance.inference.traces import PairedResult, lines_features, paired_difference, waits
from blindscore.surveillance.inference.wire import Heard, listen, nearest_neighbour_limit
from blindscore_app.town.wire.exchange import Campaign, Exchange
from blindscore_app.town.wire.street import AGAIN, FIRST, ONE_SOURCE, OTHER_DESIGN, SECOND

ASKED, GROUPS = 8, 16  # people among whom one is to be told, and how many times as many are asked about
LEAST_HEARD = 4  # times that one of them must have been heard
BARELY = 1e-6  # seconds: waits that differ by less are one


@dataclass(frozen=True)
class Judged:
    """What was heard of one secret in one campaign.

    Parameters
    ----------
    limit
        Estimate of what the best attacker on these features would have.
    load, service_busy
        Processes that ran or wanted to, on average; share of the campaign's time in which the service worked.
    paired
        Of the wait that differs most, within pairs; p values are multiplied by the number of waits (Bonferroni).
    """

    design: str
    defence: str
    link: str
    at_once: str
    secret: str
    exchanges: int
    wrong: int
    load: float
    service_busy: float
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


@dataclass(frozen=True)
class Question:
    """Exchanges, what is asked of each, and from which half of them attackers learn."""

    secret: str
    played: list[Exchange]
    label: NDArray[np.int64]
    half: NDArray[np.int64]
    who: NDArray[np.int64] | None = None  # people, where they are not the question
    group: NDArray[np.int64] | None = None  # within which one is told from others


def decision(campaign: Campaign) -> Question:
    """Ask for the decision; attackers learn on one half of the people and are judged on the other.

    Raises
    ------
    DataError
        No pair was seen whole.
    """
    played = [one for pair in whole_pairs(campaign.exchanges) for one in pair]
    if not played:
        raise DataError("no pair of exchanges was seen whole; see how many went wrong")
    return _asked("decision", played, _codes([one.approved for one in played]))


def person(campaign: Campaign) -> Question:
    """Ask which of eight people it was who had been heard before; attackers learn on every other exchange of each.

    As many groups of eight are asked about as were heard four times or oftener, up to :data:`GROUPS`.

    Raises
    ------
    DataError
        People were not heard often enough.
    """
    times = Counter(one.person for one in campaign.exchanges)
    often = [who for who, heard in times.most_common(ASKED * GROUPS) if heard >= LEAST_HEARD]
    if len(often) < ASKED:
        raise DataError(f"fewer than {ASKED} people were heard {LEAST_HEARD} times; play more")
    place = {who: i for i, who in enumerate(often[: len(often) // ASKED * ASKED])}
    heard: Counter[int] = Counter()
    played, half = [], []
    for one in campaign.exchanges:
        if one.person in place:
            played.append(one)
            half.append(heard[one.person] % 2)
            heard[one.person] += 1
    group, label = np.divmod(_codes([place[one.person] for one in played]), ASKED)
    return Question("which person of eight", played, label, _codes(half), group=group)


def reason(campaign: Campaign) -> Question:
    """Ask which of the two most frequent reasons a refused person has, which it is told by its own wallet alone.

    Raises
    ------
    DataError
        Reasons were not noted.
    """
    refused = [one for one in campaign.exchanges if not one.approved and one.reason]
    common = [name for name, _ in Counter(one.reason for one in refused).most_common(2)]
    if len(common) < 2:
        raise DataError("fewer than two reasons of refused people were noted")
    played = [one for one in refused if one.reason in common]
    return _asked("refusal reason", played, _codes([common.index(one.reason) for one in played]))


def application(campaign: Campaign) -> Question:
    """Ask of each first and last line of an exchange which it is: whether somebody applies, or looks at a decision.

    Raises
    ------
    DataError
        An exchange of this design has one line.
    """
    if any(len(one.traces) == 1 for one in campaign.exchanges):
        raise DataError("an exchange has one line; there is nothing to tell it from")
    played = [replace(one, traces=(trace,)) for one in campaign.exchanges for trace in (one.traces[0], one.traces[-1])]
    return _asked("application or fetching", played, _codes([i % 2 for i in range(len(played))]))


def between(secret: str, one: str, other: str) -> Callable[[Campaign], Question]:
    """Return the question which of two kinds of exchange on a street it was; see :mod:`.street`."""

    def ask(campaign: Campaign) -> Question:
        played = [exchange for exchange in campaign.exchanges if exchange.house in (one, other)]
        if not played:
            raise DataError("these exchanges were not played on a street of several lenders")
        return _asked(secret, played, _codes([exchange.house == other for exchange in played]))

    return ask


STREET = {
    "lender": between("which lender", FIRST, SECOND),
    "design": between("which design", FIRST, OTHER_DESIGN),
    "sources": between("one source or two", FIRST, ONE_SOURCE),
    "retry": between("said again", FIRST, AGAIN),
}
QUESTIONS: dict[str, Callable[[Campaign], Question]] = {
    "decision": decision,
    "person": person,
    "reason": reason,
    "application": application,
    **STREET,
}


def _asked(secret: str, played: list[Exchange], label: NDArray[np.int64]) -> Question:
    """Return a question whose attackers learn on one half of the people and are judged on the other."""
    return Question(secret, played, label, _codes([one.half for one in played]), _codes([one.person for one in played]))


def _codes(values: list[Any]) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def judge(campaign: Campaign, ask: str = "decision", *, shuffle: bool = False, seed: int = 0) -> Judged:
    """Return what an observer tells of a secret.

    Parameters
    ----------
    ask
        One of :data:`QUESTIONS`.
    shuffle
        Swap the decisions of half of the pairs by chance: whatever is then found is chance.

    Raises
    ------
    DataError
        The campaign cannot answer.
    """
    asked = QUESTIONS[ask](campaign)
    played, secret = asked.played, asked.label
    if shuffle:
        flip = np.random.default_rng([seed, 0x5AF]).random(len(played) // 2) < 0.5
        secret = np.where(np.repeat(flip, 2), 1 - secret, secret)
    rows = lines_features([one.traces for one in played])
    paired, wait = most_different(played, secret) if ask == "decision" else (None, "")
    span = [sum(float(trace[-1, 0]) for trace in one.traces) for one in played]
    size = [sum(float(np.abs(trace[:, 1]).sum()) for trace in one.traces) for one in played]
    return Judged(
        campaign.design,
        campaign.defence.name,
        campaign.link,
        campaign.lines or str(campaign.at_once),
        "shuffled labels" if shuffle else asked.secret,
        len(played),
        campaign.wrong,
        campaign.load,
        campaign.service_seconds / max(campaign.seconds, 1e-9),
        listen(rows, secret, asked.half, seed, asked.who, asked.group),
        _limit(rows, secret, asked),
        paired,
        wait,
        1e3 * float(np.median(span)),
        1e3 * campaign.service_seconds / max(1, len(campaign.exchanges)),
        float(np.mean(size)),
    )


def _limit(rows: NDArray[np.float64], secret: NDArray[np.int64], asked: Question) -> float:
    """Return the estimate of the least error as an advantage, averaged over groups."""
    within = np.zeros(len(secret), np.int64) if asked.group is None else asked.group
    parts = [within == one for one in np.unique(within)]
    return float(np.mean([nearest_neighbour_limit(rows[part], secret[part], asked.half[part]) for part in parts]))


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
