"""Points: a lender's card, shared with the helper once and authenticated, and the proof that it is used for everybody.

Enrolment, once a lender and source. Source and helper share a key phi, which grows from their line's. The source deals
the lender pads B and their tags ``N = phi B + K``, the helper K; the lender sends ``w - B``; so the helper holds the
K' for which the lender's ``N = phi w + K'``, and no point. w is the card: what each bin adds to its characteristic's
first, and, as entry 0, the total of all first bins less the least total that passes.

An application: the lender sends ``delta = w - b``, b fresh (deal.py). Then it learns weights chi, and shows ``G =
<chi, N> - tag(u)`` with ``u = <chi, b>``, which is ``phi <chi, delta> + <chi, K'> - pad(u)`` for the enrolled w. For
any other delta the lender must guess a nonzero multiple of phi, or chi was blind to the difference: 2^-46 an attempt.
Under weights that were not dealt, G would tell the helper a sum of points: the lender knows the hash of the right
ones.

Who sees what: the helper uniform values, and a G that it can compute itself. Does not protect: against lender and
source together, who know phi; against source and helper together, who know b.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import numpy as np

from blindscore.errors import ParameterError
from blindscore.scorecard.card import Card
from blindscore_crypto.layout import Layout
from blindscore_crypto.shared.deal import WIDTH
from blindscore_crypto.shared.field import DEGREE, SEED_BYTES, Numbers, T, cubic, digest, dot, expand, times
from blindscore_crypto.shared.line import Line
from blindscore_crypto.shared.rows import Shape, tags_of


@dataclass(frozen=True)
class Points:
    """What a lender keeps to itself: a card and a threshold, as one vector."""

    shape: Shape
    weights: Numbers = field(repr=False)  # w, (m + 1,), modulo t

    @classmethod
    def of(cls, card: Card, threshold: int) -> Points:
        """Return a card's points; approve from ``threshold`` on.

        Raises
        ------
        ParameterError
            The threshold is off the card's scale, or the card has more totals than the window.
        """
        scale, span = card.scale, card.max_total - card.min_total + 1
        if not scale.low < threshold <= scale.high:
            raise ParameterError(f"threshold {threshold}: must lie above {scale.low}, up to {scale.high}")
        if span > WIDTH:
            raise ParameterError(f"a card of {span} possible totals; a comparison takes {WIDTH}")
        bar = min(max(threshold, card.min_total), card.max_total + 1)  # where all or none pass, one end
        first = card.base + sum(c.points[0] for c in card.characteristics)
        others = [p - c.points[0] for c in card.characteristics for p in c.points[1:]]
        return cls(Shape.of(Layout.of(card)), np.array([first - bar, *others], np.int64) % T)


@dataclass(frozen=True)
class Enrolled:
    """The lender's side: pads and tags of its points towards one source's customers."""

    pads: Numbers = field(repr=False)  # B, (m + 1,)
    tags: Numbers = field(repr=False)  # N, (m + 1, 3)

    @classmethod
    def of(cls, shape: Shape, seed: bytes) -> Enrolled:
        """Grow from the seed that the source dealt."""
        n = shape.indicators + 1
        numbers = expand(seed, b"enrolled", n * (1 + DEGREE))
        return cls(numbers[:n], numbers[n:].reshape(n, DEGREE))

    def proof(self, chi: Numbers, tag: Numbers) -> Numbers:
        """Return G, (3,): that the masked points are the enrolled ones; ``tag`` is the tag of ``<chi, b>``, (3,)."""
        return (dot(chi, self.tags) - tag) % T


@dataclass(frozen=True)
class CardKey:
    """The helper's side: what it checks a lender's points by."""

    key: Numbers = field(repr=False)  # phi, (3,)
    pads: Numbers = field(repr=False)  # K', (m + 1, 3)

    @classmethod
    def of(cls, phi: Numbers, pads: Numbers, masked: Numbers) -> CardKey:
        """Return the key for ``w``, from the pads of ``B`` that were dealt and ``w - B``, (m + 1,)."""
        return cls(phi, (pads - times(phi, cubic(masked))) % T)

    def expects(self, chi: Numbers, delta: Numbers, pad: Numbers) -> Numbers:
        """Return the G of the enrolled points."""
        return (tags_of(self.key, delta @ chi % T, dot(chi, self.pads)) - pad) % T


def phi_of(line: Line) -> Numbers:
    """Return the key, (3,), that a source and a helper share for cards."""
    return expand(digest(b"phi", line.key), b"phi", DEGREE)


def deal_card(shape: Shape, phi: Numbers) -> tuple[Numbers, bytes]:
    """Return what a source deals helper and lender for an enrolment: K, (m + 1, 3), and a seed of 32 bytes."""
    seed = secrets.token_bytes(SEED_BYTES)
    enrolled = Enrolled.of(shape, seed)
    return (enrolled.tags - times(phi, cubic(enrolled.pads))) % T, seed
