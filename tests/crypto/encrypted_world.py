"""Random scorecards and people for the encrypted tests, and parties that play one application to its end."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import MemoryStore, Store
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.parties.auditor import Auditor, Opened
from blindscore_crypto.encrypted.parties.helper import Helper
from blindscore_crypto.encrypted.parties.lender import Lender
from blindscore_crypto.encrypted.parties.read_decision import ReadDecision
from blindscore_crypto.encrypted.parties.read_score import Outcome, ReadScore, conclude
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.sign_score import SignScore
from blindscore_crypto.encrypted.parties.source import Source
from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet
from blindscore_crypto.encrypted.wire import Opening

DAY = 20_000
NAME, BANK, WHO = "the lender", "the bank", "p-1"


def random_card(rng: np.random.Generator, characteristics: int = 24, bins: int = 6, largest: int = 60) -> Card:
    """Return a card with ``characteristics`` of up to ``bins`` bins and points within +-largest."""
    made = []
    for j in range(characteristics):
        n = int(rng.integers(2, bins + 1))
        points = tuple(int(p) for p in rng.integers(-largest, largest + 1, n))
        made.append(Characteristic(f"f{j}", points, tuple(float(e) for e in range(n - 2))))
    return Card(tuple(made), int(rng.integers(300, 700)))


def random_bins(rng: np.random.Generator, card: Card, people: int) -> NDArray[np.int64]:
    """Return bins of shape (people, d), each within its characteristic."""
    return np.stack([rng.integers(0, n, people) for n in card.n_bins], axis=1)


def record_of(card: Card, row: NDArray[np.int64]) -> dict[str, float | str | None]:
    """Return a record that falls into these bins."""
    record: dict[str, float | str | None] = {}
    for c, b in zip(card.characteristics, row.tolist(), strict=True):
        if b == c.n_bins - 1:
            record[c.feature] = None
        elif c.groups is not None:
            record[c.feature] = c.groups[b][0]
        else:
            record[c.feature] = float(c.edges[b - 1]) if b else (float(c.edges[0]) - 1 if c.edges else 0.0)
    return record


def source_of(card: Card, rows: NDArray[np.int64], clock: SetClock, limit: int = 10**6, store=None) -> Source:
    """Return a bank whose customers p-1, p-2 ... have these bins."""
    records = {f"p-{i + 1}": record_of(card, row) for i, row in enumerate(rows)}
    return Source(BANK, records, store or MemoryStore(), clock, SigningKey(), limit)


@dataclass
class World:
    """A bank, a lender that believes it, perhaps a helper or an auditor, and the means to play one application."""

    card: Card
    bank: Source
    lender: Lender
    terms: Terms
    clock: SetClock
    helper: Helper | None = None
    auditor: Auditor | None = None
    sent: list[tuple[str, Message]] = field(default_factory=list)  # (sender, message), in order

    @classmethod
    def of(
        cls,
        card: Card,
        parameters: Parameters | None = None,
        way: str = "score",
        threshold: int = 600,
        share: float = 1.0,
        store: Store | None = None,
        lender_class: type[Lender] = Lender,
        sign_class: type[SignScore] = SignScore,
        scorer_class: type[BlindScorer] = BlindScorer,
        rows: NDArray[np.int64] | None = None,
        **limits: int,
    ) -> World:
        clock = SetClock(DAY * float(DAY_S))
        some = random_bins(np.random.default_rng(0), card, 3) if rows is None else rows
        bank = source_of(card, some, clock)
        scorer = scorer_class(NAME, card, [bank.public], store or MemoryStore(), clock, parameters, **limits)
        p, key, salt = scorer.parameters, SigningKey(), os.urandom(32)
        terms = Terms(NAME, scorer.layout, p)
        if way == "score":
            return cls(card, bank, lender_class(scorer, ReadScore(threshold)), terms, clock)
        if way == "decision":
            box, signer = new_box(), SigningKey()
            helper = Helper("helper", p, [bank.public], {NAME: key.public}, MemoryStore(), clock, signer, box)
            lender = lender_class(scorer, ReadDecision(threshold, key, salt, "helper", helper.public))
            terms = Terms(NAME, scorer.layout, p, helper="helper", helper_box=helper.box)
            return cls(card, bank, lender, terms, clock, helper=helper)
        signs = sign_class(threshold, key, salt, os.urandom(32), "auditor")
        lender = lender_class(scorer, signs)
        commitment = signs.commitment(lender)
        opened = Opened(card, threshold, salt)
        auditor = Auditor("auditor", opened, commitment, NAME, key.public, [bank.public], p, share, MemoryStore())
        terms = Terms(NAME, scorer.layout, p, signs=key.public, commitment=commitment)
        return cls(card, bank, lender, terms, clock, auditor=auditor)

    def wallet(self, **settings: bytes) -> Wallet:
        """Return a fresh wallet."""
        return Wallet("wallet", self.terms, BANK, **settings)

    def holds(self, row: NDArray[np.int64], who: str = WHO) -> None:
        """Let a customer of the bank have these bins."""
        self.bank.store.put("records", who.encode(), record_of(self.card, row))

    def application(self, wallet: Wallet, row: NDArray[np.int64] | None = None) -> bytes:
        """Return what a wallet sends the lender."""
        if row is not None:
            self.holds(row)
        return wallet.apply(self.bank.attest(wallet.ask(), WHO))

    def answer(self, application: bytes) -> bytes:
        """Return what the lender answers; raise what a service would hide."""
        return self.lender.answer(application, "wallet")[0].body

    def conclude(self, opening: bytes) -> Outcome:
        """Return what a lender that reads scores has learnt."""
        return conclude(self.lender, Opening.read(opening, self.lender.scorer.parameters))[0]

    def score(self, row: NDArray[np.int64]) -> Outcome:
        """Play one application of a person with these bins."""
        wallet = self.wallet()
        return self.conclude(wallet.open(self.answer(self.application(wallet, row))))

    def play(self, wallet: Wallet | None = None, change=None, who: str = WHO, forgiving: bool = False) -> Wallet:
        """Play an application between all parties.

        ``change(sender, message)`` may put another message in a message's place; with ``forgiving`` the others go on
        when the wallet refuses what it is sent.
        """
        wallet = wallet or self.wallet()
        parties = [self.bank, self.lender, self.helper, self.auditor]
        seats = {p.name: p for p in parties if p is not None} | {"wallet": wallet}
        waiting = [(wallet, m) for m in wallet.handle(Message("wallet", "apply", b""))]
        while waiting:
            sender, message = waiting.pop(0)
            message = message if change is None else change(sender, message)
            if message is None:
                continue
            self.sent.append((sender.name, message))
            receiver = seats["wallet" if message.to == who else message.to]
            seen = who if receiver is self.bank else sender.name
            try:
                answers = receiver.handle(Message(message.to, message.kind, message.body, seen))
            except ForgeryError:
                if receiver is not wallet or not forgiving:
                    raise
                continue
            waiting += [(receiver, answer) for answer in answers]
        return wallet
