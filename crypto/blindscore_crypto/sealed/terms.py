"""Terms and offers: the public side of an application, the same for everybody.

Terms are published: lender, card, threshold, sources. An offer is the lender's signed invitation to prove that these
terms are met: it carries a nonce and the day, and commits the lender to approve whoever proves it. A lender that
invents a threshold for one person finds no wallet that answers.

Who sees what: everything here is public. Assumptions: SHA-256, Ed25519.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.attestation import Attestation, u32
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.layout import Layout
from blindscore_crypto.sealed.proofs.linear_proof import LinearProof
from blindscore_crypto.sealed.proofs.range_proof import MAX_BITS, RangeProof

NONCE_BYTES = 16
OFFER_BYTES = 4 + 32 + NONCE_BYTES + 4 + 4 + SIGNATURE_BYTES
_MAGIC = b"BSO1"


@dataclass(frozen=True)
class Terms:
    """What a lender publishes: approved if, and only if, score >= threshold under this card.

    Raises
    ------
    ParameterError
        The threshold is no threshold: outside (low, high], where clipping would change its meaning, or out of reach.
    DataError
        Layouts and source keys do not pair up, or do not cover the card's features exactly once.
    """

    lender: str
    lender_key: VerifyingKey
    card: Card
    threshold: int
    layouts: tuple[Layout, ...]
    source_keys: tuple[VerifyingKey, ...]
    group: Group = P256_GROUP

    def __post_init__(self) -> None:
        scale = self.card.scale
        if not scale.low < self.threshold <= scale.high:
            # Only there does the clipped score pass the threshold exactly when the sum of points does.
            raise ParameterError(f"threshold {self.threshold} must lie above {scale.low} and at most at {scale.high}")
        if self.threshold > self.card.max_total:
            raise ParameterError(
                f"threshold {self.threshold} is out of reach: the card gives {self.card.max_total} at most"
            )
        if len(self.layouts) != len(self.source_keys):
            raise DataError(f"{len(self.layouts)} layouts need as many source keys, got {len(self.source_keys)}")
        if sorted(f for layout in self.layouts for f in layout.features) != sorted(self.card.features):
            raise DataError("the sources' layouts must cover the card's features, each exactly once")
        if self.bits > MAX_BITS or self.group.order.bit_length() < 252:
            raise ParameterError("the points span more than a range proof covers, or the group is too small")

    @cached_property
    def bits(self) -> int:
        """k: score - threshold lies in [0, 2^k) for everybody who passes; the same for all, so it tells nothing."""
        return max(1, (self.card.max_total - self.threshold).bit_length())

    @cached_property
    def linear(self) -> tuple[int, tuple[int, ...]]:
        """(constant, weights): score - threshold = constant + weights . committed bits, over all sources in order."""
        constant, weights = self.card.base - self.threshold, []
        for layout in self.layouts:
            c, w = layout.weights(self.card)
            constant += c
            weights += w
        return constant, tuple(weights)

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of all of it; names these terms in offers and proofs."""
        digest = hashlib.sha256(b"blindscore/sealed/v1/terms")
        for part in self._parts():
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    @property
    def log_entry(self) -> bytes:
        """What the public log (:mod:`.log`) holds of these terms."""
        return b"terms" + self.fingerprint

    def _parts(self) -> list[bytes]:
        """Everything that the terms consist of."""
        parts = [self.lender.encode(), self.lender_key.raw, bytes.fromhex(self.card.fingerprint)]
        parts += [self.threshold.to_bytes(4, "big", signed=True), self.group.name.encode()]
        return parts + [layout.fingerprint for layout in self.layouts] + [key.raw for key in self.source_keys]

    @cached_property
    def attestation_sizes(self) -> tuple[int, ...]:
        """Bytes of each source's attestation."""
        return tuple(Attestation.size(self.group, layout) for layout in self.layouts)

    @cached_property
    def frame_bytes(self) -> int:
        """Bytes of every answer to an offer under these terms, proof or refusal."""
        others = len(self.layouts) - 1
        proofs = LinearProof.size(self.group, others, others) + RangeProof.size(self.group, self.bits)
        return 1 + OFFER_BYTES + sum(self.attestation_sizes) + proofs


@dataclass(frozen=True)
class Offer:
    """One signed invitation to prove."""

    terms_fingerprint: bytes
    nonce: bytes
    epoch: int  # attestations of this issuing period are asked for
    day: int  # days since 1970-01-01
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the lender put its name to."""
        head = _MAGIC + self.terms_fingerprint + self.nonce
        return head + u32("epoch", self.epoch) + u32("day", self.day)

    def encode(self) -> bytes:
        """Return the bytes that travel, always as many."""
        return self.signed + self.signature

    @classmethod
    def make(cls, terms: Terms, key: SigningKey, *, epoch: int, day: int) -> Offer:
        """Sign a fresh offer."""
        bare = cls(terms.fingerprint, os.urandom(NONCE_BYTES), epoch, day, b"")
        return cls(bare.terms_fingerprint, bare.nonce, epoch, day, key.sign(bare.signed, Purpose.OFFER))

    @classmethod
    def decode(cls, terms: Terms, data: bytes) -> Offer:
        """Return the offer that `data` encodes, after checking that these terms' lender signed it.

        Raises
        ------
        ForgeryError
            Wrong length, other terms, or a bad signature.
        """
        if len(data) != OFFER_BYTES or data[:4] != _MAGIC:
            raise ForgeryError(f"an offer has {OFFER_BYTES} bytes and begins with {_MAGIC.decode()}")
        if offer_terms(data) != terms.fingerprint:
            raise ForgeryError("the offer is for other terms (lender, card, threshold or sources differ)")
        terms.lender_key.require(data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:], Purpose.OFFER)
        at = 36 + NONCE_BYTES
        epoch, day = int.from_bytes(data[at : at + 4], "big"), int.from_bytes(data[at + 4 : at + 8], "big")
        return cls(data[4:36], data[36:at], epoch, day, data[-SIGNATURE_BYTES:])


def offer_terms(data: bytes) -> bytes:
    """Return the fingerprint of the terms that an encoded offer names; it says nothing about who signed it."""
    return data[4:36]
