"""``encrypted-decision``: as ``encrypted``, and the lender learns the decision alone, with a second server's help.

Who sees what: the lender one bit an application under a pairwise pseudonym, and uniform values; the helper uniform
values, and that somebody applied; source and applicant as in ``encrypted``. What the source attested and dealt lies
with its receivers too, so source, lender and helper join their records (handle ``attestation``). Assumptions: as
``encrypted``, AES-128, ChaCha, X25519, and a helper that pools what it sees neither with the lender (together they
have the total) nor with the source (total minus threshold). Not protected: as in ``encrypted``, a secret card and
threshold may be bent for one person, and nobody can prove it.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND, Rule, Run
from blindscore.designs.plain import everyone
from blindscore.parties.cast import Cast, StoreOf
from blindscore.parties.party import SetClock
from blindscore.parties.view import Column, View
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import BANK, HANDLE, LENDER, blind_run, blind_views, ending
from blindscore_crypto.designs.executed import Fitted, Records, execute_sample
from blindscore_crypto.designs.sample import check_sample

HELPER = "helper"


@dataclass(frozen=True)
class EncryptedDecision:
    """Blind scoring of which the lender reads one bit."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "encrypted-decision"
    order = 70
    summary = (
        "As encrypted, but the lender learns only the decision: a second server helps to compare, and sees nothing."
    )
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = (("lender", "helper"), ("helper", "source"), ("lender", "source"))

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample; see :class:`blindscore.designs.design.Design`."""
        fitted, _, done = execute_sample(self, population, scorecard, rng, cast, helped_views)
        # One bit about some threshold, or the helper's refusal of a check that was made to fail.
        return blind_run(fitted, done, self.approve, readable=math.log2(3))


def helped_views(population: Population, fitted: Fitted, rng: np.random.Generator) -> dict[str, View]:
    """Return the ideal views of a lender that reads one bit, its source, and a helper that reads nothing of anybody."""
    views = blind_views(population, fitted, rng, decision=True)
    clear = pd.DataFrame({HANDLE: views["lender"].clear[HANDLE]})
    return {**views, HELPER: View(HELPER, "one-time", clear, (Column(HANDLE, "handle"),), everyone(population))}


def cast(card: Card, threshold: int, records: Records, store_of: StoreOf) -> Cast:
    """Return bank, deciding lender, helper and wallets, ready to play."""
    from blindscore_crypto.channel.hpke import new_box
    from blindscore_crypto.channel.signatures import SigningKey
    from blindscore_crypto.encrypted.parties.helper import Helper
    from blindscore_crypto.encrypted.parties.lender import Lender
    from blindscore_crypto.encrypted.parties.read_decision import ReadDecision
    from blindscore_crypto.encrypted.parties.scorer import BlindScorer
    from blindscore_crypto.encrypted.parties.source import Source
    from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet

    clock = SetClock()
    bank = Source(BANK, records, store_of(BANK), clock, SigningKey())
    scorer = BlindScorer(LENDER, card, [bank.public], store_of(LENDER), clock)
    signer, p = SigningKey(), scorer.parameters
    helper = Helper(HELPER, p, [bank.public], {LENDER: signer.public}, store_of(HELPER), clock, SigningKey(), new_box())
    way = ReadDecision(threshold, signer, secrets.token_bytes(32), HELPER, helper.public)
    terms = Terms(LENDER, scorer.layout, p, helper=HELPER, helper_box=helper.box)
    keys = (bank.public.raw, signer.public.raw, helper.public.raw, helper.box)
    return Cast(
        institutions=(bank, Lender(scorer, way), helper),
        wallet=lambda legal_id: Wallet(f"wallet of {legal_id}", terms, BANK),
        ending=ending,
        lines={("wallet", "source"): "legal id"},
        clock=clock,
        keys_bytes=len(terms.layout.encode()) + sum(map(len, keys)),
    )
