"""Random scorecards and people for the encrypted tests, and one application played to its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.protocol import Applicant, Lender, Outcome, Source

DAY = 20_000


def random_card(rng: np.random.Generator, characteristics: int = 24, bins: int = 6, largest: int = 60) -> Card:
    """Return a card with ``characteristics`` of up to ``bins`` bins and points within +-largest."""
    made = []
    for j in range(characteristics):
        n = int(rng.integers(2, bins + 1))
        points = tuple(int(p) for p in rng.integers(-largest, largest + 1, n))
        made.append(Characteristic(f"f{j}", points, tuple(float(e) for e in range(n - 2))))
    return Card(tuple(made), int(rng.integers(300, 700)))


def random_bins(rng: np.random.Generator, card: Card, people: int) -> NDArray[np.int64]:
    """Return bins of shape (people, d), each within its characteristic."""
    return np.stack([rng.integers(0, n, people) for n in card.n_bins], axis=1)


@dataclass
class World:
    """A lender, a source that it believes, and the means to play one application."""

    card: Card
    source: Source
    lender: Lender

    @classmethod
    def of(cls, card: Card, parameters: Parameters | None = None, **settings: int) -> World:
        source = Source()
        return cls(card, source, Lender("the lender", card, [source.public], parameters, clock=lambda: DAY, **settings))

    def applicant(self, **settings: bytes) -> Applicant:
        return Applicant("the lender", self.lender.layout, self.lender.parameters, **settings)

    def application(self, bins: NDArray[np.int64], applicant: Applicant, day: int = DAY) -> bytes:
        return applicant.apply(self.source.attest(applicant.ask(), "p-1", bins, day))

    def score(self, bins: NDArray[np.int64]) -> Outcome:
        applicant = self.applicant()
        return self.lender.conclude(applicant.open(self.lender.answer(self.application(bins, applicant))))
