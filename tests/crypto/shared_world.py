"""A bank, a lender, a helper and wallets of the design ``shared``, and the means to play one application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import MemoryStore
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.designs.shared import enrol
from blindscore_crypto.shared.line import Line
from blindscore_crypto.shared.parties.helper import SharingHelper
from blindscore_crypto.shared.parties.lender import SharingLender
from blindscore_crypto.shared.parties.source import SharingSource
from blindscore_crypto.shared.parties.wallet import SharingWallet, Terms
from tests.crypto.encrypted_world import BANK, DAY, NAME, WHO, record_of

HELPER = "helper"
Change = Callable[[object, Message], Message | None]


@dataclass
class Shares:
    """The parties, with the card enrolled."""

    card: Card
    bank: SharingSource
    lender: SharingLender
    helper: SharingHelper
    terms: Terms
    clock: SetClock
    to_bank: Line
    to_lender: Line
    sent: list[tuple[str, Message]] = field(default_factory=list)  # (sender, message), in order

    @classmethod
    def of(cls, card: Card, row, threshold: int = 600) -> Shares:
        clock, to_bank, to_lender = SetClock(DAY * float(DAY_S)), Line.fresh(), Line.fresh()
        records, many = {WHO: record_of(card, row)}, 10**6
        bank = SharingSource(BANK, records, MemoryStore(), clock, SigningKey(), {HELPER: to_bank}, many)
        lender = SharingLender(NAME, card, threshold, [bank.public], HELPER, to_lender, MemoryStore(), clock, many)
        lines = {bank.public.id: (BANK, to_bank)}
        helper = SharingHelper(HELPER, lines, {NAME: to_lender}, MemoryStore(), clock)
        enrol(lender, helper, bank)
        terms = Terms(NAME, lender.layout, HELPER)
        return cls(card, bank, lender, helper, terms, clock, to_bank, to_lender)

    def wallet(self) -> SharingWallet:
        return SharingWallet("wallet", self.terms, BANK)

    def holds(self, row) -> None:
        """Let the customer have these bins."""
        self.bank.store.put("records", WHO.encode(), record_of(self.card, row))

    def play(self, wallet: SharingWallet | None = None, change: Change | None = None) -> SharingWallet:
        """Play an application; ``change(sender, message)`` may put another message, or none, in a message's place."""
        wallet = wallet or self.wallet()
        seats = {p.name: p for p in (self.bank, self.lender, self.helper, wallet)}
        waiting = [(wallet, m) for m in wallet.handle(Message("wallet", "apply", b""))]
        while waiting:
            sender, message = waiting.pop(0)
            message = message if change is None else change(sender, message)
            if message is None:
                continue
            self.sent.append((sender.name, message))
            receiver = seats["wallet" if message.to == WHO else message.to]
            seen = WHO if receiver is self.bank and sender is wallet else sender.name
            try:
                answers = receiver.handle(replace(message, sender=seen))
            except ForgeryError:
                if receiver is not wallet:
                    raise
                continue
            waiting += [(receiver, answer) for answer in answers]
        return wallet

    def decided(self) -> list[int]:
        """What the lender has written down of decisions."""
        return [row["approved"] for _, row in self.lender.store.items("decisions")]
