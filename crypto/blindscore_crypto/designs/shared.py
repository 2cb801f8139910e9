"""``shared``: two servers and no lattice; the lender learns the decision alone, by the card that it enrolled.

Who sees what: the lender one bit an application under a pairwise pseudonym, and uniform values; the helper uniform
values, and who applied to which lender when; the source its own ledger and that somebody applied. What the source
dealt lies with its receivers too, so source, lender and helper join their records (handle ``attestation``).
Assumptions: an honest source as dealer; lender, helper and source pool nothing; ChaCha20-Poly1305, ChaCha, SHA-256,
Ed25519, and X25519 for the lender's half. Not protected: lender and helper together read the bins, source and helper
together the points; a lender may enrol a bad card, or stay silent towards one person (see
:mod:`blindscore_crypto.shared`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND, Rule, Run
from blindscore.errors import ForgeryError
from blindscore.parties.cast import Cast, Ending, StoreOf
from blindscore.parties.message import Message
from blindscore.parties.party import Party, SetClock
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import BANK, LENDER, MALICIOUS
from blindscore_crypto.designs.encrypted_decision import HELPER, helped_views
from blindscore_crypto.designs.executed import Records, execute_sample, recorded
from blindscore_crypto.designs.sample import check_sample

BITS_READ = 1.0  # by a lender that cheats: the card's bit or nothing, and what is refused hangs on no person


@dataclass(frozen=True)
class Shared:
    """Scoring on secret shares, of which the lender reads one bit."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "shared"
    order = 75
    summary = (
        "Two servers hold halves that say nothing alone; the lender learns only the decision, by the same secret card "
        "for everybody."
    )
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = (("lender", "helper"), ("helper", "source"), ("lender", "source"))

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample; see :class:`blindscore.designs.design.Design`."""
        fitted, _, done = execute_sample(self, population, scorecard, rng, cast, helped_views)
        parameters = {
            "approve": self.approve,
            "threshold": fitted.threshold,
            "mac_soundness_bits": 46.0,
            f"bits_read_if_{MALICIOUS.replace(' ', '_')}": BITS_READ,
        }
        return recorded(fitted, done, parameters)


def cast(card: Card, threshold: int, records: Records, store_of: StoreOf) -> Cast:
    """Return bank, lender, helper and wallets, ready to play: the card is enrolled."""
    from blindscore_crypto.channel.signatures import SigningKey
    from blindscore_crypto.shared.line import Line
    from blindscore_crypto.shared.parties.helper import SharingHelper
    from blindscore_crypto.shared.parties.lender import SharingLender
    from blindscore_crypto.shared.parties.source import SharingSource
    from blindscore_crypto.shared.parties.wallet import SharingWallet, Terms

    clock, to_bank, to_lender = SetClock(), Line.fresh(), Line.fresh()
    bank = SharingSource(BANK, records, store_of(BANK), clock, SigningKey(), {HELPER: to_bank})
    lender = SharingLender(LENDER, card, threshold, [bank.public], HELPER, to_lender, store_of(LENDER), clock)
    helper = SharingHelper(HELPER, {bank.public.id: (BANK, to_bank)}, {LENDER: to_lender}, store_of(HELPER), clock)
    told = enrol(lender, helper, bank)
    terms = Terms(LENDER, lender.layout, HELPER)
    return Cast(
        institutions=(bank, lender, helper),
        wallet=lambda legal_id: SharingWallet(f"wallet of {legal_id}", terms, BANK),
        ending=ending,
        lines={("wallet", "source"): "legal id"},
        clock=clock,
        keys_bytes=told + len(terms.layout.encode()) + len(bank.public.raw),
    )


def enrol(lender: Party, helper: Party, source: Party) -> int:
    """Enrol a lender's card for a source's customers, once; return how many bytes that took.

    Raises
    ------
    ForgeryError
        One of them refused.
    """
    parties, total = {party.name: party for party in (lender, helper, source)}, 0
    message, sender = lender.enrol(source.public.id), lender  # type: ignore[attr-defined]
    waiting = [(sender, message)]
    while waiting:
        sender, message = waiting.pop()
        if message.kind == "refusal":
            raise ForgeryError(f"{sender.name} refused to enrol a card; make parties and lines anew")
        total += len(message.body)
        receiver = parties[message.to]
        handed = Message(message.to, message.kind, message.body, sender.name)
        waiting += [(receiver, answer) for answer in receiver.handle(handed)]
    return total


def ending(wallet: Party) -> Ending:
    """Return what a wallet holds in the end."""
    return Ending(decision=wallet.decision)  # type: ignore[attr-defined]
