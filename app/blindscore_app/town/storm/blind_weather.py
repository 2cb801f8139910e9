"""BlindWeather: the storm over the encrypted designs: letterboxes, what institutions say by themselves, tickets.

What an institution owes another is an errand: it is sent, what follows from it is carried back and forth, and only when
nothing of that was lost is it told that it was taken. TLS lets nothing be spoilt on its way: what is garbled here is
lost, and comes from a stranger instead, who says to lender or helper what a wallet said, but for a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S
from blindscore.parties.store import Store
from blindscore_app.town.auditor.of_blind import audit_blind
from blindscore_app.town.folders import RELAY
from blindscore_app.town.letterbox import KEEP_DAYS
from blindscore_app.town.storm.blind_acknowledged import BlindAcknowledged
from blindscore_app.town.storm.blind_village import BlindVillage
from blindscore_app.town.storm.relayed import PASS
from blindscore_app.town.storm.under_way import COPY, Errand, Flight
from blindscore_app.town.storm.village import DELAY_S, LENDER, LOG, PASSES, TODAY, holder_of
from blindscore_app.town.storm.weather import Chance, Weather

CALM_ROUNDS = 16


class BlindWeather(Weather):
    """See :class:`.Weather`."""

    village: BlindVillage

    def __init__(self, village: BlindVillage, seed: int, make: Callable[[str], Store] | None = None) -> None:
        self.said = BlindAcknowledged(village.boxed)
        self.owed: dict[tuple[str, bytes], str] = {}  # seen to be owed, and not taken yet: whom
        self.errands: dict[tuple[str, bytes], Errand] = {}
        self.forgetful: set[str] = set()  # who may have dropped rows of this day, by its own clock
        super().__init__(village, seed, make)

    @property
    def decisions(self) -> int:
        """See :class:`.Weather`."""
        return len(self.said.letters)

    def heard(self, name: str, asked: Message, replies: list[Message]) -> None:
        """See :class:`.Weather`."""
        self.said.heard(name, asked, replies, self.clocks[name].now, self.stores[name].inner)

    def chores(self) -> Mapping[str, Chance]:
        """See :class:`.Weather`."""
        boxed = self.village.boxed
        told = {
            "settle": (8.0, lambda: self._settle(self.random.choice(boxed))),
            "post": (8.0, lambda: self._post(self.random.choice(boxed))),
            "sweep": (1.0, self._sweep),
        }
        return told | ({"refresh": (2.0, self._refresh)} if LOG in self.parties else {})

    def _settle(self, name: str) -> None:
        try:
            self.said.looked(name, self.stores[name].inner)
        except BlindscoreError:  # the database is away: nothing is settled either
            return
        super()._settle(name)

    def _garble(self) -> None:
        flight = self._pick()
        self._lost(flight)
        if flight.message.sender in self.lines and (flight.to != RELAY or flight.message.kind.startswith(PASS)):
            stranger = replace(flight.message, sender="a stranger")  # to whom the answer goes, if there is one
            self._spoil(Flight(flight.to, stranger))

    def _sweep(self) -> None:
        name = self.random.choice(self.village.boxed)
        if self._swept(name) and self.today(name) != TODAY:
            self.forgetful.add(name)

    # Errands

    def _post(self, name: str) -> None:
        """Let a party send what it owes others, as its service does by the clock."""
        party = self.parties[name]
        if party is None:
            return
        waits: list[tuple[bytes, Message]] = []

        def look() -> list[Message]:
            waits.extend(party.outgoing())
            return []

        self._guarded(name, look)
        for what, message in waits:
            self.owed[name, what] = message.to
            before = self.errands.get((name, what))
            if before is None or before.party is not self.parties[name] or not before.under_way:
                errand = self.errands[name, what] = Errand(name, self.parties[name], what)
                self._send(name, [message], errand)

    def came_through(self, errand: Errand) -> None:
        """See :class:`.UnderWay`."""
        party = self.parties.get(errand.owner)
        if errand.under_way or errand.broken or party is None or party is not errand.party:
            return
        self.owed.pop((errand.owner, errand.what), None)
        self._guarded(errand.owner, lambda: party.taken(errand.what) or [])

    # Calm

    def finish(self) -> None:
        """See :class:`.Weather`; who waits in vain begins anew, once what it waited for would have been dropped."""
        for number in range(CALM_ROUNDS):
            for command in ("collect", "apply"):
                for name in self.wallets:
                    if self._unfinished(name):
                        self._tell(name, command)
                self._drain()
            for name in self.village.boxed * 2:
                self._settle(name)
                self._post(name)
                self._drain()
            self._wait(DELAY_S + 1)
            if not any(map(self._unfinished, self.wallets)):
                break
            if number == CALM_ROUNDS // 2:
                self._wait((KEEP_DAYS + 1) * DAY_S)
                if LOG in self.parties:
                    self._refresh()
                    self._drain()

    def _unfinished(self, wallet: str) -> bool:
        return (holder_of(wallet), self.epoch.number) in self.wants and self.parties[wallet].verdict() is None

    # What must hold

    def breaches(self) -> Iterator[str]:
        """See :class:`.Weather`."""
        every: dict[str, Store] = {name: store.inner for name, store in self.stores.items()}
        stores = {name: every[name] for name in self.village.institutions}
        yield from self.said.breaches(self.village.design, stores, self.forgetful)
        if self.relay is not None:
            yield from self.relay.breaches(every[RELAY], self.clocks[RELAY])
        for (name, what), to in self.owed.items():
            if name not in self.forgetful:
                yield f"{name} owed {to} a message, which was never taken: {what.hex()[-16:]}"
        for who in PASSES:
            yield from self._answered(who)
        for name in self.wallets:
            yield from self._agree(name, stores[LENDER])
        if self.audited:
            wallets = {name: self.parties[name] for name in self.wallets if name != COPY}
            found = audit_blind(self.village.books(stores, wallets))
            yield from (f"false alarm of the auditor: {finding}" for finding in found)

    def _answered(self, who: str) -> Iterator[str]:
        """Yield what is wrong where one of a person's wallets ought to hold the right decision."""
        mine = [name for name in self.wallets if holder_of(name) == who]
        verdicts = [self.parties[name].verdict() for name in mine]
        if (not PASSES[who]) in verdicts:
            yield f"{who} holds {verdicts}; the clear card says {PASSES[who]}"
        if (who, self.epoch.number) in self.wants and PASSES[who] not in verdicts:
            yield f"{who} applied and holds {verdicts}: {[self.parties[name].troubles() for name in mine]}"

    def _agree(self, name: str, lender: Store) -> Iterator[str]:
        ticket, answer = self.parties[name].answer()
        if answer is None or LENDER in self.forgetful:
            return
        row = lender.get("letters", ticket)
        if row is None or (row["kind"], row["body"]) != answer:
            yield f"{name} and the lender hold different answers"
