"""Village: the smallest town that has everything, its keys made once and its stores copied for every sequence.

Two sources, a lender, a log with three witnesses, a gate, two people: one who passes and one who does not. Terms of two
epochs are published, so that a sequence can pass from one to the next. What is slow is done here: keys, signatures
that a wallet holds already, tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from blindscore.errors import MissingExtraError
from blindscore.parties.party import DAY_S, Party, SetClock
from blindscore.parties.store import MemoryStore, Store
from blindscore.parties.table import Table
from blindscore.scorecard.card import Card, Characteristic
from blindscore_app.town.auditor.books import Books
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclSigner
from blindscore_crypto.sealed.blind.blind_rsa import BlindSigner
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.parties.gate import Gate
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness
from blindscore_crypto.sealed.parties.source import Source, epoch_signer
from blindscore_crypto.sealed.parties.succession import Succession
from blindscore_crypto.sealed.parties.wallet import Setting, Wallet
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer, request_token
from blindscore_crypto.sealed.terms import LOAN, Epoch, Terms, layouts_of

TODAY = 20_780
EPOCHS = (Epoch(1, TODAY + 3), Epoch(2, TODAY + 33))
CARD = Card(
    (
        Characteristic("income", (-40, 60, 0), edges=(1000.0,)),
        Characteristic("arrears", (45, -20, 0), edges=(1.0,)),
    ),
    base=600,
)
SOURCE_OF = {"income": "bank", "arrears": "bureau"}
THRESHOLD = 640
RECORDS: dict[str, dict[str, float]] = {
    "ada": {"income": 5000.0, "arrears": 0.0},
    "bob": {"income": 10.0, "arrears": 7.0},
}
PASSES = {"ada": True, "bob": False}
LENDER, LOG, GATE = "lender", "log", "gate"
WITNESSES = ("witness 0", "witness 1", "witness 2")
NEEDED = 2
DELAY_S = 20
TOKENS, NEWCOMERS = 3, 4


def fast_group() -> Group:
    """Return the fastest group that is installed."""
    try:
        return group_named("ristretto255")
    except MissingExtraError:
        return P256_GROUP


def wallet_of(who: str) -> str:
    """Return the name of a person's wallet."""
    return f"wallet of {who}"


def holder_of(wallet: str) -> str:
    """Return the legal id of the person whose wallet, or copy of a wallet, this is."""
    return wallet.removeprefix("wallet of ").removesuffix("'s copy")


@lru_cache(maxsize=1)
def _token_signer() -> BlindSigner:
    """Return the perk's signing key, made once: drawing two primes takes longer than many sequences."""
    return BlindSigner()


@dataclass
class Village:
    """Keys, published entries, templates of stores.

    Parameters
    ----------
    blind
        One-show rather than sealed.
    """

    blind: bool
    group: Group = field(default_factory=fast_group)

    def __post_init__(self) -> None:
        names = (LENDER, LOG, "registrar", *WITNESSES, *sorted(set(SOURCE_OF.values())))
        self.keys = {name: SigningKey() for name in names}
        self.layouts: dict[str, Layout] = layouts_of(CARD, SOURCE_OF)
        self.signers: dict[tuple[str, int], AclSigner | None] = {
            (name, epoch.number): epoch_signer(self.group, layout, epoch) if self.blind else None
            for name, layout in self.layouts.items()
            for epoch in EPOCHS
        }
        self.issuer = RsaIssuer(THRESHOLD, EPOCHS[0], _token_signer())
        self.challenge = Challenge("perks.example", "bicycles.example")
        pending = [request_token(self.challenge, self.issuer.key) for _ in range(TOKENS)]
        self.tokens = [one.finish(self.issuer.answer(one.request)) for one in pending]
        registrar = self.keys["registrar"]
        self.newcomers = [
            Entry.sign(Kind.MEMBER, registrar, Member(f"newcomer {i}", "source", SigningKey().public).encode()).encode()
            for i in range(NEWCOMERS)
        ]
        self.terms = {epoch.number: self._terms(epoch, lambda _: MemoryStore()) for epoch in EPOCHS}

    def _terms(self, epoch: Epoch, store_of: Callable[[str], Store]) -> Terms:
        clock = SetClock()
        sources = [self.source(name, epoch, store_of(name), clock) for name in self.layouts]
        signed = tuple(source.signatory for source in sources)
        key = self.keys[LENDER].public
        return Terms(LENDER, key, LOAN, epoch, CARD, THRESHOLD, signed, self.group)

    @property
    def trust(self) -> Trust:
        """Whom a wallet believes about the log."""
        return Trust(self.keys[LOG].public, tuple(self.keys[name].public for name in WITNESSES), NEEDED)

    @property
    def institutions(self) -> tuple[str, ...]:
        """Names of the parties that stay."""
        return (*self.layouts, LENDER, LOG, *WITNESSES, GATE)

    def books(self, stores: Mapping[str, Store], wallets: Mapping[str, Store], now: float) -> Books:
        """Return what an auditor is given of such a village."""
        roles = {LENDER: "lender", LOG: "log", GATE: "gate"}
        roles |= dict.fromkeys(WITNESSES, "witness") | dict.fromkeys(self.layouts, "source")
        return Books(list(self.terms.values()), self.keys["registrar"].public, roles, stores, now, wallets)

    @property
    def sources(self) -> tuple[str, ...]:
        """Who logs people in."""
        return tuple(self.layouts)

    @property
    def behind(self) -> tuple[str, ...]:
        """Whom wallets reach through a relay, where there is one."""
        return LENDER, LOG, GATE

    # Parties from their stores

    def source(self, name: str, epoch: Epoch, store: Store, clock: SetClock) -> Source:
        """Return a source in one epoch."""
        signer = self.signers[name, epoch.number]
        layout, key = self.layouts[name], self.keys[name]
        return Source(name, layout, key, epoch, store, group=self.group, clock=clock, blind=signer)

    def wallet(self, name: str, epoch: Epoch, store: Store, clock: SetClock) -> Wallet:
        """Return a person's wallet in one epoch; "wallet of ada's copy" is a second one of the same person."""
        return Wallet(name, holder_of(name), Setting(LENDER, epoch, self.trust, batch=2), store, clock=clock)

    def party(self, name: str, epoch: Epoch, store: Store, clock: SetClock) -> Party:
        """Return an institution in one epoch, come up from its store."""
        registrar = self.keys["registrar"].public
        if name == LENDER:
            return self._lender(epoch, store, clock)
        if name == LOG:
            return LogKeeper(self.keys[LOG], registrar, store, WITNESSES, clock)
        if name in WITNESSES:
            return Witness(name, self.keys[name], self.keys[LOG].public, registrar, store, clock)
        if name == GATE:
            return Gate(GATE, self.challenge, [self.issuer.key], store, clock=clock)
        return self.source(name, epoch, store, clock)

    def _lender(self, epoch: Epoch, store: Store, clock: SetClock) -> Party:
        made = [
            Lender(self.terms[number], self.keys[LENDER], store, clock=clock, delay_s=DELAY_S)
            for number in range(epoch.number, 0, -1)
        ]
        return Succession(*made)

    def entries(self) -> list[bytes]:
        """Return what the log holds in the beginning: members, epoch keys and terms of both epochs."""
        registrar = self.keys["registrar"]
        roles = {LENDER: "lender", **dict.fromkeys(self.layouts, "source")}
        members = [Member(name, role, self.keys[name].public) for name, role in roles.items()]
        entries = [Entry.sign(Kind.MEMBER, registrar, member.encode()) for member in members]
        for terms in self.terms.values():
            entries += [
                Entry(Kind.EPOCH_KEY, s.key, s.blind.signed, s.blind.signature)
                for s in terms.sources
                if s.blind is not None
            ]
            entries.append(Entry.sign(Kind.TERMS, self.keys[LENDER], terms.encode()))
        return [entry.encode() for entry in entries]

    # Templates

    @cached_property
    def fresh(self) -> dict[str, MemoryStore]:
        """Stores of a village in which nobody has fetched anything, by name of a party."""
        stores: dict[str, MemoryStore] = {name: MemoryStore() for name in self.institutions}
        seats = self._seats(stores, SetClock(TODAY * DAY_S + 3600.0))
        for source in seats:
            if isinstance(source, Source):
                for who, record in RECORDS.items():
                    source.enrol(who, {name: record[name] for name in self.layouts[source.name].features})
        keeper = next(seat for seat in seats if isinstance(seat, LogKeeper))
        for entry in self.entries():
            keeper.append(entry)
        return stores | {wallet_of(who): MemoryStore() for who in RECORDS}

    @cached_property
    def stocked(self) -> dict[str, MemoryStore]:
        """Stores of a village whose people hold two signatures of each source."""
        stores = {name: store.copy() for name, store in self.fresh.items()}
        clock = SetClock(TODAY * DAY_S + 3600.0)
        table = Table(self._seats(stores, clock), {("wallet", "source"): "legal id"}, clock)
        keeper: Any = next(seat for seat in table.institutions if isinstance(seat, LogKeeper))
        by_name = {seat.name: seat for seat in table.institutions}
        waiting = keeper.refresh()
        while waiting:
            message = waiting.pop(0)
            for reply in by_name[message.to].handle(replace(message, sender=LOG)):
                waiting += keeper.handle(replace(reply, sender=message.to))
        for who in RECORDS:
            name = wallet_of(who)
            table.seat(self.wallet(name, EPOCHS[0], stores[name], clock))
            table.play(0, name, "learn", legal_id=who)
        return stores

    def _seats(self, stores: dict[str, MemoryStore], clock: SetClock) -> list[Party]:
        return [self.party(name, EPOCHS[0], stores[name], clock) for name in self.institutions]
