"""``sealed``: one bit for the lender, score >= threshold under a public scorecard; sources sign commitments to bins.

Who sees what: each source its own customers' ledger and the commitments that it signed; the lender one bit, and
commitments that hide the rest; log and witnesses what is public anyway; the person everything. Assumptions: discrete
logarithms in the group, Ed25519, SHA-512 as a random oracle, an encrypted channel, and for what the log shows, that
fewer than two of three witnesses help it to cheat. Not protected: a source that keeps what it signed recognises it at
the lender (both views carry the handle ``attestation``). The ``one-show`` design removes that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SOURCE_BLIND,
    VERIFIED_SCORE,
    Rule,
    Run,
)
from blindscore.designs.plain import LENDER_SCORES, bank_view, everyone, scoring_lender
from blindscore.parties.cast import Cast, StoreOf
from blindscore.parties.store import MemoryStore
from blindscore.parties.view import Column, View, columns, empty_view
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import Sampled, execute, fit
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.parties.cast import cast

HANDLE = "attestation"
BYSTANDERS = ("log", "witness")  # they hold what is public


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
    feared = (("lender", "source"), ("lender", "log"))

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def cast(self, card: Card, threshold: int, population: Population, store_of: StoreOf) -> Cast:
        """Return who plays this design for real."""
        return cast(card, threshold, population, store_of, blind=False, group=group_named(self.group))

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Execute the protocol for a sample, then record the ideal view; see :mod:`blindscore.designs.design`."""
        return one_bit_run(self, population, scorecard, rng, linkable=True)


class OneBit(Sampled, Protocol):
    """A design of this kind: how many people it plays, whom it approves, in which group, and who plays it."""

    @property
    def group(self) -> str:
        """Name of the group."""
        ...

    def cast(self, card: Card, threshold: int, population: Population, store_of: StoreOf) -> Cast:
        """Return who plays."""
        ...


def one_bit_run(
    design: OneBit, population: Population, scorecard: Scorecard, rng: np.random.Generator, *, linkable: bool
) -> Run:
    """Fit the card, play the protocol for a sample of people, and hold the ideal one-bit views of all to what was seen.

    Parameters
    ----------
    linkable
        Lender and source both hold what the source signed, so that a handle joins their records.
    """
    fitted = fit(population, scorecard, design.approve)
    card, threshold = fitted.card, fitted.threshold
    views = _views(population, fitted.decisions, rng, linkable=linkable)
    # Two at least: only beside another person's can a string be told to be one person's own, not everybody's.
    sample = min(max(design.sample, 2), len(population))
    chosen = np.sort(rng.choice(len(population), size=sample, replace=False))
    made = design.cast(card, threshold, some_people(population, chosen), lambda _: MemoryStore())
    played = execute(made, population, chosen, views, fitted.decisions)
    agree = sum(
        not end.bent and end.score == fitted.scores[i] and end.decision == bool(fitted.decisions[i])
        for i, end in played.endings.items()
    )
    parameters = {
        "group": design.group,
        "threshold": threshold,
        "approve": design.approve,
        "sources": len({population.schema[name].source for name in card.features}),
        "range_bits": max(1, (card.max_total - threshold).bit_length()),
        "commitments": sum(n - 1 for n in card.n_bins),
    }
    return Run(
        decisions=fitted.decisions,
        scores=fitted.scores,
        totals=fitted.totals,
        threshold=threshold,
        card=card,
        views={**played.views, **scoring_lender(played.views["lender"])},
        plays=LENDER_SCORES,
        costs=played.costs,
        parameters=MappingProxyType(parameters),
        real_runs=played.real_runs,
        real_agree=min(int(agree), played.real_agree),
        train=fitted.train,
        audit_share=1.0,  # the applicant holds papers that any judge can check
    )


def _views(
    population: Population, approved: NDArray[np.bool_], rng: np.random.Generator, *, linkable: bool
) -> dict[str, View]:
    """Return what each party has of everybody, by the protocol's argument."""
    clear = pd.DataFrame({"approved": approved.astype(np.int8)})
    source = bank_view(population)
    if linkable:
        # The name under which a source finds a commitment again at the lender; who is refused shows the lender none.
        signed = rng.permutation(len(population)).astype(np.int64)
        clear[HANDLE] = np.where(approved, signed, -1)
        source = bank_view(population, **{HANDLE: signed})
    told = (Column("approved", "decision"), *columns("handle", [HANDLE] if linkable else []))
    lender = View("lender", "one-time", clear, told, everyone(population), universe=2)
    return {"lender": lender, "source": source} | {role: empty_view(role, len(population)) for role in BYSTANDERS}


def some_people(population: Population, chosen: NDArray[np.int64]) -> Population:
    """Return some of the people, without what only all of them have."""

    def rows(table: pd.DataFrame) -> pd.DataFrame:
        return table.iloc[chosen].reset_index(drop=True)

    return replace(
        population,
        features=rows(population.features),
        default=population.default[chosen],
        sensitive=rows(population.sensitive),
        register=rows(population.register),
        history=population.history[chosen],
        friends=None,
        visits=None,
    )
