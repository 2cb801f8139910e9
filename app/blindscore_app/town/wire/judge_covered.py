"""Judge covered: what the observer of :mod:`.covered` tells of people and of their lines, and what cover costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from blindscore.errors import DataError
from blindscore.surveillance.inference.traces import WAITS, features, waits
from blindscore.surveillance.inference.wire import STRETCHES, listen, nearest_neighbour_limit
from blindscore_app.town.wire.covered import AGAIN, DUMMY, FETCH, IDLE, WAYS
from blindscore_app.town.wire.exchange import Campaign, Exchange
from blindscore_app.town.wire.judge import Judged

BINS = 10  # of an epoch, in which lines are counted
DAY_H = 24.0
NEAR_S = 3.0  # lines further apart are not told from lone ones: real time has no ends, as an epoch does
LEAST_PEOPLE = 6 * STRETCHES  # and epochs: of whom half apply; either half of these is heard by itself
REQUESTS = 4  # ask, commit, answer, fetch
RATES = (1.0, 4.0, 12.0)  # requests an hour, for which the cost of cover is said


@dataclass(frozen=True)
class _Asked:
    secret: str
    rows: NDArray[np.float64]
    label: NDArray[np.int64]
    who: NDArray[np.int64]


def judge_covered(campaign: Campaign, seed: int = 0) -> list[Judged]:
    """Return what is told of each secret: who applied, who said again, which line is which.

    Raises
    ------
    DataError
        The campaign is none of people under an observer of all lines, or has too few of them.
    """
    if not campaign.exchanges or not campaign.exchanges[0].house:
        raise DataError("this is no campaign of people, some of whom apply; play one: bench_wire.py cover")
    if len({(one.pair, one.person) for one in campaign.exchanges}) < LEAST_PEOPLE:
        raise DataError(f"fewer than {LEAST_PEOPLE} people were heard for an epoch; play more")
    return [_judged(campaign, asked, seed) for asked in (*_of_people(campaign), *_of_lines(campaign))]


def _judged(campaign: Campaign, asked: _Asked, seed: int) -> Judged:
    half, heard_lines = asked.who % 2, [one.traces[0] for one in campaign.exchanges if len(one.traces[0])]
    heard = listen(asked.rows, asked.label, half, seed, asked.who)
    return Judged(
        campaign.design,
        campaign.defence.name,
        campaign.link,
        campaign.lines or str(campaign.at_once),
        asked.secret,
        len(asked.label),
        campaign.wrong,
        campaign.load,
        0.0,
        heard,
        nearest_neighbour_limit(asked.rows, asked.label, half),
        None,
        "",
        1e3 * float(np.median([trace[-1, 0] - trace[0, 0] for trace in heard_lines])),
        0.0,
        float(np.mean([np.abs(trace[:, 1]).sum() for trace in heard_lines])),
    )


def _of_people(campaign: Campaign) -> tuple[_Asked, ...]:
    """Ask of each person and epoch whether there was an application, and of those whether it was said again."""
    people: dict[tuple[int, int], list[Exchange]] = {}
    for one in campaign.exchanges:
        people.setdefault((one.pair, one.person), []).append(one)
    until = max((float(one.traces[0][0, 0]) for one in campaign.exchanges if len(one.traces[0])), default=1.0)
    rows = np.stack([_person([one.traces[0] for one in lines], until) for lines in people.values()])
    role, who = [lines[0].house for lines in people.values()], np.array([person for _, person in people])
    applied = np.array([one != IDLE for one in role])
    again = np.array([one == AGAIN for one in role], np.int64)
    return (
        _Asked("has applied at all", rows, applied.astype(np.int64), who),
        _Asked("said again", rows[applied], again[applied], who[applied]),
    )


def _person(lines: Sequence[NDArray[np.float64]], until: float) -> NDArray[np.float64]:
    """Return what one person's lines of one epoch show: how many, when, how far apart, how long, how large."""
    heard = [trace for trace in lines if len(trace)]
    began = np.array([trace[0, 0] for trace in heard])
    times = np.histogram(began, BINS, (0.0, until))[0]
    if not heard:
        return np.zeros(1 + BINS + 2 + 5 + 3 * 3 + 2 * WAITS)
    gaps = np.diff(began) if len(began) > 1 else np.zeros(1)
    took = np.array([_alone(trace)[-1, 0] for trace in heard])
    up, down = (np.array([np.abs(t[way * t[:, 1] > 0, 1]).sum() for t in heard]) for way in (1, -1))
    waited = np.stack([waits(_alone(trace)) for trace in heard])
    spread = [gaps.mean(), gaps.std(), gaps.min(), float(np.median(gaps)), gaps.max()]
    lengths = [figure for one in (took, up, down) for figure in (one.mean(), one.std(), one.max())]
    ends = [began[0], began[-1]]
    return np.array([len(heard), *times, *ends, *spread, *lengths, *waited.mean(axis=0), *waited.max(axis=0)])


def _of_lines(campaign: Campaign) -> tuple[_Asked, ...]:
    """Ask of each line of those who apply whether it is real, if some are dummies, and of real ones what they carry."""
    apart = _apart(campaign.exchanges)
    of = [place for place, one in enumerate(campaign.exchanges) if one.house != IDLE and len(one.traces[0])]
    kind = [campaign.exchanges[place].reason for place in of]
    rows = np.hstack([features([_alone(campaign.exchanges[place].traces[0]) for place in of]), apart[of]])
    who = np.array([campaign.exchanges[place].person for place in of])
    real = np.array([one != DUMMY for one in kind])
    fetched = np.array([one == FETCH for one in kind], np.int64)
    asked = (_Asked("application or fetch", rows[real], fetched[real], who[real]),)
    return asked if real.all() else (*asked, _Asked("real or dummy", rows, real.astype(np.int64), who))


def _alone(trace: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a line's packets since its own first; whole nanoseconds, since rounding errors would tell the hour."""
    return np.column_stack([np.round(trace[:, 0] - trace[0, 0], 9), trace[:, 1]])


def _apart(lines: Sequence[Exchange]) -> NDArray[np.float64]:
    """Return how long before and after each line the same person's others began, (n, 2), up to :data:`NEAR_S`."""
    found, last = np.full((len(lines), 2), NEAR_S), dict[tuple[int, int], int]()
    for place, one in enumerate(lines):
        before = last.get((one.pair, one.person))
        if before is not None:
            gap = one.traces[0][0, 0] - lines[before].traces[0][0, 0]
            found[place, 0] = found[before, 1] = min(NEAR_S, gap)
        last[one.pair, one.person] = place
    return found


def cost_of(per_hour: float, bytes_a_line: float) -> tuple[float, float, float, float]:
    """Return what cover at a rate costs a person: requests and kB a day, hours to a decision, mean and 95%.

    Each request waits for the next point, so the wait for all of them is of the Erlang distribution; how long a
    decision takes once it is asked for is not in it.
    """
    a_day = DAY_H * per_hour
    return a_day, a_day * bytes_a_line / 1e3, REQUESTS / per_hour, float(gamma.ppf(0.95, REQUESTS)) / per_hour


def cost_line(campaign: Campaign, delays: Sequence[float]) -> str:
    """Return what was played, and what cover at several rates costs at the size that lines had."""
    lines = [one.traces[0] for one in campaign.exchanges if len(one.traces[0])]
    size = float(np.mean([np.abs(trace[:, 1]).sum() for trace in lines]))
    took = f"{len(delays)} decided within the epoch, after {np.mean(delays):.1f} s" if delays else "nobody decided"
    said = (
        f"{len(lines):,} requests of {size / 1e3:.1f} kB, {took}; {campaign.wrong} went wrong, load {campaign.load:.1f}"
    )
    rates = []
    for per_hour in RATES if campaign.defence.name != WAYS[0] else ():
        requests, kilobytes, mean, late = cost_of(per_hour, size)
        rates.append(f"{per_hour:g} an hour: {requests:.0f}, {kilobytes:,.0f} kB a day, {mean:.2f} h ({late:.2f} h)")
    return "\n  ".join([said, *rates])
