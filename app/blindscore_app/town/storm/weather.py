"""Weather: a sequence of operations and faults, drawn from a seed, and then calm, in which all must come right.

What flies is delivered in any order, dropped, doubled, or said again later; parties crash, are killed and come up;
disks fill; every party has a clock of its own. What a family of designs has of its own, its chores and what must hold,
stands in :mod:`.sealed_weather` and :mod:`.blind_weather`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from blindscore.parties.message import Message
from blindscore.parties.store import Store, close_store
from blindscore_app.town.storm.under_way import Flight, UnderWay
from blindscore_app.town.storm.village import DELAY_S, LOG, WITNESSES

STEPS = (25, 60)  # operations of a sequence: at least, at most
AUDITED = 5  # every so manieth sequence ends with an audit, which must find nothing
LONG = 50  # days: beyond every retention

Chance = tuple[float, Callable[[], None]]  # weight, what is done


class Weather(UnderWay):
    """One sequence; parameters as :class:`.UnderWay`."""

    steps = STEPS

    def __init__(self, village: Any, seed: int, make: Callable[[str], Store] | None = None) -> None:
        super().__init__(village, seed, make)
        self.trail: list[str] = []
        self.audited = seed % AUDITED == 0

    # What a family of designs says

    @abstractmethod
    def chores(self) -> Mapping[str, Chance]:
        """Return what happens besides messages and faults."""

    @abstractmethod
    def finish(self) -> None:
        """Let everybody finish what was begun, once all faults have ended."""

    @abstractmethod
    def breaches(self) -> Iterator[str]:
        """Yield what does not hold; after :meth:`calm`."""

    @property
    @abstractmethod
    def decisions(self) -> int:
        """How many answers were told."""

    # Operations

    def step(self) -> None:
        """Draw one operation and carry it out."""
        chances = {**self._chances(), **self.chores()}
        (name,) = self.random.choices(list(chances), [weight for weight, _ in chances.values()])
        self.trail.append(name)
        chances[name][1]()

    def _chances(self) -> dict[str, Chance]:
        flying = 1.0 if self.flying else 0.0
        return {
            "deliver": (60 * flying, lambda: self._deliver(self._pick())),
            "drop": (3 * flying, lambda: self._lost(self._pick())),
            "double": (3 * flying, self._double),
            "replay": (3, self._replay),
            "garble": (1.5 * flying, self._garble),
            "tell": (9, self._tell_somebody),
            "crash at a step": (12, self._crash_soon),
            "kill": (2, self._kill),
            "start": (4, self._start),
            "fill a disk": (3, self._fill),
            "make room": (3, self._make_room),
            "database restarts": (2, self._restart_database),
            "clock": (4, self._clock),
        }

    def _pick(self) -> Flight:
        # Mostly the oldest, so that exchanges end; sometimes any, so that they cross.
        at = 0 if self.random.random() < 0.7 else self.random.randrange(len(self.flying))
        return self.flying.pop(at)

    def _double(self) -> None:
        flight = self._pick()
        self._deliver(flight)
        self.flying.append(flight._replace(errand=None))

    def _replay(self) -> None:
        if self.history:
            self._deliver(self.random.choice(self.history))

    def _garble(self) -> None:
        self._spoil(self._pick())

    def _spoil(self, flight: Flight) -> None:
        to, message, errand = flight
        body = bytearray(message.body or b"\0")
        body[self.random.randrange(len(body))] ^= 1 << self.random.randrange(8)
        self._deliver(Flight(to, replace(message, body=bytes(body)), errand))

    def _tell_somebody(self) -> None:
        command = self.random.choices(["apply", "collect", "learn"], [6, 3, 1])[0]
        self._tell(self.random.choice(self.wallets), command)

    def _somebody(self) -> str:
        return self.random.choice(list(self.stores))

    def _crash_soon(self) -> None:
        self.stores[self._somebody()].crash_in = self.random.randrange(12)

    def _kill(self) -> None:
        self.parties[self._somebody()] = None

    def _start(self) -> None:
        for name, party in self.parties.items():
            if party is None:
                self._come_up(name)

    def _fill(self) -> None:
        self.stores[self._somebody()].fill()

    def _make_room(self) -> None:
        for store in self.stores.values():
            store.full = False
            store.mend()

    def _restart_database(self) -> None:
        close_store(self.stores[self._somebody()].inner)

    def _clock(self) -> None:
        if self.random.random() < 0.5:
            self.now += self.random.choice([1, DELAY_S, 600, 3600, 86_400])
            for name in self.clocks:
                self.clocks[name].now = max(self.clocks[name].now, self.now)
            return
        name = self._somebody()
        steps = [-3600, -60, 60, 3600]
        if name not in (LOG, *WITNESSES):  # whose heads must not come from the future: it closes the log until then
            steps += [-86_400, 86_400, LONG * 86_400]
        self.clocks[name].advance(self.random.choice(steps))

    def _settle(self, name: str) -> None:
        party = self.parties[name]
        if party is not None:
            self._guarded(name, lambda: silent(party.settle()))

    def _refresh(self) -> None:
        keeper = self.parties[LOG]
        if keeper is not None:
            self._send(LOG, self._guarded(LOG, keeper.refresh) or [])

    def _swept(self, name: str) -> bool:
        """Let a party drop what has outlived its retention; return whether it did, or may have."""
        party = self.parties[name]
        if party is None:
            return False
        self._guarded(name, lambda: silent(party.sweep()))
        return True

    # Calm

    def calm(self) -> None:
        """End all faults, and let everybody finish what was begun."""
        self.now += 3 * 3600.0
        for name, store in self.stores.items():
            store.mend()
            self.clocks[name].now = self.now
            self._come_up(name)
            if self.parties[name] is None:  # a connection that a server's end has cut; the next one holds
                self._come_up(name)
        self._drain()
        if LOG in self.parties:
            self._refresh()
            self._drain()
        self.finish()

    def _wait(self, seconds: float) -> None:
        self.now += seconds
        for clock in self.clocks.values():
            clock.now = self.now

    def _drain(self) -> None:
        for _ in range(2000):
            if not self.flying:
                return
            self._deliver(self.flying.pop(0))


def silent(done: int) -> list[Message]:
    """Work that says nothing to anybody."""
    return []
