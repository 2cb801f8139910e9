"""Terms: what a proving lender publishes once: a commitment to each bin's points, and all else that a score hangs on.

Who sees what: everybody everything here; of the points nothing (Pedersen commitments hide perfectly, whatever computer
one has), of how far totals may lie apart a power of two. Assumption: discrete logarithms, for binding alone: a lender
that computes one while it answers can bend a score, and nobody can read a point off a recording later. Does not
protect: against a card that is unfair to all alike, or whose points are made to tell bins apart, as far as totals in
[-half, half] can. That everybody is shown the same terms is the public log's work: see :mod:`.published`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from blindscore.errors import CardError, ForgeryError
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, VerifyingKey
from blindscore_crypto.encrypted.parties.lender import check_threshold
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.layout import MAX_BYTES as MAX_LAYOUT
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import Group, Point, random_scalar
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.terms import LOAN, Epoch
from blindscore_crypto.sealed.wire import Reader, blob, text

LEAST_HALF, MOST_HALF = 1 << 10, 1 << 13  # points: totals lie within +-half of the offset
MAX_BYTES = 1 << 20  # of encoded terms
_MAGIC = b"BSP1"
_FACTS = struct.Struct(">hiiih")  # half, offset, threshold, low, high


@dataclass(frozen=True)
class Committed:
    """A card's points as their lender keeps them: with the blindings of their commitments."""

    points: Points
    blindings: tuple[int, ...] = field(repr=False)  # (D,), uniform


@dataclass(frozen=True)
class ProvedTerms:
    """How to apply, and what any score must be."""

    lender: str
    signs: VerifyingKey  # key of replies, unmaskings and results
    group: Group
    layout: Layout
    commitments: bytes  # of each bin, in the layout's order
    half: int  # no total lies further from the offset
    offset: int  # points of a person all of whose bins are in the middle
    threshold: int  # approved from here on
    low: int  # the scale's ends
    high: int
    epoch: Epoch  # in force until its last day
    purpose: str = LOAN

    @classmethod
    def of(
        cls,
        lender: str,
        signs: VerifyingKey,
        group: Group,
        card: Card,
        threshold: int,
        epoch: Epoch,
        purpose: str = LOAN,
    ) -> tuple[ProvedTerms, Committed]:
        """Commit to a card; return what is published and what is kept.

        Raises
        ------
        CardError
            Totals lie too far apart.
        ParameterError
            The threshold is not on the card's scale.
        """
        check_threshold(card, threshold)
        points, layout, pedersen = Points.of(card), Layout.of(card), Pedersen(group)
        widest = max(-points.low, points.high)
        if widest > MOST_HALF:
            raise CardError(f"totals lie {widest} points from their middle, at most {MOST_HALF} are possible; rescale")
        kept = Committed(points, tuple(random_scalar(group) for _ in range(layout.size)))
        pairs = zip(points.weights.tolist(), kept.blindings, strict=True)
        made = b"".join(group.encode(pedersen.commit(w, rho)) for w, rho in pairs)
        half = max(LEAST_HALF, 1 << (widest - 1).bit_length())  # a power of two: no point of a card shows in it
        scale = card.scale
        facts = (half, points.offset, threshold, scale.low, scale.high)
        return cls(lender, signs, group, layout, made, *facts, epoch, purpose), kept

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 (32 bytes) over all of the terms; every reply names it."""
        return hashlib.sha256(b"blindscore/proved/terms/v2" + self.encode()).digest()

    def encode(self) -> bytes:
        """Return the document's bytes, as the log holds them."""
        facts = _FACTS.pack(self.half, self.offset, self.threshold, self.low, self.high)
        head = _MAGIC + text("lender", self.lender) + self.signs.raw + text("purpose", self.purpose)
        head += self.epoch.encode() + text("group", self.group.name) + facts
        return head + blob(self.layout.encode()) + blob(self.commitments)

    @classmethod
    def decode(cls, data: bytes) -> ProvedTerms:
        """Return the terms that these bytes encode, checked whole.

        Raises
        ------
        ForgeryError
            Malformed, or terms that could not stand.
        """
        if not isinstance(data, bytes) or len(data) > MAX_BYTES:
            raise ForgeryError(f"proved terms: not bytes, or longer than {MAX_BYTES}")
        return _decoded(data)

    def require_sound(self) -> None:
        """Return if terms like these can stand.

        Raises
        ------
        CardError
            A commitment is missing, or bounds, scale and threshold do not go together.
        ForgeryError
            A commitment is no element of the group.
        """
        if self.half not in {LEAST_HALF << i for i in range((MOST_HALF // LEAST_HALF).bit_length())}:
            raise CardError(f"totals within {self.half} points of their middle: it is no power of two in bounds")
        if not self.low < self.threshold <= self.high:
            raise CardError(f"threshold {self.threshold} must lie above {self.low} and at most at {self.high}")
        _ = self.points

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The commitments as group elements, (D,).

        Raises
        ------
        ForgeryError
            One of them is none.
        """
        width = self.group.point_bytes
        if len(self.commitments) != width * self.layout.size:
            raise CardError("the terms have not one commitment a bin; take them afresh")
        return tuple(
            self.group.decode(self.commitments[at : at + width]) for at in range(0, len(self.commitments), width)
        )

    def total(self, ones: Sequence[int], value: int, blinding: int) -> int | None:
        """Return v if value and blinding open the sum of the commitments at ``ones``; None if they do not.

        ``value`` is v modulo the group's order; v must lie within +-half.
        """
        order = self.group.order
        v = value if value <= order // 2 else value - order
        total = self.group.identity()
        for one in ones:
            total = self.group.add(total, self.points[one])
        if abs(v) > self.half or not self.group.equal(total, Pedersen(self.group).commit(v, blinding)):
            return None
        return v

    def score(self, v: int) -> tuple[int, bool]:
        """Return score and decision that follow from v."""
        score = min(max(self.offset + v, self.low), self.high)
        return score, score >= self.threshold


@lru_cache(maxsize=16)  # keeper, witnesses and wallets read one document again and again
def _decoded(data: bytes) -> ProvedTerms:
    reader = Reader("proved terms", data)
    reader.magic(_MAGIC)
    try:
        lender, signs = reader.text(), VerifyingKey(reader.take(PUBLIC_BYTES))
        purpose, epoch = reader.text(), Epoch(reader.number(4), reader.number(4))
        group = group_named(reader.text())
        half, offset, threshold, low, high = _FACTS.unpack(reader.take(_FACTS.size))
        layout, made = Layout.decode(reader.blob(MAX_LAYOUT)), reader.blob(MAX_BYTES)
        reader.end()
        facts = (half, offset, threshold, low, high, epoch, purpose)
        terms = ProvedTerms(lender, signs, group, layout, made, *facts)
        terms.require_sound()
    except ValueError as error:
        raise ForgeryError(f"proved terms: {error}") from None
    if terms.encode() != data:  # the log and every reply name the bytes: one document, one name
        raise ForgeryError("proved terms: not in the one form that they have")
    return terms
