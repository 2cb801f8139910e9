"""UnderWay: a village's parties on stores that fail, and the messages under way between them, each at any time.

A party that crashes loses what it was about to say, and comes up from its store. What a wallet says goes to its bank
under its person's name, and to everybody else on a line of its own, through the relay where there is one.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock, day_of
from blindscore.parties.store import MemoryStore, Store, close_store
from blindscore_app.town.folders import RELAY
from blindscore_app.town.storm.faulty import NEVER, Crash, FaultyStore, copied
from blindscore_app.town.storm.relayed import Carrier, Told, returned, through
from blindscore_app.town.storm.village import EPOCHS, PASSES, TODAY, holder_of, wallet_of

MAX_FLYING, HISTORY = 200, 40
COPY = "wallet of ada's copy"


class Errand:
    """What a party has to say by itself, and all that follows from it: done once nothing of it is lost or under way."""

    def __init__(self, owner: str, party: Any, what: bytes) -> None:
        self.owner, self.party, self.what = owner, party, what
        self.under_way, self.broken = 0, False


class Flight(NamedTuple):
    """A message under way."""

    to: str
    message: Message
    errand: Errand | None = None


class UnderWay(ABC):
    """Parties, and messages under way between them.

    Parameters
    ----------
    seed
        Of the schedule: equal seeds draw equal operations.
    make
        A party's name -> the empty store that it keeps; None = in memory.

    Every third and fourth sequence of four goes through a relay.
    """

    def __init__(self, village: Any, seed: int, make: Callable[[str], Store] | None = None) -> None:
        self.village, self.random = village, random.Random(seed)
        templates = village.stocked if self.random.random() < 0.7 else village.fresh
        self.wallets = [wallet_of(who) for who in PASSES]
        names = [*village.institutions, *self.wallets]
        self.stores: dict[str, FaultyStore] = {}
        self.relay = Told(village.behind) if seed // 2 % 2 else None  # each form of the village with it, and without
        for name in names:
            self.stores[name] = copied(templates[name], make and make(name))
        if templates is village.stocked and self.random.random() < 0.3:  # a telephone and its copy
            self.stores[COPY] = copied(templates[wallet_of("ada")], make and make("copy"))
            self.wallets.append(COPY)
        if self.relay is not None:
            self.stores[RELAY] = copied(MemoryStore(), make and make(RELAY))
        self.now = TODAY * DAY_S + 3600.0
        self.clocks = {name: SetClock(self.now) for name in self.stores}
        self.epoch = EPOCHS[0]
        self.parties: dict[str, Any] = {}
        self.flying: list[Flight] = []
        self.history: list[Flight] = []
        self.lines: dict[str, str] = {}  # label of an exchange -> wallet
        self.wants: set[tuple[str, int]] = set()  # who was told to apply, in which epoch
        self.crashes = 0
        for name in self.stores:
            self._come_up(name)

    @abstractmethod
    def heard(self, name: str, asked: Message, replies: list[Message]) -> None:
        """Note what an institution says, before anybody receives it."""

    # Parties come and go

    def _come_up(self, name: str) -> None:
        self.stores[name].crash_in = NEVER
        make: Callable[..., Any] = self.village.wallet if name in self.wallets else self.village.party
        try:
            if name == RELAY and self.relay is not None:
                self.parties[name] = Carrier(self.relay, self.stores[name], self.clocks[name])
                return
            self.parties[name] = make(name, self.epoch, self.stores[name], self.clocks[name])
        except BlindscoreError:  # no room even to come up
            self.parties[name] = None

    def _guarded(self, name: str, work: Callable[[], list[Message]]) -> list[Message] | None:
        """Let a party work; a crash ends it, and it comes up again from its store. None: it said nothing at all."""
        try:
            return work()
        except Crash:
            self.crashes += 1
            self._come_up(name)
        except BlindscoreError:
            pass
        return None

    # Messages

    def _send(self, origin: str, messages: list[Message], errand: Errand | None = None) -> None:
        for message in messages:
            said_by = message.sender if origin == RELAY else origin  # who is shown: a relay carries
            if message.to in self.lines and origin in self.village.behind and self.relay is not None:
                self._fly(RELAY, returned(origin, message))
                continue
            if message.to in self.lines or message.to in PASSES:  # back to a wallet
                to = self.lines.get(message.to, "")
                self._fly(to or wallet_of(message.to), replace(message, sender=said_by))
                continue
            if origin in self.wallets:
                label = holder_of(origin) if message.to in self.village.sources else f"line {len(self.lines)}"
                if message.to not in self.village.sources:
                    self.lines[label] = origin
                elif origin == COPY:  # the bank knows one telephone of a person
                    continue
                self.applied(origin, message)
                if message.to in self.village.behind and self.relay is not None:
                    self._fly(RELAY, through(label, message))
                    continue
            else:
                label = said_by
            self._fly(message.to, replace(message, sender=label), errand)

    def applied(self, wallet: str, message: Message) -> None:
        """Note what a wallet sends, if need be."""
        return None

    def _fly(self, to: str, message: Message, errand: Errand | None = None) -> None:
        if len(self.flying) < MAX_FLYING:
            self.flying.append(Flight(to, message, errand))
            if errand is not None:
                errand.under_way += 1
        elif errand is not None:
            errand.broken = True
        self.history = [*self.history[-HISTORY:], Flight(to, message)]

    def _deliver(self, flight: Flight) -> None:
        to, message, errand = flight
        party = self.parties.get(to)
        replies = None if party is None else self._guarded(to, lambda: party.handle(message))
        if replies is None:
            self._lost(flight)
            return
        if to not in self.wallets:
            self.heard(to, message, replies)
        self._send(to, replies, errand)
        if errand is not None:
            errand.under_way -= 1
            self.came_through(errand)

    def _lost(self, flight: Flight) -> None:
        if flight.errand is not None:
            flight.errand.broken = True
            flight.errand.under_way -= 1
            self.came_through(flight.errand)

    def came_through(self, errand: Errand) -> None:
        """Take note that a message of an errand has come to its end, delivered or lost."""
        return None

    def _tell(self, wallet: str, command: str) -> None:
        if command == "apply":
            self.wants.add((holder_of(wallet), self.epoch.number))
        party = self.parties[wallet]
        if party is not None:
            self._send(wallet, self._guarded(wallet, lambda: party.handle(Message(wallet, command, b""))) or [])

    def today(self, name: str) -> int:
        """Return the day by a party's own clock."""
        return day_of(self.clocks[name])

    def close(self) -> None:
        """Close what is open."""
        for store in self.stores.values():
            close_store(store.inner)
