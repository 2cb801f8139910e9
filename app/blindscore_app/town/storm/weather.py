"""Weather: a sequence of operations and faults, drawn from a seed, and then calm, in which all must come right.

What flies is a list of messages: each may be delivered in any order, dropped, doubled, or said again later. A party
that crashes loses what it was about to say, and comes up from its store. Every party has a clock of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock, day_of
from blindscore.parties.store import MemoryStore, Store, blob_of, close_store
from blindscore_app.town.auditor.audit import audit
from blindscore_app.town.auditor.books import Books
from blindscore_app.town.folders import RELAY
from blindscore_app.town.storm.acknowledged import Acknowledged
from blindscore_app.town.storm.faulty import NEVER, Crash, FaultyStore, copied
from blindscore_app.town.storm.relayed import BEHIND, Carrier, Told, returned, through
from blindscore_app.town.storm.village import (
    DELAY_S,
    EPOCHS,
    GATE,
    LENDER,
    LOG,
    PASSES,
    TODAY,
    WITNESSES,
    Village,
    holder_of,
    wallet_of,
)
from blindscore_crypto.sealed.offer import Decision, Verdict, digest
from blindscore_crypto.sealed.parties.gate import VISIT_BYTES

STEPS = (25, 60)  # operations of a sequence: at least, at most
MAX_FLYING, HISTORY = 200, 40
CALM_ROUNDS = 8
AUDITED = 5  # every so manieth sequence ends with an audit, which must find nothing
COPY = "wallet of ada's copy"
LONG = 50  # days: beyond every retention


class Weather:
    """One sequence.

    Parameters
    ----------
    seed
        Of the schedule: equal seeds draw equal operations.
    make
        A party's name -> the empty store that it keeps; None = in memory.

    Every third and fourth sequence of four goes through a relay.
    """

    def __init__(self, village: Village, seed: int, make: Callable[[str], Store] | None = None) -> None:
        self.village, self.random = village, random.Random(seed)
        templates = village.stocked if self.random.random() < 0.7 else village.fresh
        self.wallets = [wallet_of(who) for who in PASSES]
        names = [*village.institutions, *self.wallets]
        self.stores: dict[str, FaultyStore] = {}
        self.relay = Told() if seed // 2 % 2 else None  # each form of the village with it, and without
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
        self.flying: list[tuple[str, Message]] = []
        self.history: list[tuple[str, Message]] = []
        self.lines: dict[str, str] = {}  # label of an exchange -> wallet
        self.wants: set[tuple[str, int]] = set()  # who was told to apply, in which epoch
        self.closed: set[tuple[str, int]] = set()  # who swept after the last day of which epoch, by its own clock
        self.said = Acknowledged()
        self.kept_since = 0
        self.visits: list[bytes] = []
        self.trail: list[str] = []
        self.crashes = 0
        self.audited = seed % AUDITED == 0
        for name in self.stores:
            self._come_up(name)

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

    def _guarded(self, name: str, work: Callable[[], list[Message]]) -> list[Message]:
        """Let a party work; a crash ends it, and it comes up again from its store."""
        try:
            return work()
        except Crash:
            self.crashes += 1
            self._come_up(name)
        except BlindscoreError:
            pass
        return []

    # Messages

    def _send(self, origin: str, messages: list[Message]) -> None:
        for message in messages:
            said_by = message.sender if origin == RELAY else origin  # who is shown: a relay carries
            if message.to in self.lines and origin in BEHIND and self.relay is not None:
                self._fly(RELAY, returned(origin, message))
                continue
            if message.to in self.lines or message.to in PASSES:  # back to a wallet
                to = self.lines.get(message.to, "")
                self._fly(to or wallet_of(message.to), replace(message, sender=said_by))
                continue
            if origin in self.wallets:
                label = holder_of(origin) if message.to in self.village.layouts else f"line {len(self.lines)}"
                if message.to not in self.village.layouts:
                    self.lines[label] = origin
                elif origin == COPY:  # the bank knows one telephone of a person
                    continue
                if message.kind == "answer":
                    self.said.answers[digest(message.body)] = holder_of(origin), self.epoch.number
                if message.to in BEHIND and self.relay is not None:
                    self._fly(RELAY, through(label, message))
                    continue
            else:
                label = said_by
            self._fly(message.to, replace(message, sender=label))

    def _fly(self, to: str, message: Message) -> None:
        if len(self.flying) < MAX_FLYING:
            self.flying.append((to, message))
        self.history = [*self.history[-HISTORY:], (to, message)]

    def _deliver(self, to: str, message: Message) -> None:
        party = self.parties.get(to)
        if party is None:
            return
        replies = self._guarded(to, lambda: party.handle(message))
        if to not in self.wallets:
            self.said.heard(to, message, replies, day_of(self.clocks[to]))
        self.visits += [reply.body for reply in replies if reply.kind == "challenge"]
        self._send(to, replies)

    def _tell(self, wallet: str, command: str) -> None:
        if command == "apply":
            self.wants.add((holder_of(wallet), self.epoch.number))
        party = self.parties[wallet]
        if party is not None:
            self._send(wallet, self._guarded(wallet, lambda: party.handle(Message(wallet, command, b""))))

    # Operations

    def step(self) -> None:
        """Draw one operation and carry it out."""
        chances = self._chances()
        (name,) = self.random.choices(list(chances), [weight for weight, _ in chances.values()])
        self.trail.append(name)
        chances[name][1]()

    def _chances(self) -> dict[str, tuple[float, Callable[[], None]]]:
        flying = 1.0 if self.flying else 0.0
        return {
            "deliver": (60 * flying, self._deliver_one),
            "drop": (3 * flying, self._drop),
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
            "settle": (5, self._settle),
            "refresh": (2, self._refresh),
            "sweep": (1.5, self._sweep),
            "publish": (3, self._publish),
            "visit": (2, self._visit),
            "redeem": (3, self._redeem),
            "rotate": (0.4 if self.epoch is EPOCHS[0] else 0.0, self._rotate),
        }

    def _pick(self) -> tuple[str, Message]:
        # Mostly the oldest, so that exchanges end; sometimes any, so that they cross.
        at = 0 if self.random.random() < 0.7 else self.random.randrange(len(self.flying))
        return self.flying.pop(at)

    def _deliver_one(self) -> None:
        self._deliver(*self._pick())

    def _drop(self) -> None:
        self._pick()

    def _double(self) -> None:
        to, message = self._pick()
        self._deliver(to, message)
        self.flying.append((to, message))

    def _replay(self) -> None:
        if self.history:
            self._deliver(*self.random.choice(self.history))

    def _garble(self) -> None:
        to, message = self._pick()
        body = bytearray(message.body or b"\0")
        body[self.random.randrange(len(body))] ^= 1 << self.random.randrange(8)
        self._deliver(to, replace(message, body=bytes(body)))

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

    def _settle(self) -> None:
        lender = self.parties[LENDER]
        if lender is not None:
            self._guarded(LENDER, lambda: _silent(lender.settle()))

    def _refresh(self) -> None:
        keeper = self.parties[LOG]
        if keeper is not None:
            self._send(LOG, self._guarded(LOG, keeper.refresh))

    def _sweep(self) -> None:
        name = self.random.choice([LENDER, GATE, *self.village.layouts])
        party, day = self.parties[name], day_of(self.clocks[name])
        if party is None:
            return
        self._guarded(name, lambda: _silent(party.sweep()))
        self.closed |= {(name, epoch.number) for epoch in EPOCHS if day > epoch.last_day}
        if name == LENDER:
            self.kept_since = max(self.kept_since, day - 40)

    def _publish(self) -> None:
        entry = self.random.choice(self.village.newcomers)
        self._fly(LOG, Message(LOG, "publish", entry, "registrar"))

    def _visit(self) -> None:
        self._fly(GATE, Message(GATE, "visit", b"", "somebody"))

    def _redeem(self) -> None:
        if self.visits:
            visit, token = self.random.choice(self.visits[-4:]), self.random.choice(self.village.tokens)
            self._fly(GATE, Message(GATE, "redeem", visit[:VISIT_BYTES] + token, "somebody"))

    def _rotate(self) -> None:
        """Pass to the next epoch: every party comes up with its new keys, over its old store."""
        self.now = max(self.now, (EPOCHS[0].last_day + 1) * DAY_S + 60.0)
        for clock in self.clocks.values():
            clock.now = max(clock.now, self.now)
        self.epoch = EPOCHS[1]
        for name in self.parties:
            self._come_up(name)

    # Calm

    def calm(self) -> None:
        """End all faults, and let everybody finish what was begun."""
        self.now += 3 * 3600.0
        for name, store in self.stores.items():
            store.mend()
            self.clocks[name].now = self.now
            self._come_up(name)
        self._drain()
        self._refresh()
        self._drain()
        for _ in range(CALM_ROUNDS):
            left = [name for name in self.wallets if self._unfinished(name)]
            if not left:
                return
            for command in ("collect", "collect", "apply"):
                for name in left:
                    if self._unfinished(name):
                        self._tell(name, command)
                self._drain()
                self.now += DELAY_S + 1
                for clock in self.clocks.values():
                    clock.now = self.now
                self._settle()

    def _drain(self) -> None:
        for _ in range(2000):
            if not self.flying:
                return
            self._deliver(*self.flying.pop(0))

    def _unfinished(self, wallet: str) -> bool:
        if (holder_of(wallet), self.epoch.number) not in self.wants:
            return False
        papers = self.parties[wallet].application()
        return papers is None or not papers["decision"]

    # What must hold

    def breaches(self) -> Iterator[str]:
        """Yield what does not hold; after :meth:`calm`."""
        stores = {name: store.inner for name, store in self.stores.items()}
        yield from self.said.breaches(stores, self.parties[LENDER].waiting(), self.kept_since)
        if self.relay is not None:
            yield from self.relay.breaches(stores[RELAY], self.clocks[RELAY])
        for who in PASSES:
            if (who, self.epoch.number) in self.wants and day_of(self.clocks[LENDER]) <= self.epoch.last_day:
                yield from self._answered(who)
        for name in self.wallets:
            for epoch in EPOCHS[: self.epoch.number]:
                yield from self._agree(name, epoch)
        if self.audited:
            yield from (f"false alarm of the auditor: {finding}" for finding in audit(self.books()))

    def _answered(self, who: str) -> Iterator[str]:
        """One of a person's wallets must hold the right decision, unless somebody has closed the epoch."""
        number = self.epoch.number
        if any((name, number) in self.closed for name in (LENDER, *self.village.layouts)):
            return
        verdicts = [self.parties[name].verdict() for name in self.wallets if holder_of(name) == who]
        if PASSES[who] not in verdicts:
            troubles = [self.parties[name].troubles() for name in self.wallets if holder_of(name) == who]
            yield f"{who} asked in epoch {number} and holds {verdicts}, not {PASSES[who]}: {troubles}"
        if (not PASSES[who]) in verdicts:
            yield f"{who} holds {verdicts}; the clear card says {PASSES[who]}"

    def _agree(self, name: str, epoch: Any) -> Iterator[str]:
        wallet = self.village.wallet(name, epoch, self.stores[name].inner, self.clocks[name])
        papers = wallet.application()
        if papers is None or not papers["receipt"]:
            return
        answer = digest(blob_of(papers, "answer"))
        if not papers["decision"] and (LENDER, epoch.number) not in self.closed and not self.kept_since:
            self.parties[name] = wallet
            self._tell(name, "collect")
            self._drain()
            papers = wallet.application()
            if papers is None or not papers["decision"]:
                yield f"{name} holds a receipt of epoch {epoch.number}, and no decision can be had for it"
                return
        row = self.stores[LENDER].inner.get("decided", answer)
        if row is not None and papers["decision"] and row["signed"] != papers["decision"]:
            yield f"{name} and the lender hold different decisions"
        if papers["decision"]:
            said = Decision.decode(wallet.terms, answer, blob_of(papers, "decision")).verdict
            if said == Verdict.VOID or (said == Verdict.USED and COPY not in self.wallets):
                yield f"{name} was told {said.name} for an honest answer of epoch {epoch.number}"

    def books(self) -> Books:
        """Return what an auditor is given: everything. The copy of a telephone is not handed in."""
        stores: dict[str, Store] = {name: store.inner for name, store in self.stores.items()}
        wallets = {name: stores.pop(name) for name in self.wallets}
        wallets.pop(COPY, None)
        stores.pop(RELAY, None)
        return self.village.books(stores, wallets, max(clock.now for clock in self.clocks.values()))

    def close(self) -> None:
        """Close what is open."""
        for store in self.stores.values():
            close_store(store.inner)


def _silent(done: int) -> list[Message]:
    """Work that says nothing to anybody."""
    return []


def play(village: Village, seed: int, make: Callable[[str], Store] | None = None) -> tuple[list[str], Weather]:
    """Play one sequence; return what does not hold, and the sequence."""
    weather = Weather(village, seed, make)
    try:
        for _ in range(weather.random.randint(*STEPS)):
            weather.step()
        weather.calm()
        return list(weather.breaches()), weather
    finally:
        weather.close()
