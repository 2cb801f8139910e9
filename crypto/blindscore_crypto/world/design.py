"""The base of the credentials' designs, and what they share: whom to fear, what a status list tells, one rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.world import credential
from blindscore_crypto.world.credential import Kept

FEARED = (("lender", "second lender"), ("lender", "source"), ("scorer", "state"))
STATUS_LIST = (
    "By a status list, fetched whole: the issuer learns that a lender fetched it, nothing of whom. A look-up of one "
    "entry (look_up) tells it who applies where. Batches live for a day instead, since numbers of one batch resemble "
    "one another."
)
SHORT_LIVED = "None: a document lives for a day and is issued anew, so nobody looks anything up."
SCORE = Rule(
    "the bank or a bureau issues the score, computed by the same card, and the lender asks for it",
    "modelled",
    "this project",
)
BAND = Rule(
    "the bank or a bureau issues the score, and the lender asks whether it reaches the threshold",
    "modelled",
    "this project",
)


@dataclass(frozen=True)
class Credential:
    """What the designs share; each names its scheme."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 16  # people for whom the library is run
    batch: int = 1  # credentials that are fetched at once
    look_up: bool = False  # the lender asks for the status of one credential, instead of the whole list

    name: ClassVar[str] = ""
    order: ClassVar[int] = 50
    extra: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    kept: ClassVar[Kept]
    enforces: ClassVar[frozenset[str]] = frozenset({NO_CONDUCT})
    rules: ClassVar[tuple[Rule, ...]] = ()
    feared: ClassVar[tuple[tuple[str, ...], ...]] = FEARED
    questions: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __post_init__(self) -> None:
        check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Run the library for a sample; see :class:`blindscore.designs.design.Design`."""
        credential.check(self.sample, self.batch, self.extra)
        return credential.run(
            self.kept, population, scorecard, rng, self.approve, self.sample, self.batch, self.look_up
        )
