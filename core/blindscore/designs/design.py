"""Design and Run: the contract that every design fulfils.

A design plays its protocol over a population and records, for every party, all that the party observed. What that
is worth to the party is computed elsewhere (:mod:`blindscore.surveillance`), from the recorded views alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.parties.costs import Costs
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard

Status = Literal["documented", "reported", "article only", "recalled", "modelled"]

# What a design may claim to hold by construction. Each claim is checked by a test of the design that makes it.
VERIFIED_SCORE = "a bent score can be proved bent, with the chance that the run states"
SIGNED_DECISION = "whoever decides signs decision and threshold with the score, so that one that departs is proved"
PUBLIC_CARD = "the scorecard is public"
NO_CONDUCT = "nothing outside finance enters the score"
ONE_BIT = "the lender learns one bit"
SCORE_ONLY = "the lender learns the score and nothing else of the person"
SOURCE_BLIND = "the source learns neither the lender nor the scorecard"
CONSTANT_SIZES = "every person's messages have one size"
UNLINKABLE = "two presentations of one person cannot be linked"
# What no design holds by merely not sending something: there is a protocol, and it has to be executed.
BY_PROTOCOL = frozenset({VERIFIED_SCORE, SCORE_ONLY, SOURCE_BLIND, UNLINKABLE})


@dataclass(frozen=True)
class Rule:
    """One modelled rule of a surveillance design and how well it is documented."""

    text: str
    status: Status
    source: str


@dataclass(frozen=True)
class Run:
    """One run of a design over a population.

    ``views`` always holds the roles "scorer", "lender" and "source", and whoever else takes part ("helper",
    "auditor", "state", ...). An observer of the line and a state without a view need not be named: every run has them.

    Raises
    ------
    ParameterError
        A view stands under another role than its own, or ``plays`` names a role without a view, or one role twice.
    """

    decisions: NDArray[np.bool_]  # (n,) approved
    scores: NDArray[np.int16]  # (n,) the score that the design computes, whoever sees it
    threshold: int  # approved iff score >= threshold
    card: Card
    views: Mapping[str, View]
    costs: Costs
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    real_runs: int = 0  # cryptographic executions behind this row
    real_agree: int = 0  # of them, equal to the clear scorecard bit for bit
    totals: NDArray[np.int32] | None = None  # (n,) points before clipping; None = the scores rank as well
    rescore: Callable[[Population], NDArray[np.int16]] | None = None  # scores other people alike; None = by the card
    audit_share: float = 0.0  # probability that bending one score yields proof of it, 0..1
    train: Callable[[NDArray[np.bool_]], Card] | None = None  # the card that other past customers would have given
    epsilon: float | None = None  # of the released model, person-level
    delta: float | None = None
    distance: float | None = None  # total variation between that release with and without one person, if known
    audit: str = ""  # what an audit of that release with a planted person found, in words
    # Parties that play several roles, and which: they have one set of records. Any other role is a party of its own.
    plays: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for role, view in self.views.items():
            if view.role != role:
                raise ParameterError(f"the view of the {view.role} stands under the role {role!r}; give each its own")
        played = [role for roles in self.plays.values() for role in roles]
        unknown = sorted(set(played) - set(self.views))
        if unknown or len(set(played)) < len(played):
            raise ParameterError(
                f"parties play {', '.join(played)}; name each role once, and only roles that have a view"
            )

    def party_of(self, role: str) -> str:
        """Return the party that plays a role: the role's own name unless the run says otherwise."""
        return next((party for party, roles in self.plays.items() if role in roles), role)

    @property
    def ranks(self) -> NDArray[np.integer]:
        """What people are ranked by, (n,): points before clipping, where clipping would hide an order."""
        return self.scores if self.totals is None else self.totals

    def score(self, people: Population) -> NDArray[np.int16]:
        """Return the scores, (n,), that this run's rule gives other people: the card's, or the design's own."""
        if self.rescore is not None:
            return self.rescore(people)
        return self.card.scores(self.card.bins(people.features))


@runtime_checkable
class Design(Protocol):
    """One way to come to a credit decision; the variants differ in who else learns what.

    Designs are frozen dataclasses whose fields are their parameters (and have defaults).
    """

    @property
    def name(self) -> str:
        """Short name, as in the table."""
        ...

    @property
    def order(self) -> int:
        """Place in the table: from most watching (0) to least (100)."""
        ...

    @property
    def summary(self) -> str:
        """One sentence for a legislator."""
        ...

    @property
    def enforces(self) -> frozenset[str]:
        """Claims that hold by construction; each is checked by a test."""
        ...

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Modelled rules with source and status; empty for designs of this project's own making."""
        ...

    @property
    def feared(self) -> tuple[tuple[str, ...], ...]:
        """Sets of roles that the design's readers should fear most; singles, pairs and all are measured anyway."""
        ...

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit on past customers, play the protocol, and record every party's view.

        Pre-conditions
            - ``scorecard`` is unfitted; the design clones it and fits the clone on ``population.history`` people
            - ``rng`` serves simulation only (which people are sampled for real runs), never keys or noise
        """
        ...
