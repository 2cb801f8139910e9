"""``sealed``: one bit for the lender, score >= threshold under a public scorecard; sources sign commitments to bins.

Who sees what: each source its own customers' ledger and the commitments that it signed; the lender one bit, and
commitments that hide perfectly; the person everything. Assumptions: discrete logarithms in P-256, Ed25519, SHA-512 as a
random oracle, an encrypted channel. Not protected: a source that keeps what it signed recognises it at the lender
(both views carry the handle ``attestation``). The ``one-show`` design removes that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import pandas as pd

from blindscore.designs.design import (
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SOURCE_BLIND,
    VERIFIED_SCORE,
    Costs,
    Rule,
    Run,
    View,
)
from blindscore.designs.plain import LEGAL_ID, bank_view, choose_threshold, everyone, financial, fit_card, messages
from blindscore.errors import ParameterError
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.sealed.attestation import Source
from blindscore_crypto.sealed.group import P256_GROUP
from blindscore_crypto.sealed.layout import layouts_of
from blindscore_crypto.sealed.presentation import frame_bytes
from blindscore_crypto.sealed.signing import SigningKey
from blindscore_crypto.sealed.terms import OFFER_BYTES, Terms
from blindscore_crypto.sealed.verifier import DECISION_BYTES, Decision, Verifier, is_bent
from blindscore_crypto.sealed.wallet import Epoch, Wallet

EPOCH = Epoch(number=1, last_day=30)
TODAY = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Sealed:
    """One bit under a public scorecard, from attestations shown once."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed

    name = "sealed"
    order = 80
    summary = "The lender learns only whether the score reaches the published threshold; the person proves it unread."
    enforces = frozenset({ONE_BIT, PUBLIC_CARD, VERIFIED_SCORE, NO_CONDUCT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ParameterError(f"sample must be at least 1, got {self.sample}: a row stands on real runs")

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Execute the protocol for a sample, then record the ideal view; see :mod:`blindscore.designs.design`."""
        features = financial(population)
        fitted = fit_card(population, scorecard, features)
        card: Card = fitted.card_
        scores = fitted.score_points(population.features[features])
        scale = card.scale
        threshold = choose_threshold(scores[population.history], self.approve, scale.low, scale.high)
        bins = card.bins(population.features)
        approved = scores >= threshold
        terms, sources, verifier = _parties(population, card, threshold)
        chosen = rng.choice(len(population), size=min(self.sample, len(population)), replace=False)
        legal_ids = population.register[LEGAL_ID].astype(str).to_numpy()
        played = [
            play(terms, sources, verifier, legal_ids[i], dict(zip(card.features, map(int, bins[i]), strict=True)))
            for i in chosen
        ]
        agree = sum(
            one.score == scores[i] and one.lender_reads == {"approved": bool(approved[i])} and one.sizes_hold
            for i, one in zip(chosen, played, strict=True)
        )
        # The name under which a source finds a commitment again at the lender; who is refused shows the lender none.
        signed = rng.permutation(len(population)).astype(np.int64)
        lender = View(
            "lender",
            "one-time",
            pd.DataFrame({"approved": approved.astype(np.int8), "attestation": np.where(approved, signed, -1)}),
            everyone(population),
            opaque_bytes=frame_bytes(terms) - 1 - OFFER_BYTES,
            messages=messages(population, rng, up=frame_bytes(terms), down=OFFER_BYTES + DECISION_BYTES),
            handles=("attestation",),
            universe=2,
        )
        return Run(
            decisions=approved,
            scores=scores,
            threshold=threshold,
            card=card,
            views={"scorer": lender, "lender": lender, "source": bank_view(population, attestation=signed)},
            costs=Costs(
                us_per_person=MappingProxyType(
                    {role: float(np.median([one.us[role] for one in played])) for role in played[0].us}
                ),
                bytes_up=frame_bytes(terms),
                bytes_down=OFFER_BYTES + DECISION_BYTES,
                keys_bytes=sum(len(key.data) for key in (terms.lender_key, *terms.source_keys)),
            ),
            parameters=MappingProxyType(
                {
                    "group": terms.group.name,
                    "threshold": threshold,
                    "approve": self.approve,
                    "sources": len(terms.layouts),
                    "range_bits": terms.bits,
                    "commitments": sum(layout.n_commitments for layout in terms.layouts),
                }
            ),
            real_runs=len(played),
            real_agree=int(agree),
            audit_share=1.0,  # the applicant holds a proof against the public card that any judge can check
        )


@dataclass(frozen=True)
class Played:
    """What one real execution gave."""

    score: int  # opened from the commitments in the wallet
    lender_reads: dict[str, object]  # every value that the lender can read off what it was sent
    sizes_hold: bool  # the frame is as long as everybody's, whatever it says
    us: dict[str, float]  # CPU time by role, microseconds


def play(
    terms: Terms, sources: list[Source], verifier: Verifier, legal_id: str, bins: dict[str, int], day: int = TODAY
) -> Played:
    """Play the whole protocol once for one person: attest, accept, apply, decide, judge."""
    issued, us_source = _timed(
        lambda: [
            source.attest(
                legal_id, [bins[f] for f in source.layout.features], epoch=EPOCH.number, expires=EPOCH.last_day
            )
            for source in sources
        ]
    )
    wallet = Wallet(legal_id, [terms], EPOCH)
    _, us_accept = _timed(lambda: wallet.accept(issued, terms))
    score = wallet.committed_score(terms)
    offer = verifier.offer(epoch=EPOCH.number, day=day)
    frame, us_apply = _timed(lambda: wallet.apply(offer, day=day))
    answer, us_lender = _timed(lambda: verifier.decide(frame, day=day))
    decision = Decision.decode(terms, frame, answer)
    honest = not is_bent(terms, frame, answer)
    return Played(
        score=score,
        lender_reads={"approved": decision.approved} if honest else {},
        sizes_hold=len(frame) == frame_bytes(terms) and len(answer) == DECISION_BYTES,
        us={"source": us_source, "wallet": us_accept + us_apply, "lender": us_lender},
    )


def _parties(population: Population, card: Card, threshold: int) -> tuple[Terms, list[Source], Verifier]:
    layouts = layouts_of(card, {name: population.schema[name].source for name in card.features})
    sources = [Source(P256_GROUP, layout) for layout in layouts]
    key = SigningKey()
    terms = Terms("lender", key.public, card, threshold, layouts, tuple(source.public for source in sources))
    return terms, sources, Verifier(terms, key)


def _timed(action: Callable[[], T]) -> tuple[T, float]:
    start = time.process_time()
    result = action()
    return result, (time.process_time() - start) * 1e6
