"""Clocks of the town: source and lender compare times; wallets differ in how long they wait between the two.

One day is played by the real parties of ``one-show`` with a clock that is set: what the source's and the lender's lines
show is compared with the habit's own times, to the second. Since both clocks then see the habit and nothing else, more
days of the same habit need no proofs, and give the interval.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.plain import LEGAL_ID
from blindscore.errors import ParameterError
from blindscore.parties.party import DAY_S, SetClock, wall_clock
from blindscore.parties.store import MemoryStore
from blindscore.parties.table import Table
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.inference.clocks import ATTACKS, Times, days_interval, join_by_clock
from blindscore_crypto.designs.executed import fit
from blindscore_crypto.designs.sealed import some_people
from blindscore_crypto.sealed.parties.cast import cast

HISTORY, EPOCH_DAYS = 2000, 30
REHEARSED = 20  # days on which an attacker tries its attacks
BATCH = 4  # signatures that a wallet fetches at once, as in the town


@dataclass(frozen=True)
class Habit:
    """How wallets wait.

    Parameters
    ----------
    median_s
        Median time from fetching to applying, exponential; 0 where wallets fetch early: on some day of an epoch of
        thirty, and apply at any time of what is left of it.
    """

    name: str
    median_s: float

    def draw(self, people: int, rng: np.random.Generator) -> tuple[Times, Times]:
        """Return when each fetches and applies, seconds since the day began, in whole seconds."""
        fetched = rng.uniform(0, DAY_S, people)
        if self.median_s:
            wait = rng.exponential(self.median_s / np.log(2), people)
        else:
            wait = rng.uniform(0, 1, people) * ((EPOCH_DAYS - 1) * DAY_S - fetched)
        return np.floor(fetched), np.floor(fetched + wait)

    def log_density(self, wait: Times) -> Times:
        """Return how likely a wait is, nats: what the attacker goes by."""
        return -wait * np.log(2) / self.median_s if self.median_s else np.zeros_like(wait)


HABITS = (
    Habit("1 minute", 60.0),
    Habit("10 minutes", 600.0),
    Habit("60 minutes", 3600.0),
    Habit("early, in batches", 0.0),
)


@dataclass(frozen=True)
class Joined:
    """What source and lender join."""

    habit: str
    people: int
    days: int
    attack: str
    joined: float  # share of applications
    low: float  # 95%
    high: float
    played: float  # the same on the day that was played by parties; -1 where none was


def joined(habit: Habit, people: int, days: int, seed: int, played: float = -1.0) -> Joined:
    """Return the share of applications that are joined to the right customer."""
    attack, rng = best_attack(habit, people, seed), np.random.default_rng([seed, 0xC10C])
    hits = [_hit(attack, habit, *habit.draw(people, rng)) for _ in range(days)]
    return Joined(habit.name, people, days, attack, *days_interval(np.array(hits)), played)


def best_attack(habit: Habit, people: int, seed: int) -> str:
    """Return the attack that joins most on days that the attacker makes up for itself, none of those judged."""
    rng = np.random.default_rng([seed, 0xA77A])
    made_up = [habit.draw(people, rng) for _ in range(REHEARSED)]
    return max(ATTACKS, key=lambda attack: sum(_hit(attack, habit, *day) for day in made_up))


def _hit(attack: str, habit: Habit, fetched: Times, applied: Times) -> float:
    return float((join_by_clock(attack, fetched, applied, habit.log_density) == np.arange(len(fetched))).mean())


def play(habit: Habit, people: int, seed: int) -> tuple[float, NDArray[np.float64]]:
    """Play one day with real parties; return the share joined, and the times that the two saw, (people, 2).

    Raises
    ------
    ParameterError
        What a line showed is not what was scheduled.
    """
    society = make_society(people=HISTORY + people, seed=seed)
    fitted = fit(society, Scorecard(), 0.75)
    inhabitants = some_people(society, np.flatnonzero(~society.history)[:people])
    clock = SetClock(np.floor(wall_clock() / DAY_S) * DAY_S)
    start = clock()
    made = cast(
        fitted.card,
        fitted.threshold,
        inhabitants,
        lambda _: MemoryStore(),
        blind=True,
        batch=BATCH if not habit.median_s else 1,
        clock=clock,
    )
    table = Table(made.institutions, made.lines, clock)
    fetched, applied = habit.draw(people, np.random.default_rng([seed, 0xC10C]))
    legal_ids = inhabitants.register[LEGAL_ID].astype(str).to_list()
    wallets = [made.wallet(legal_id) for legal_id in legal_ids]
    for wallet in wallets:
        table.seat(wallet)
    for at, person, command in _in_order(fetched, applied):
        clock.now = start + at
        table.play(person, wallets[person].name, command, legal_id=legal_ids[person])
    seen = np.full((people, 2), np.nan)
    for passage in table.tape.passages:
        if passage.receiver == "source" and passage.kind == "request":
            seen[legal_ids.index(passage.sender_seen), 0] = passage.began - start
        if passage.receiver == "lender" and passage.kind == "ask":
            seen[passage.person, 1] = passage.began - start
    if not np.array_equal(seen, np.column_stack([fetched, applied])):
        raise ParameterError(
            "the source or the lender was spoken to at another time than planned; a wallet spoke twice"
        )
    return _hit(best_attack(habit, people, seed), habit, seen[:, 0], seen[:, 1]), seen


def _in_order(fetched: Times, applied: Times) -> Iterator[tuple[float, int, str]]:
    events = [(at, 0, person) for person, at in enumerate(fetched)] + [(at, 1, p) for p, at in enumerate(applied)]
    for at, command, person in sorted(events):
        yield float(at), person, ("learn", "apply")[command]


def print_curve(people: int, days: int, seed: int, *, parties: bool, as_json: bool) -> list[Joined]:
    """Print what is joined, habit by habit; with ``parties`` the first day of each is played by the real ones."""
    rows = [joined(habit, people, days, seed, play(habit, people, seed)[0] if parties else -1.0) for habit in HABITS]
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return rows
    print(f"source and lender compare times; {people} people a day, {days} days of each habit")
    for row in rows:
        lived = f"; {row.played:.3f} on the day that parties played" if parties else ""
        print(f"{row.habit:18} {row.joined:.3f} [{row.low:.3f}, {row.high:.3f}] ({row.attack}){lived}")
    return rows
