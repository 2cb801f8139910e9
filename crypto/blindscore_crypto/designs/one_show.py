"""``one-show``: as ``sealed``, and nobody can follow: sources sign blindly, and no record of theirs meets the lender's.

Who sees what: each source its own customers' ledger, and that they fetched a signature; the lender one bit, and values
that say nothing else; lender and sources together no key that joins their records. Assumptions: decisional
Diffie-Hellman and discrete logarithms in the group, SHA-512 as a random oracle, Ed25519, an encrypted channel, and for
what the log shows, that fewer than two of three witnesses help it to cheat. Not protected: the time at which a person
fetches and applies; what a loan contract later tells the lender.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blindscore.designs.design import UNLINKABLE, Rule, Run
from blindscore.parties.cast import Cast, StoreOf
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.designs.sealed import Sealed, one_bit_run
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.parties.cast import cast


@dataclass(frozen=True)
class OneShow:
    """One bit under a public scorecard, from blind signatures that nobody recognises."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 64  # people for whom the protocol is executed
    group: str = "P-256"  # or "ristretto255", which is faster and needs the package rbcl

    name = "one-show"
    order = 90
    summary = "As sealed, and even the lender and the bank together cannot tell whose application they see."
    enforces = Sealed.enforces | {UNLINKABLE}
    rules: tuple[Rule, ...] = ()
    feared = Sealed.feared

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def cast(self, card: Card, threshold: int, population: Population, store_of: StoreOf) -> Cast:
        """Return who plays this design for real."""
        return cast(card, threshold, population, store_of, blind=True, group=group_named(self.group))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Execute the protocol for a sample, then record the ideal view; see :mod:`blindscore.designs.design`."""
        return one_bit_run(self, population, scorecard, rng, linkable=False)
