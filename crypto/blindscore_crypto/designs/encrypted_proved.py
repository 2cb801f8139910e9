"""``encrypted-proved``: the card stays secret, and no total but the committed card's ever reaches the lender.

Who sees what: the source its own ledger and what it attested; the lender the total points under a pairwise pseudonym,
and uniform elements; the applicant its own total, and no point of the card. A lender that answers by other points, or
signs another score or decision, learns nothing or is convicted by papers that the applicant holds, each time. The
choices lie with source and lender byte for byte, so the two join their records (handle ``attestation``). Assumptions:
discrete logarithms and Diffie-Hellman in the group, SHA-512 as a random oracle, Ed25519, an honest source; a log that
shows everybody the same terms (fewer than two of three witnesses help it to cheat). Not protected: an unfair card that
treats everybody alike; points made to tell bins apart, as far as one total does; the card against a quantum computer
(the bins are safe from one).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    SCORE_ONLY,
    SIGNED_DECISION,
    SOURCE_BLIND,
    VERIFIED_SCORE,
    Rule,
    Run,
)
from blindscore.parties.cast import Cast, Ending, StoreOf
from blindscore.parties.party import Party, SetClock, day_of
from blindscore.parties.store import MemoryStore
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import BANK, LENDER, MALICIOUS, blind_views
from blindscore_crypto.designs.executed import Records, execute_sample, recorded
from blindscore_crypto.designs.sample import check_sample

if TYPE_CHECKING:
    from blindscore_crypto.sealed.groups.group import Group

DAYS = 30  # of an epoch


@dataclass(frozen=True)
class EncryptedProved:
    """Blind scoring under a secret card that is committed to, each total proved to be that card's."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 32  # people for whom the protocol is executed
    group: str = "P-256"  # or "ristretto255", which is faster and needs the package rbcl

    name = "encrypted-proved"
    order = 67
    summary = "As encrypted, and each applicant's own device checks that the score is that of the committed scorecard."
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SIGNED_DECISION, SOURCE_BLIND, VERIFIED_SCORE})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = (("lender", "source"),)

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample; see :class:`blindscore.designs.design.Design`."""
        from blindscore_crypto.sealed.groups.ristretto import group_named

        seated = partial(cast, group=group_named(self.group))
        fitted, parties, done = execute_sample(self, population, scorecard, rng, seated, blind_views)
        (lender,) = (party for party in parties.institutions if party.role == "lender")
        # One total of the committed card within the terms' bounds, or that none came.
        readable = math.log2(2 * lender.terms.half + 2)  # type: ignore[attr-defined]
        readable = min(readable, sum(math.log2(n) for n in fitted.card.n_bins))
        parameters = {
            "approve": self.approve,
            "threshold": fitted.threshold,
            "group": self.group,
            f"bits_read_if_{MALICIOUS.replace(' ', '_')}": round(readable, 1),
            "totals_at_most": round(2**readable),
        }
        # Each applicant holds papers that any judge can check.
        return recorded(fitted, done, parameters, audit_share=1.0)


def cast(card: Card, threshold: int, records: Records, store_of: StoreOf, group: Group) -> Cast:
    """Return bank, proving lender and wallets, ready to play; each wallet has looked the terms up in the public log."""
    from blindscore_crypto.channel.signatures import SigningKey
    from blindscore_crypto.encrypted.proved.lender import ProvingLender
    from blindscore_crypto.encrypted.proved.published import Setting, find
    from blindscore_crypto.encrypted.proved.source import ChoosingSource
    from blindscore_crypto.encrypted.proved.terms import ProvedTerms
    from blindscore_crypto.encrypted.proved.wallet import ProvedWallet
    from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
    from blindscore_crypto.sealed.log.head import Trust
    from blindscore_crypto.sealed.parties.log import NEEDED, found_log, keep
    from blindscore_crypto.sealed.terms import Epoch

    clock, signer, registrar = SetClock(), SigningKey(), SigningKey()
    bank = ChoosingSource(BANK, records, store_of(BANK), clock, SigningKey(), group)
    epoch = Epoch(1, day_of(clock) + DAYS)
    terms, kept = ProvedTerms.of(LENDER, signer.public, group, card, threshold, epoch)
    lender = ProvingLender(terms, kept, [bank.public], store_of(LENDER), clock, signer)
    members = (Member(LENDER, "lender", signer.public), Member(BANK, "source", bank.public))
    entries = [Entry.sign(Kind.MEMBER, registrar, member.encode()) for member in members]
    entries.append(Entry.sign(Kind.PROVED_TERMS, signer, terms.encode()))
    # Nobody tells the log anything of a person: it stands beside the table, and its wallets read it beforehand.
    keeper, witnesses = found_log(registrar.public, lambda name: MemoryStore(), clock, lambda name: SigningKey())
    keep(keeper, witnesses, entries)
    trust = Trust(keeper.public, tuple(witness.public for witness in witnesses), NEEDED)
    setting = Setting(LENDER, BANK, epoch, trust)

    def wallet(legal_id: str) -> ProvedWallet:
        store = MemoryStore()
        found = find(setting, store, clock, keeper.look_up)
        return ProvedWallet(f"wallet of {legal_id}", found.terms, BANK, [found.source], store=store)

    return Cast(
        institutions=(bank, lender),
        wallet=wallet,
        ending=ending,
        lines={("wallet", "source"): "legal id"},
        clock=clock,
        keys_bytes=sum(len(entry.encode()) for entry in entries),
    )


def ending(wallet: Party) -> Ending:
    """Return what a wallet holds in the end."""
    return Ending(decision=wallet.decision, score=wallet.score, bent=wallet.bent)  # type: ignore[attr-defined]
