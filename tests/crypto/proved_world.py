"""Parties of ``encrypted-proved``, and the means to play one application with any message changed on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import MemoryStore, Store
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.proved.lender import ProvingLender
from blindscore_crypto.encrypted.proved.source import ChoosingSource
from blindscore_crypto.encrypted.proved.terms import Committed, ProvedTerms
from blindscore_crypto.encrypted.proved.wallet import ProvedWallet
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.terms import Epoch
from tests.crypto.encrypted_world import BANK, DAY, NAME, WHO, record_of

EPOCH = Epoch(1, DAY + 30)
Change = Callable[[Message], Message | None]


@dataclass
class ProvedWorld:
    """A bank, a lender that is committed to its card, and wallets."""

    bank: ChoosingSource
    lender: ProvingLender
    terms: ProvedTerms
    kept: Committed
    clock: SetClock
    signer: SigningKey
    sent: list[Message] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        card: Card,
        rows: NDArray[np.int64],
        lender_class: type[ProvingLender] = ProvingLender,
        group: Group = P256_GROUP,
        store: Store | None = None,
        limit: int = 10**6,
        threshold: int = 600,
    ) -> ProvedWorld:
        clock, signer = SetClock(DAY * float(DAY_S)), SigningKey()
        records = {f"p-{i + 1}": record_of(card, row) for i, row in enumerate(rows)}
        bank = ChoosingSource(BANK, records, MemoryStore(), clock, SigningKey(), group)
        terms, kept = ProvedTerms.of(NAME, signer.public, group, card, threshold, EPOCH)
        lender = lender_class(terms, kept, [bank.public], store or MemoryStore(), clock, signer, limit)
        return cls(bank, lender, terms, kept, clock, signer)

    def wallet(self, terms: ProvedTerms | None = None) -> ProvedWallet:
        """Return a fresh wallet."""
        return ProvedWallet("wallet", terms or self.terms, BANK, [self.bank.public])

    def play(self, wallet: ProvedWallet | None = None, change: Change = lambda m: m, who: str = WHO) -> ProvedWallet:
        """Play an application to its end; a wallet that refuses what it is sent says nothing more."""
        wallet = wallet or self.wallet()
        seats = {BANK: self.bank, NAME: self.lender}
        waiting = wallet.handle(Message("wallet", "apply", b""))
        while waiting:
            message = change(waiting.pop(0))
            if message is None:
                continue
            self.sent.append(message)
            try:
                if message.to in seats:
                    sender = who if message.to == BANK else "wallet"
                    told = Message(message.to, message.kind, message.body, sender)
                    waiting += seats[message.to].handle(told)
                else:
                    waiting += wallet.handle(message)
            except ForgeryError:
                continue
        return wallet

    @property
    def read(self) -> list[int]:
        """Totals that the lender has read."""
        return [int(row["total"] or 0) for _, row in self.lender.store.items("scores")]

    def of_kind(self, kind: str) -> bytes:
        """Return the last message of a kind."""
        return next(m.body for m in reversed(self.sent) if m.kind == kind)
