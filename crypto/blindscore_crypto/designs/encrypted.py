"""``encrypted``: the lender computes the score blind and reads nothing else of the person.

Who sees what: the source its own ledger (as today) and what it attested; the lender the total points under a pairwise
pseudonym, and ciphertext; the applicant masked numbers and its decision. The attestation lies with source and lender
byte for byte, so the two together join their records (handle ``attestation``). Assumptions: ring-LWE, Ed25519, SHA-256,
an honest source. Not protected: the lender's card is secret, so it may shift the score of a person whom it dislikes, or
read bins in place of a score by a card made for that, and nobody can prove it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SOURCE_BLIND, Rule, Run
from blindscore.designs.plain import bank_view, everyone
from blindscore.parties.cast import Cast, Ending, StoreOf
from blindscore.parties.party import Party, SetClock
from blindscore.parties.view import Column, Kind, View
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import Executed, Fitted, Records, execute_sample, recorded
from blindscore_crypto.designs.sample import check_sample

if TYPE_CHECKING:
    from blindscore_crypto.encrypted.parameters import Parameters

BANK, LENDER = "bank", "lender"
HANDLE = "attestation"
MALICIOUS = "malicious with a secret card"  # name of the adversary against which a figure holds


@dataclass(frozen=True)
class Encrypted:
    """Blind scoring under BFV: score only for the lender, points secret from everybody else."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "encrypted"
    order = 60
    summary = "The lender computes the score on encrypted figures and learns the score, never the figures."
    enforces = frozenset({CONSTANT_SIZES, SCORE_ONLY, NO_CONDUCT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = (("lender", "source"),)

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit, execute the protocol on a sample, and record views; see :class:`blindscore.designs.design.Design`."""
        fitted, _, done = execute_sample(self, population, scorecard, rng, cast, blind_views)
        return blind_run(fitted, done, self.approve, readable=values_of_a_reply(fitted.card))


def cast(card: Card, threshold: int, records: Records, store_of: StoreOf) -> Cast:
    """Return bank, lender and wallets, ready to play: records are what the bank holds by legal id."""
    from blindscore_crypto.channel.signatures import SigningKey
    from blindscore_crypto.encrypted.parties.lender import Lender
    from blindscore_crypto.encrypted.parties.read_score import ReadScore
    from blindscore_crypto.encrypted.parties.scorer import BlindScorer
    from blindscore_crypto.encrypted.parties.source import Source
    from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet

    clock = SetClock()
    bank = Source(BANK, records, store_of(BANK), clock, SigningKey())
    scorer = BlindScorer(LENDER, card, [bank.public], store_of(LENDER), clock)
    terms = Terms(LENDER, scorer.layout, scorer.parameters)
    return Cast(
        institutions=(bank, Lender(scorer, ReadScore(threshold))),
        wallet=lambda legal_id: Wallet(f"wallet of {legal_id}", terms, BANK),
        ending=ending,
        lines={("wallet", "source"): "legal id"},
        clock=clock,
        keys_bytes=len(terms.layout.encode()) + len(bank.public.raw),
    )


def ending(wallet: Party) -> Ending:
    """Return what a wallet holds in the end."""
    return Ending(decision=wallet.decision, score=wallet.score)  # type: ignore[attr-defined]


def values_of_a_reply(card: Card, limit: float = math.inf) -> float:
    """Return how many values a lender that cheats can tell apart by one application, at most (log2).

    Another multiplier reads K other linear functions of the bins modulo t. Of a person it can learn no more than all
    its bins.

    Parameters
    ----------
    limit
        Of the values of one reply, log2, where a design keeps the lender to less than K numbers modulo t.
    """
    p = parameters_of(card)
    return min(limit, p.outputs * math.log2(p.t), sum(math.log2(n) for n in card.n_bins))


def parameters_of(card: Card) -> Parameters:
    """Return the parameter set that a card runs under."""
    from blindscore_crypto.encrypted.parameters import fitting

    return fitting(sum(card.n_bins), card.max_total - card.min_total + 1)


def blind_views(
    population: Population, fitted: Fitted, rng: np.random.Generator, *, decision: bool = False
) -> dict[str, View]:
    """Return the ideal views of lender and source: one total, or one bit; and what the source attested, at both."""
    signed = rng.permutation(len(population)).astype(np.int64)  # names an attestation that both can recognise
    bit = fitted.decisions.astype(np.int8)
    clear = pd.DataFrame({"approved": bit} if decision else {"total": fitted.totals}).assign(**{HANDLE: signed})
    kind: Kind = "decision" if decision else "total"
    span = fitted.card.max_total - fitted.card.min_total + 1
    lender = View(
        LENDER,
        "pairwise",
        clear,
        (Column(clear.columns[0], kind), Column(HANDLE, "handle")),
        everyone(population),
        universe=2 if decision else span,
    )
    return {"lender": lender, "source": bank_view(population, **{HANDLE: signed})}


def blind_run(
    fitted: Fitted,
    done: Executed,
    approve: float,
    *,
    readable: float,
    audit_share: float = 0.0,
    more: Mapping[str, object] = MappingProxyType({}),
) -> Run:
    """Return the run of a played design.

    Parameters
    ----------
    readable
        What a lender that cheats can read by one application, bits; see :func:`values_of_a_reply`.
    """
    card = fitted.card
    p, span, bins = parameters_of(card), card.max_total - card.min_total + 1, sum(card.n_bins)
    parameters: dict[str, object] = {
        "approve": approve,
        "threshold": fitted.threshold,
        "set": p.name,
        "ring_dimension": p.degree,
        "log2_q": round(math.log2(p.q), 1),
        "flooding_bits": round(p.flooding_bits(bins), 1),
        "mac_soundness_bits": round(p.soundness_bits(span), 1),
        "replies_a_card": p.life(bins),
        f"bits_read_if_{MALICIOUS.replace(' ', '_')}": round(readable, 1),
        **more,
    }
    if readable > math.log2(3):  # else one bit, or that nothing came
        parameters["totals_at_most"] = round(2 ** min(readable, 62.0))  # that a card made to read bins tells apart
    return recorded(fitted, done, parameters, audit_share=audit_share)
