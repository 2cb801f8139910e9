"""``encrypted-audited``: as ``encrypted``, and a bent score or decision is proved with a stated chance.

Who sees what: as in ``encrypted``; besides, an auditor holds card and threshold, and reads the totals of the
transcripts that chance picks (its view here is that of an auditor that picks everybody: an upper bound). Transcripts
hold the attestation, so the auditor joins with source and lender. Assumptions: as ``encrypted``, and an auditor that
neither sides with the lender nor tells it what it will pick. Not protected: an unfair card that treats everybody alike,
or one whose points are made to read bins; scores whose transcripts nobody picks.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

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
from blindscore.designs.plain import everyone
from blindscore.errors import ParameterError
from blindscore.parties.cast import Cast, StoreOf
from blindscore.parties.party import SetClock
from blindscore.parties.view import Column, View
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import (
    BANK,
    HANDLE,
    LENDER,
    blind_run,
    blind_views,
    ending,
    parameters_of,
    values_of_a_reply,
)
from blindscore_crypto.designs.executed import Fitted, Records, execute_sample
from blindscore_crypto.designs.sample import check_sample

AUDITOR = "auditor"


@dataclass(frozen=True)
class EncryptedAudited:
    """Blind scoring by a lender that commits to its card and is audited at random."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed
    share: float = 0.1  # part of signed scores that the auditor replays

    name = "encrypted-audited"
    order = 65
    summary = "As encrypted, and an auditor recomputes a random share of signed scores from a committed scorecard."
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SIGNED_DECISION, SOURCE_BLIND, VERIFIED_SCORE})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = (("lender", "source"), ("auditor", "source"))

    def __post_init__(self) -> None:
        check_sample(self.sample)
        if not 0 < self.share <= 1:
            raise ParameterError(f"the audited share must lie in (0, 1], got {self.share}")

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the audited protocol on a sample; see :class:`blindscore.designs.design.Design`."""
        seated = partial(cast, share=self.share)
        fitted, _, done = execute_sample(self, population, scorecard, rng, seated, audited_views)
        # The committed card stands, so a reply that can be proved bent tells one total modulo t.
        readable = values_of_a_reply(fitted.card, math.log2(parameters_of(fitted.card).t))
        return blind_run(fitted, done, self.approve, readable=readable, audit_share=self.share)


def audited_views(population: Population, fitted: Fitted, rng: np.random.Generator) -> dict[str, View]:
    """Return the ideal views of a lender that reads scores, its source, and an auditor that reads totals."""
    views = blind_views(population, fitted, rng)
    clear = pd.DataFrame({"total": fitted.totals, HANDLE: views["lender"].clear[HANDLE]})
    held = (Column("total", "total"), Column(HANDLE, "handle"))
    return {**views, AUDITOR: View(AUDITOR, "one-time", clear, held, everyone(population))}


def cast(card: Card, threshold: int, records: Records, store_of: StoreOf, *, share: float = 1.0) -> Cast:
    """Return bank, audited lender, auditor and wallets, ready to play."""
    from blindscore_crypto.channel.signatures import SigningKey
    from blindscore_crypto.encrypted.parties.auditor import Auditor, Opened
    from blindscore_crypto.encrypted.parties.lender import Lender
    from blindscore_crypto.encrypted.parties.scorer import BlindScorer
    from blindscore_crypto.encrypted.parties.sign_score import SignScore
    from blindscore_crypto.encrypted.parties.source import Source
    from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet

    clock = SetClock()
    bank = Source(BANK, records, store_of(BANK), clock, SigningKey())
    scorer = BlindScorer(LENDER, card, [bank.public], store_of(LENDER), clock)
    way = SignScore(threshold, SigningKey(), secrets.token_bytes(32), secrets.token_bytes(32), AUDITOR)
    lender = Lender(scorer, way)
    commitment, key = way.commitment(lender), way.signer.public
    opened = Opened(card, threshold, way.salt)
    auditor = Auditor(
        AUDITOR, opened, commitment, LENDER, key, [bank.public], scorer.parameters, share, store_of(AUDITOR)
    )
    terms = Terms(LENDER, scorer.layout, scorer.parameters, signs=key, commitment=commitment)
    return Cast(
        institutions=(bank, lender, auditor),
        wallet=lambda legal_id: Wallet(f"wallet of {legal_id}", terms, BANK),
        ending=ending,
        lines={("wallet", "source"): "legal id"},
        clock=clock,
        keys_bytes=len(terms.layout.encode()) + len(bank.public.raw) + len(key.raw) + len(commitment),
    )
