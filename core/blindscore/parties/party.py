"""Party: takes messages, keeps things in a store, and answers. What it learns is what it is sent and keeps.

A party is deterministic but for the randomness of its keys: it has no clock of its own but the one handed in, no state
outside its store that must outlive a restart, and no way to another party but the messages that it returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from blindscore.parties.message import Message
from blindscore.parties.store import Store

Clock = Callable[[], float]  # seconds since 1970-01-01 UTC
DAY_S = 86_400


@runtime_checkable
class Party(Protocol):
    """One party of a protocol. ``role`` says what it is, ``name`` which one."""

    @property
    def role(self) -> str:
        """What it plays: "wallet", "source", "lender", "helper", "auditor", "log" ..."""
        ...

    @property
    def name(self) -> str:
        """Its address: unique at a table; of a wallet, known to nobody else."""
        ...

    @property
    def store(self) -> Store:
        """All that outlives one message."""
        ...

    def handle(self, message: Message) -> list[Message]:
        """Take one message and return what is sent in consequence, in order.

        Raises
        ------
        BlindscoreError
            The message is refused and there is nobody who should be told; a service answers with a refusal instead.
        """
        ...


def day_of(clock: Clock) -> int:
    """Return the day's number by this clock, counted from 1970-01-01 UTC."""
    return int(clock() // DAY_S)


def wall_clock() -> float:
    """Return the machine's time, seconds since 1970-01-01 UTC."""
    return time.time()


class SetClock:
    """A clock that stands until it is set: for tables and tests."""

    def __init__(self, now: float = 20_000.0 * DAY_S) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time that was set, seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self.now += seconds
