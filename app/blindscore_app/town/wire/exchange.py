"""Exchange: what was played, as the experimenter knows it and as the line showed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore_app.town.wire.client import Spoken
from blindscore_app.town.wire.defence import Defence
from blindscore_app.town.wire.observer import Seen, flow
from blindscore_app.town.wire.prepared import Applicant

LEAST = 4  # packets of a line that was seen whole
LATE_NS = 2 * 10**8  # after a line's end, in which its last packets arrive
Line = Spoken | None  # None: it broke


@dataclass(frozen=True)
class Exchange:
    """One exchange as the experimenter knows it, and as the line showed it."""

    pair: int
    half: int  # of the people: who learns on one half is judged on the other
    person: int
    approved: bool
    reason: str
    traces: tuple[NDArray[np.float64], ...]  # one a line: (k, 2) seconds, signed bytes
    house: str = ""  # which of several lenders; see :mod:`.street`


@dataclass
class Campaign:
    """What was played."""

    design: str
    defence: Defence
    link: str
    at_once: int
    exchanges: list[Exchange] = field(default_factory=list)
    seconds: float = 0.0  # that exchanges took, without the waiting for deadlines
    service_seconds: float = 0.0  # processor time of all services
    processor_seconds: float = 0.0  # of all: services, wallets, link, observer, and their start; of a slice just played
    wrong: int = 0  # ends that were not the clear scorecard's, lines that broke, or packets that were not seen
    lines: str = ""  # how many at once, where slices differ
    load: float = 0.0  # of the machine: processes that ran or wanted to, mean over the exchanges

    def take(self, seen: Seen, played: Iterable[Played]) -> None:
        """Add what was heard of each exchange; one that did not end as the clear scorecard does counts as wrong."""
        for each in played:
            exchange = each.heard(seen)
            if exchange is None:
                self.wrong += 1
            else:
                self.exchanges.append(exchange)


@dataclass(frozen=True)
class Played:
    """One exchange as it was played.

    Parameters
    ----------
    person
        Number; by default the applicant's own.
    """

    pair: int
    half: int
    one: Applicant
    lines: Sequence[Line]
    house: str = ""
    person: int | None = None

    def heard(self, seen: Seen) -> Exchange | None:
        """Return it as the line showed it; None where a line broke, packets lack, or the end is another."""
        lines = [line for line in self.lines if line is not None]
        traces = tuple(trace_of(seen, line) for line in lines)
        whole = len(lines) == len(self.lines) and all(len(trace) >= LEAST for trace in traces)
        if not whole or decided(self.one, lines[-1].last) is not self.one.approved:
            return None
        person = self.one.number if self.person is None else self.person
        return Exchange(self.pair, self.half, person, self.one.approved, self.one.reason, traces, self.house)


def trace_of(seen: Seen, line: Spoken) -> NDArray[np.float64]:
    """Return a line's packets: seconds since its first, signed bytes; shape (k, 2)."""
    return flow(seen, line.port, line.began, line.ended + LATE_NS)


def decided(one: Applicant, replies: Sequence[Message]) -> bool | None:
    """Return what the last reply says, or None where it is no decision."""
    if len(replies) != 1 or replies[0].kind not in ("decision", "result"):
        return None
    try:
        return one.read(replies[0])
    except BlindscoreError:
        return None
