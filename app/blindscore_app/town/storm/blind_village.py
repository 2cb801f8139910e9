"""BlindVillage: the smallest town of an encrypted design: a bank, a lender behind its letterbox, and who else it takes.

Keys, card and what is slow, ciphertexts that a wallet holds already, are made once; stores are copied for every
sequence. Two people: one who passes and one who does not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, Party, SetClock
from blindscore.parties.store import MemoryStore, Store
from blindscore_app.town.auditor.books import BlindBooks
from blindscore_app.town.folders import BANK
from blindscore_app.town.letterbox import Letterbox
from blindscore_app.town.parts.blind import parameters_of
from blindscore_app.town.parts.encrypted_decision import HELPER
from blindscore_app.town.patient_wallet import Looking, PatientWallet
from blindscore_app.town.storm.village import (
    CARD,
    DELAY_S,
    EPOCHS,
    LENDER,
    LOG,
    NEEDED,
    PASSES,
    RECORDS,
    THRESHOLD,
    TODAY,
    WITNESSES,
    fast_group,
    holder_of,
    wallet_of,
)
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.encrypted.parties.auditor import Auditor, Opened
from blindscore_crypto.encrypted.parties.helper import Helper
from blindscore_crypto.encrypted.parties.lender import Lender, Way
from blindscore_crypto.encrypted.parties.read_decision import ReadDecision
from blindscore_crypto.encrypted.parties.read_score import ReadScore
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.sign_score import SignScore
from blindscore_crypto.encrypted.parties.source import Source
from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet
from blindscore_crypto.encrypted.proved.lender import ProvingLender
from blindscore_crypto.encrypted.proved.published import Setting, looking
from blindscore_crypto.encrypted.proved.source import ChoosingSource
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.wallet import ProvedWallet
from blindscore_crypto.encrypted.results import commit
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness, keep
from blindscore_crypto.sealed.terms import Epoch

AUDITOR = "auditor"
EXTRA = {
    "encrypted": (),
    "encrypted-decision": (HELPER,),
    "encrypted-audited": (AUDITOR,),
    "encrypted-proved": (LOG, *WITNESSES),
}
ROLES = {BANK: "source", LENDER: "lender", HELPER: "helper", AUDITOR: "auditor", LOG: "log"} | dict.fromkeys(
    WITNESSES, "witness"
)


@dataclass
class BlindVillage:
    """Keys, card, templates of stores.

    Parameters
    ----------
    design
        One of :data:`EXTRA`.
    """

    design: str
    group: Group = field(default_factory=fast_group)

    def __post_init__(self) -> None:
        self.institutions: tuple[str, ...] = (BANK, LENDER, *EXTRA[self.design])
        self.keys = {name: SigningKey() for name in (*self.institutions, HELPER, "registrar")}
        self.layout, self.parameters = Layout.of(CARD), parameters_of(CARD)
        self.salt, self.master, self.choice = (os.urandom(32) for _ in range(3))
        self.box = new_box()
        self.commitment = commit(CARD, THRESHOLD, self.salt)
        self.proved, self.committed = ProvedTerms.of(
            LENDER, self.keys[LENDER].public, self.group, CARD, THRESHOLD, EPOCHS[1]
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Who logs people in."""
        return (BANK,)

    @property
    def behind(self) -> tuple[str, ...]:
        """Whom wallets reach through a relay, where there is one."""
        return tuple(name for name in self.institutions if ROLES[name] in ("lender", "helper", "log"))

    @property
    def boxed(self) -> tuple[str, ...]:
        """Who stands behind a letterbox."""
        return tuple(name for name in self.institutions if ROLES[name] in ("lender", "helper", "auditor"))

    # Parties from their stores

    def party(self, name: str, epoch: Epoch, store: Store, clock: SetClock) -> Party:
        """Return an institution, come up from its store."""
        key, registrar = self.keys[name], self.keys["registrar"].public
        if name == LOG:
            return LogKeeper(key, registrar, store, WITNESSES, clock)
        if name in WITNESSES:
            return Witness(name, key, self.keys[LOG].public, registrar, store, clock)
        if name == BANK:
            if self.design == "encrypted-proved":
                return ChoosingSource(BANK, {}, store, clock, key, self.group, features=self.layout.features)
            return Source(BANK, {}, store, clock, key, features=self.layout.features)
        made = {LENDER: self._lender, HELPER: self._helper, AUDITOR: self._auditor}[name](store, clock)
        return self.letterbox(made, clock)

    def letterbox(self, party: Party, clock: SetClock) -> Letterbox:
        """Return a party behind its letterbox."""
        return Letterbox(party, self.institutions.__contains__, clock, delay_s=DELAY_S)

    @property
    def _bank(self) -> VerifyingKey:
        return self.keys[BANK].public

    def _lender(self, store: Store, clock: SetClock) -> Party:
        key = self.keys[LENDER]
        if self.design == "encrypted-proved":
            return ProvingLender(self.proved, self.committed, [self._bank], store, clock, key)
        ways: dict[str, Callable[[], Way]] = {
            "encrypted": lambda: ReadScore(THRESHOLD),
            "encrypted-decision": lambda: ReadDecision(THRESHOLD, key, self.salt, HELPER, self.keys[HELPER].public),
            "encrypted-audited": lambda: SignScore(THRESHOLD, key, self.salt, self.master, AUDITOR),
        }
        return Lender(BlindScorer(LENDER, CARD, [self._bank], store, clock), ways[self.design]())

    def _helper(self, store: Store, clock: SetClock) -> Party:
        lenders = {LENDER: self.keys[LENDER].public}
        return Helper(HELPER, self.parameters, [self._bank], lenders, store, clock, self.keys[HELPER], self.box)

    def _auditor(self, store: Store, clock: SetClock) -> Party:
        opened, lender = Opened(CARD, THRESHOLD, self.salt), self.keys[LENDER].public
        every, p = 1.0, self.parameters
        return Auditor(AUDITOR, opened, self.commitment, LENDER, lender, [self._bank], p, every, store, self.choice)

    def wallet(self, name: str, epoch: Epoch, store: Store, clock: SetClock) -> PatientWallet:
        """Return a person's wallet; "wallet of ada's copy" is a second one of the same person."""
        if self.design != "encrypted-proved":
            told = json.dumps({"design": self.design}).encode()
            return PatientWallet(name, store, lambda _, draw: self._inner(name, draw), LENDER, clock=clock, terms=told)
        trust = Trust(self.keys[LOG].public, tuple(self.keys[w].public for w in WITNESSES), NEEDED)

        def look() -> Looking:
            found = yield from looking(Setting(LENDER, BANK, EPOCHS[1], trust), store, clock)
            return found.source.raw + found.terms.encode()

        def make(terms: bytes, draw: Draw) -> ProvedWallet:
            return ProvedWallet(name, ProvedTerms.decode(terms[32:]), BANK, [VerifyingKey(terms[:32])], draw=draw)

        return PatientWallet(name, store, make, LENDER, clock=clock, looking=look)

    def _inner(self, name: str, draw: Draw) -> Wallet:
        terms = Terms(LENDER, self.layout, self.parameters)
        if self.design == "encrypted-audited":
            terms = replace(terms, signs=self.keys[LENDER].public, commitment=self.commitment)
        if self.design == "encrypted-decision":
            terms = replace(terms, helper=HELPER, helper_box=self.box[1])
        return Wallet(name, terms, BANK, draw=draw)

    def books(self, stores: Mapping[str, Store], wallets: Mapping[str, Any]) -> BlindBooks:
        """Return what an auditor is given of such a village."""
        proved, signs = self.design == "encrypted-proved", self.design == "encrypted-audited"
        return BlindBooks(
            self.layout,
            None if proved else self.parameters,
            {name: ROLES[name] for name in self.institutions},
            {name: key.public for name, key in self.keys.items()},
            {name: store for name, store in stores.items() if ROLES[name] not in ("log", "witness")},
            {name: (LENDER, wallet) for name, wallet in wallets.items()},
            {AUDITOR: LENDER} if signs else {},
            {LENDER: self.commitment} if signs else {},
        )

    # Templates

    @cached_property
    def fresh(self) -> dict[str, MemoryStore]:
        """Stores of a village in which nobody has asked for anything, by name of a party."""
        stores: dict[str, MemoryStore] = {name: MemoryStore() for name in self.institutions}
        clock = SetClock(TODAY * DAY_S + 3600.0)
        seats: dict[str, Any] = {name: self.party(name, EPOCHS[0], stores[name], clock) for name in self.institutions}
        for who, record in RECORDS.items():
            stores[BANK].put("records", who.encode(), dict(record))
        if LOG in seats:
            registrar, lender = self.keys["registrar"], self.keys[LENDER]
            members = [Member(name, ROLES[name], self.keys[name].public) for name in (BANK, LENDER)]
            entries = [Entry.sign(Kind.MEMBER, registrar, member.encode()) for member in members]
            entries.append(Entry.sign(Kind.PROVED_TERMS, lender, self.proved.encode()))
            keep(seats[LOG], [seats[name] for name in WITNESSES], entries)
        return stores | {wallet_of(who): MemoryStore() for who in PASSES}

    @cached_property
    def stocked(self) -> dict[str, MemoryStore]:
        """Stores of a village whose people hold an attestation of their bins, and an application that waits."""
        stores = {name: store.copy() for name, store in self.fresh.items()}
        clock = SetClock(TODAY * DAY_S + 3600.0)
        seats: dict[str, Any] = {name: self.party(name, EPOCHS[0], stores[name], clock) for name in self.institutions}
        if LOG in seats:
            keep(seats[LOG], [seats[name] for name in WITNESSES], [])  # a head of this hour
        for name in map(wallet_of, PASSES):
            wallet = self.wallet(name, EPOCHS[0], stores[name], clock)
            waiting = wallet.handle(Message(name, "learn", b""))
            while waiting:
                asked = waiting.pop(0)
                label = holder_of(name) if asked.to in self.sources else "line"
                for reply in seats[asked.to].handle(replace(asked, sender=label)):
                    waiting += wallet.handle(replace(reply, to=name, sender=asked.to))
        return stores
