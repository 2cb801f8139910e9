"""``one-show``: as ``sealed``, and nobody can follow: sources sign blindly, and no record of theirs meets the lender's.

Who sees what: each source its own customers' ledger, and that they fetched a signature; the lender one bit, and values
that say nothing else; lender and sources together no key that joins their records. Assumptions: decisional
Diffie-Hellman and discrete logarithms in the group, SHA-512 as a random oracle, Ed25519, an encrypted channel.
Not protected: the time at which a person fetches and applies; what a loan contract later tells the lender.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SOURCE_BLIND,
    UNLINKABLE,
    VERIFIED_SCORE,
    Rule,
    Run,
)
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.designs.sealed import EPOCH, Played, apply_and_decide, one_bit_run, timed
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.layout import Layout
from blindscore_crypto.sealed.one_show import OneShowTerms, check
from blindscore_crypto.sealed.parties.lender import Verifier, is_bent
from blindscore_crypto.sealed.parties.one_show import BlindSource, OneShowWallet
from blindscore_crypto.sealed.signing import SigningKey


@dataclass(frozen=True)
class OneShow:
    """One bit under a public scorecard, from blind signatures that nobody recognises."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed
    group: str = "P-256"  # or "ristretto255", which is faster and needs the package rbcl

    name = "one-show"
    order = 90
    summary = "As sealed, and even the lender and the bank together cannot tell whose application they see."
    enforces = frozenset({CONSTANT_SIZES, ONE_BIT, PUBLIC_CARD, VERIFIED_SCORE, NO_CONDUCT, SOURCE_BLIND, UNLINKABLE})
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Execute the protocol for a sample, then record the ideal view; see :mod:`blindscore.designs.design`."""
        stage = partial(OneShowStage, group_named(self.group))
        return one_bit_run(population, scorecard, rng, self.approve, self.sample, stage, linkable=False)


class OneShowStage:
    """Sources that sign blindly, and one lender."""

    def __init__(self, group: Group, layouts: tuple[Layout, ...], card: Card, threshold: int) -> None:
        self._sources = [BlindSource(group, layout, EPOCH) for layout in layouts]
        key = SigningKey()
        self.terms = OneShowTerms(
            "lender",
            key.public,
            card,
            threshold,
            layouts,
            tuple(source.public for source in self._sources),
            group,
            keys=tuple(source.epoch_key for source in self._sources),
        )
        self._verifier = Verifier(self.terms, key, check_frame=check)

    def play(self, legal_id: str, bins: dict[str, int]) -> Played:
        """See :class:`.sealed.Stage`. The receiver has checked that what was signed are these very bins."""
        wallet = OneShowWallet(legal_id, [self.terms], EPOCH)
        us_source = us_wallet = 0.0
        for source in self._sources:
            row = [bins[f] for f in source.layout.features]
            session, us_begin = timed(partial(source.begin, legal_id, row))
            receiver, us_receive = timed(partial(wallet.receive, source.epoch_key, row, session.opening))
            closing, us_answer = timed(partial(session.answer, receiver.challenge))
            credential, us_finish = timed(partial(receiver.finish, closing))
            wallet.keep(source.epoch_key, row, credential)
            us_source, us_wallet = us_source + us_begin + us_answer, us_wallet + us_receive + us_finish
        played = apply_and_decide(self.terms, wallet, self._verifier, partial(is_bent, check_frame=check))
        us = {"source": us_source, "wallet": us_wallet + played.us["wallet"], "lender": played.us["lender"]}
        return Played(played.score, played.lender_reads, played.sizes_hold, us, played.frame)
