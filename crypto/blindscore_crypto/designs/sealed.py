"""``sealed``: one bit for the lender, score >= threshold under a public scorecard; sources sign commitments to bins.

Who sees what: each source its own customers' ledger and the commitments that it signed; the lender one bit, and
commitments that hide the rest; the person everything. Assumptions: discrete logarithms in the group, Ed25519,
SHA-512 as a random oracle, an encrypted channel. Not protected: a source that keeps what it signed recognises it at the
lender (both views carry the handle ``attestation``). The ``one-show`` design removes that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SOURCE_BLIND,
    VERIFIED_SCORE,
    Costs,
    Rule,
    Run,
)
from blindscore.designs.plain import (
    LEGAL_ID,
    LENDER_SCORES,
    bank_view,
    choose_threshold,
    everyone,
    financial,
    fit_card,
    messages,
    retrain,
    scoring_lender,
)
from blindscore.parties.view import Column, View, columns
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.sealed.attestation import Source
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.layout import Layout, layouts_of
from blindscore_crypto.sealed.parties.lender import DECISION_BYTES, Decision, Verifier, is_bent
from blindscore_crypto.sealed.parties.wallet import Applicant, Epoch, Wallet
from blindscore_crypto.sealed.signing import SigningKey
from blindscore_crypto.sealed.terms import OFFER_BYTES, Terms

EPOCH = Epoch(number=1, last_day=30)
TODAY = 1
HANDLE = "attestation"
T = TypeVar("T")


@dataclass(frozen=True)
class Sealed:
    """One bit under a public scorecard, from attestations shown once."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed
    group: str = "P-256"  # or "ristretto255", which is faster and needs the package rbcl

    name = "sealed"
    order = 80
    summary = "The lender learns only whether the score reaches the published threshold; the person proves it unread."
    enforces = frozenset({CONSTANT_SIZES, ONE_BIT, PUBLIC_CARD, VERIFIED_SCORE, NO_CONDUCT, SOURCE_BLIND})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Execute the protocol for a sample, then record the ideal view; see :mod:`blindscore.designs.design`."""
        stage = partial(SealedStage, group_named(self.group))
        return one_bit_run(population, scorecard, rng, self.approve, self.sample, stage, linkable=True)


@dataclass(frozen=True)
class Played:
    """What one real execution gave."""

    score: int  # as the wallet computes it from what the sources signed
    lender_reads: dict[str, object]  # every value that the lender can read off what it was sent
    sizes_hold: bool  # the frame is as long as everybody's, whatever it says
    us: dict[str, float]  # CPU time by role, microseconds
    frame: bytes  # what the lender received


class Stage(Protocol):
    """The parties of one design, ready to play with one person after another."""

    @property
    def terms(self) -> Terms:
        """What the lender publishes."""
        ...

    def play(self, legal_id: str, bins: dict[str, int]) -> Played:
        """Play the whole protocol once: issue, apply, decide, judge."""
        ...


class SealedStage:
    """Sources that sign commitments, and one lender."""

    def __init__(self, group: Group, layouts: tuple[Layout, ...], card: Card, threshold: int) -> None:
        self._sources = [Source(group, layout) for layout in layouts]
        key = SigningKey()
        keys = tuple(source.public for source in self._sources)
        self.terms: Terms = Terms("lender", key.public, card, threshold, layouts, keys, group)
        self._verifier = Verifier(self.terms, key)

    def play(self, legal_id: str, bins: dict[str, int]) -> Played:
        """See :class:`Stage`. The score is opened from the very commitments that the lender adds up."""
        dates = {"epoch": EPOCH.number, "expires": EPOCH.last_day}
        issued, us_source = timed(
            lambda: [s.attest(legal_id, [bins[f] for f in s.layout.features], **dates) for s in self._sources]
        )
        wallet = Wallet(legal_id, [self.terms], EPOCH)
        _, us_accept = timed(lambda: wallet.accept(issued, self.terms))
        score = wallet.committed_score(self.terms)
        played = apply_and_decide(self.terms, wallet, self._verifier, is_bent)
        us = {"source": us_source, "wallet": us_accept + played.us["wallet"], "lender": played.us["lender"]}
        return Played(score, played.lender_reads, played.sizes_hold, us, played.frame)


def apply_and_decide(
    terms: Terms, wallet: Applicant, verifier: Verifier, bent: Callable[[Terms, bytes, bytes], bool]
) -> Played:
    """Play offer, answer and decision, and let a judge look at the decision."""
    score = wallet.score(terms)
    offer = verifier.offer(epoch=EPOCH.number, day=TODAY)
    frame, us_wallet = timed(lambda: wallet.apply(offer, day=TODAY))
    answer, us_lender = timed(lambda: verifier.decide(frame, day=TODAY))
    decision = Decision.decode(terms, frame, answer)
    reads: dict[str, object] = {} if bent(terms, frame, answer) else {"approved": decision.approved}
    sizes_hold = len(frame) == terms.frame_bytes and len(answer) == DECISION_BYTES
    return Played(score, reads, sizes_hold, {"wallet": us_wallet, "lender": us_lender}, frame)


def one_bit_run(
    population: Population,
    scorecard: Scorecard,
    rng: np.random.Generator,
    approve: float,
    sample: int,
    stage_of: Callable[[tuple[Layout, ...], Card, int], Stage],
    *,
    linkable: bool,
) -> Run:
    """Fit the card, play the protocol for a sample of people, and record the ideal one-bit view of all.

    Parameters
    ----------
    stage_of
        Makes the parties from layouts, card and threshold.
    linkable
        Lender and source both hold what the source signed, so that a handle joins their records.
    """
    features = financial(population)
    fitted = fit_card(population, scorecard, features)
    card: Card = fitted.card_
    scores = fitted.score_points(population.features[features])
    threshold = choose_threshold(scores[population.history], approve, card.scale.low, card.scale.high)
    bins = card.bins(population.features)
    approved = scores >= threshold
    layouts = layouts_of(card, {name: population.schema[name].source for name in card.features})
    stage = stage_of(layouts, card, threshold)
    terms = stage.terms
    chosen = rng.choice(len(population), size=min(sample, len(population)), replace=False)
    legal_ids = population.register[LEGAL_ID].astype(str).to_numpy()
    played = [stage.play(legal_ids[i], dict(zip(card.features, map(int, bins[i]), strict=True))) for i in chosen]
    agree = sum(
        one.score == scores[i] and one.lender_reads == {"approved": bool(approved[i])} and one.sizes_hold
        for i, one in zip(chosen, played, strict=True)
    )
    clear = pd.DataFrame({"approved": approved.astype(np.int8)})
    source = bank_view(population)
    if linkable:
        # The name under which a source finds a commitment again at the lender; who is refused shows the lender none.
        signed = rng.permutation(len(population)).astype(np.int64)
        clear[HANDLE] = np.where(approved, signed, -1)
        source = bank_view(population, **{HANDLE: signed})
    up, down = terms.frame_bytes, OFFER_BYTES + DECISION_BYTES
    lender = View(
        "lender",
        "one-time",
        clear,
        (Column("approved", "decision"), *columns("handle", [HANDLE] if linkable else [])),
        everyone(population),
        opaque_bytes=up - 1 - OFFER_BYTES,
        received=played[0].frame,
        messages=messages(population, up=up, down=down),
        universe=2,
    )
    us = {role: float(np.median([one.us[role] for one in played])) for role in played[0].us}
    parameters = {
        "group": terms.group.name,
        "threshold": threshold,
        "approve": approve,
        "sources": len(layouts),
        "range_bits": terms.bits,
        "commitments": sum(layout.n_commitments for layout in layouts),
    }
    keys = (terms.lender_key, *terms.source_keys)
    return Run(
        decisions=approved,
        scores=scores,
        totals=card.totals(bins),
        threshold=threshold,
        card=card,
        views={**scoring_lender(lender), "source": source},
        plays=LENDER_SCORES,
        costs=Costs(MappingProxyType(us), up, down, keys_bytes=sum(len(key.data) for key in keys)),
        parameters=MappingProxyType(parameters),
        real_runs=len(played),
        real_agree=int(agree),
        train=retrain(population, scorecard, features),
        audit_share=1.0,  # the applicant holds a proof against the public card that any judge can check
    )


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """Return the result of an action and the CPU microseconds that it took."""
    start = time.process_time()
    result = action()
    return result, (time.process_time() - start) * 1e6
