"""The designs of credentials: one frozen record each, with its rules, the four questions and whom to fear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from blindscore.designs.design import NO_CONDUCT, SCORE_ONLY, Rule, Run
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.world import credential, mdoc, sd_jwt
from blindscore_crypto.world.credential import Kept

FEARED = (("lender", "second lender"), ("lender", "source"), ("scorer", "state"))
STATUS_LIST = (
    "By a status list, fetched whole: the issuer learns that a lender fetched it, nothing of whom. A look-up of one "
    "entry (look_up) tells it who applies where. Batches live for a day instead, since numbers of one batch resemble "
    "one another."
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
        if self.name:
            from blindscore_crypto.designs.sample import check_sample

            check_sample(self.sample)

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Run the library for a sample; see :class:`blindscore.designs.design.Design`."""
        credential.check(self.sample, self.batch, self.extra)
        return credential.run(
            self.kept, population, scorecard, rng, self.approve, self.sample, self.batch, self.look_up
        )


RFC = Rule(
    "a holder opens salted digests of its choice under one signature, and proves that it holds the key",
    "documented",
    "RFC 9901, Selective Disclosure for JSON Web Tokens; run by the package sd-jwt",
)
ISO = Rule(
    "a holder opens salted digests of its choice under one signature, and its device signs the session",
    "documented",
    "ISO/IEC 18013-5; run by the package pymdoccbor, the device's signature by this project",
)
BY_CHOICE = Rule(
    "the bank issues the financial figures, the lender asks for all of them and scores them itself",
    "modelled",
    "this project",
)
SCORE = Rule(
    "the bank or a bureau issues the score, computed by the same card, and the lender asks for it",
    "modelled",
    "this project",
)


@dataclass(frozen=True)
class SdJwt(Credential):
    """Figures disclosed by choice."""

    name = "sd-jwt"
    order = 34
    extra = "sd-jwt"
    summary = "Your bank signs your figures; you open them to the lender without your name."
    kept = Kept(sd_jwt.scheme, "features", linkable=True)
    rules = (RFC, BY_CHOICE)
    questions = MappingProxyType(
        {
            "hidden": "Name and register; of the figures nothing that the lender asks for.",
            "linkable": "Every use, by signature, digests and key; in batches still by the exact figures.",
            "issuer": "Not from the presentation; but it knows the signature again if it is shown it.",
            "revocation": STATUS_LIST,
        }
    )


@dataclass(frozen=True)
class SdJwtScore(Credential):
    """A score disclosed."""

    name = "sd-jwt-score"
    order = 36
    extra = "sd-jwt"
    summary = "A bureau signs your score; you show it to the lender without your name."
    kept = Kept(sd_jwt.scheme, "score", linkable=True)
    enforces = frozenset({NO_CONDUCT, SCORE_ONLY})
    rules = (RFC, SCORE)
    questions = MappingProxyType(
        {
            "hidden": "Everything but the score.",
            "linkable": "Every use of one credential, by signature, digests and key; in batches only by its issuer.",
            "issuer": "Not from the presentation; but it knows the signature again if it is shown it.",
            "revocation": STATUS_LIST,
        }
    )


@dataclass(frozen=True)
class Mdoc(Credential):
    """A score in a mobile document."""

    name = "mdoc"
    order = 37
    extra = "mdoc"
    summary = "A bureau puts your score into a mobile document; your phone shows it to the lender without your name."
    kept = Kept(mdoc.scheme, "score", linkable=True)
    enforces = frozenset({NO_CONDUCT, SCORE_ONLY})
    rules = (ISO, SCORE)
    questions = MappingProxyType(
        {
            "hidden": "Everything but the score.",
            "linkable": "Every use of one document, by signature, digests and key; in batches only by its issuer.",
            "issuer": "Not from the presentation; but it knows the signature again if it is shown it.",
            "revocation": STATUS_LIST,
        }
    )
