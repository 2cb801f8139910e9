"""Design, View and Run: the contract that every design fulfils.

A design plays its protocol over a population and records, for every party, all that the party observed. What that
is worth to the party is computed elsewhere (:mod:`blindscore.surveillance`), from the recorded views alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard

KeyedBy = Literal["legal id", "pairwise", "one-time"]
Status = Literal["documented", "reported", "article only", "recalled", "modelled"]

# What a design may claim to hold by construction. Each claim is checked by a test of the design that makes it.
VERIFIED_SCORE = "a bent score can be proved bent, with the chance that the run states"
PUBLIC_CARD = "the scorecard is public"
NO_CONDUCT = "nothing outside finance enters the score"
ONE_BIT = "the lender learns one bit"
SCORE_ONLY = "the lender learns the score and nothing else of the person"
SOURCE_BLIND = "the source learns neither the lender nor the scorecard"
CONSTANT_SIZES = "every person's messages have one size"
UNLINKABLE = "two presentations of one person cannot be linked"


@dataclass(frozen=True)
class Rule:
    """One modelled rule of a surveillance design and how well it is documented."""

    text: str
    status: Status
    source: str


@dataclass(frozen=True, eq=False)
class View:
    """All that one party has after a run.

    Row i of ``clear`` is one record; ``person[i]`` says whose it is. ``person`` belongs to the experimenter: the party
    itself knows it only where ``keyed_by == "legal id"``, and for a pairwise pseudonym knows merely that records
    with one pseudonym belong together.
    """

    party: str
    keyed_by: KeyedBy
    clear: pd.DataFrame  # every value that the party can read, one row a record
    person: NDArray[np.int64]  # (rows,) index into the population
    opaque_bytes: int = 0  # ciphertext and commitments held, a person
    friends: NDArray[np.int32] | None = None
    visits: pd.DataFrame | None = None
    messages: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["hour", "bytes_up", "bytes_down"]))
    stored: tuple[str, ...] | None = None  # columns of `clear` readable at rest after the decision; None = all
    handles: tuple[str, ...] = ()  # columns of `clear` that are join keys, not values (a commitment, a pseudonym)
    received: bytes = b""  # one real message to this party, as it lay on the wire; empty where nothing was executed
    universe: int | None = None  # how many different rows of values are possible at all; None = no finite bound used

    @cached_property
    def ties(self) -> str:
        """SHA-256 over the friendships and visits that are read, hexadecimal."""
        digest = hashlib.sha256()
        for table in (self.friends, self.visits):
            digest.update(b"none" if table is None else np.ascontiguousarray(table).tobytes())
        return digest.hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the records' values, hexadecimal: equal views are attacked once.

        Join keys and columns that are the same for everybody tell nobody apart, so they do not count.
        """
        told = [c for c in self.clear.columns if c not in self.handles and self.clear[c].nunique(dropna=False) > 1]
        shown = self.clear[told]
        head = f"{self.keyed_by}|{'|'.join(map(str, shown.columns))}"
        digest = hashlib.sha256(f"{head}|{self.ties}".encode())
        digest.update(pd.util.hash_pandas_object(shown, index=False).to_numpy().tobytes())
        digest.update(self.person.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Costs:
    """What a run costs, a person unless said otherwise."""

    us_per_person: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))  # by role, microseconds
    bytes_up: int = 0  # applicant -> lender
    bytes_down: int = 0  # lender -> applicant
    keys_bytes: int = 0  # once


@dataclass(frozen=True)
class Run:
    """One run of a design over a population.

    ``views`` always holds the keys "scorer", "lender" and "source" (the same object twice where one party plays two
    roles), and may hold "observer" and "state".
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

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Fit on past customers, play the protocol, and record every party's view.

        Pre-conditions
            - ``scorecard`` is unfitted; the design clones it and fits the clone on ``population.history`` people
            - ``rng`` serves simulation only (which people are sampled for real runs), never keys or noise
        """
        ...
