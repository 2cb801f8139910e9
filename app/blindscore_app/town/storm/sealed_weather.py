"""SealedWeather: the storm over ``sealed`` and ``one-show``: spends, receipts, heads of the log, tokens, two epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S
from blindscore.parties.store import Store, blob_of
from blindscore_app.town.auditor.audit import audit
from blindscore_app.town.auditor.books import Books
from blindscore_app.town.folders import RELAY
from blindscore_app.town.storm.acknowledged import Acknowledged
from blindscore_app.town.storm.under_way import COPY
from blindscore_app.town.storm.village import DELAY_S, EPOCHS, GATE, LENDER, LOG, PASSES, Village, holder_of
from blindscore_app.town.storm.weather import Chance, Weather
from blindscore_crypto.sealed.offer import Decision, Verdict, digest
from blindscore_crypto.sealed.parties.gate import VISIT_BYTES

CALM_ROUNDS = 8


class SealedWeather(Weather):
    """See :class:`.Weather`."""

    village: Village

    def __init__(self, village: Village, seed: int, make: Callable[[str], Store] | None = None) -> None:
        self.closed: set[tuple[str, int]] = set()  # who swept after the last day of which epoch, by its own clock
        self.said = Acknowledged()
        self.kept_since = 0
        self.visits: list[bytes] = []
        super().__init__(village, seed, make)

    @property
    def decisions(self) -> int:
        """See :class:`.Weather`."""
        return len(self.said.decisions)

    def heard(self, name: str, asked: Message, replies: list[Message]) -> None:
        """See :class:`.Weather`."""
        self.said.heard(name, asked, replies, self.today(name))
        self.visits += [reply.body for reply in replies if reply.kind == "challenge"]

    def applied(self, wallet: str, message: Message) -> None:
        """See :class:`.Weather`."""
        if message.kind == "answer":
            self.said.answers[digest(message.body)] = holder_of(wallet), self.epoch.number

    def chores(self) -> Mapping[str, Chance]:
        """See :class:`.Weather`."""
        return {
            "settle": (5, lambda: self._settle(LENDER)),
            "refresh": (2, self._refresh),
            "sweep": (1.5, self._sweep),
            "publish": (3, self._publish),
            "visit": (2, self._visit),
            "redeem": (3, self._redeem),
            "rotate": (0.4 if self.epoch is EPOCHS[0] else 0.0, self._rotate),
        }

    def _sweep(self) -> None:
        name = self.random.choice([LENDER, GATE, *self.village.sources])
        day = self.today(name)
        if not self._swept(name):
            return
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

    def finish(self) -> None:
        """See :class:`.Weather`."""
        for _ in range(CALM_ROUNDS):
            left = [name for name in self.wallets if self._unfinished(name)]
            if not left:
                return
            for command in ("collect", "collect", "apply"):
                for name in left:
                    if self._unfinished(name):
                        self._tell(name, command)
                self._drain()
                self._wait(DELAY_S + 1)
                self._settle(LENDER)

    def _unfinished(self, wallet: str) -> bool:
        if (holder_of(wallet), self.epoch.number) not in self.wants:
            return False
        papers = self.parties[wallet].application()
        return papers is None or not papers["decision"]

    # What must hold

    def breaches(self) -> Iterator[str]:
        """See :class:`.Weather`."""
        stores = {name: store.inner for name, store in self.stores.items()}
        yield from self.said.breaches(stores, self.parties[LENDER].waiting(), self.kept_since)
        if self.relay is not None:
            yield from self.relay.breaches(stores[RELAY], self.clocks[RELAY])
        for who in PASSES:
            if (who, self.epoch.number) in self.wants and self.today(LENDER) <= self.epoch.last_day:
                yield from self._answered(who)
        for name in self.wallets:
            for epoch in EPOCHS[: self.epoch.number]:
                yield from self._agree(name, epoch)
        if self.audited:
            yield from (f"false alarm of the auditor: {finding}" for finding in audit(self.books()))

    def _answered(self, who: str) -> Iterator[str]:
        """One of a person's wallets must hold the right decision, unless somebody has closed the epoch."""
        number = self.epoch.number
        if any((name, number) in self.closed for name in (LENDER, *self.village.sources)):
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
