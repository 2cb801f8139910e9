"""Verifier: the lender's side, and the judge who holds it to its word.

Who sees what: the lender learns one bit a presentation and holds commitments, which hide. A judge is handed a
frame and the lender's signed answer by the applicant, and learns that bit too. Not protected: an attestation shown to
two lenders, or shown to a lender that colludes with its source, is recognised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.nullifiers import MemoryNullifiers, Nullifiers
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey
from blindscore_crypto.sealed.presentation import Checked, check
from blindscore_crypto.sealed.terms import Offer, Terms

DECISION_BYTES = 1 + SIGNATURE_BYTES
Check = Callable[[Terms, bytes], Checked]


@dataclass(frozen=True)
class Decision:
    """The lender's signed answer to one frame."""

    approved: bool
    signature: bytes

    def encode(self) -> bytes:
        """Return 65 bytes, always."""
        return bytes([self.approved]) + self.signature

    @classmethod
    def decode(cls, terms: Terms, frame: bytes, data: bytes) -> Decision:
        """Return the decision, after checking that the lender signed it for this frame.

        Raises
        ------
        ForgeryError
            Wrong length, or not signed by this lender for this frame.
        """
        if len(data) != DECISION_BYTES or data[0] > 1:
            raise ForgeryError(f"a decision has {DECISION_BYTES} bytes and says 0 or 1")
        terms.lender_key.require(_decided(frame, bool(data[0])), data[1:], Purpose.DECISION)
        return cls(bool(data[0]), data[1:])


def _decided(frame: bytes, approved: bool) -> bytes:
    return hashlib.sha256(frame).digest() + bytes([approved])


class Verifier:
    """A lender. Holds its signing key and spent nullifiers; there is no method through which a score could reach it."""

    def __init__(
        self, terms: Terms, key: SigningKey, spent: Nullifiers | None = None, check_frame: Check = check
    ) -> None:
        if key.public != terms.lender_key:
            raise ForgeryError("this signing key is not the one that the terms publish")
        self.terms = terms
        self._key = key
        self._check = check_frame
        self._spent: Nullifiers = MemoryNullifiers() if spent is None else spent

    def offer(self, *, epoch: int, day: int) -> bytes:
        """Return a fresh signed offer."""
        return Offer.make(self.terms, self._key, epoch=epoch, day=day).encode()

    def decide(self, frame: bytes, *, day: int) -> bytes:
        """Check a frame, spend its nullifiers, and return the signed decision. The same frame gets the same answer.

        Raises
        ------
        ForgeryError
            Malformed, forged, out of date, or an attestation or offer that another frame has used.
        """
        checked = self._check(self.terms, frame)
        if checked.offer.day != day:
            raise ForgeryError("the offer was made on another day; ask for a new one")
        if not self._spent.spend(checked.nullifiers, hashlib.sha256(frame).digest()):
            raise ForgeryError("this offer or one of these attestations was used before; fetch fresh ones")
        return self.sign_decision(frame, checked.approved).encode()

    def sign_decision(self, frame: bytes, approved: bool) -> Decision:
        """Put the lender's name to an answer, true or not: what it signs can be held against it."""
        return Decision(approved, self._key.sign(_decided(frame, approved), Purpose.DECISION))


def is_bent(terms: Terms, frame: bytes, decision: bytes, check_frame: Check = check) -> bool:
    """Judge: did this lender answer otherwise than its published terms demand?

    Needs no secret of anybody, so the applicant can have anyone judge. True is proof against the lender.

    Raises
    ------
    ForgeryError
        The decision was not signed by this lender for this frame, or the frame proves nothing.
    """
    answered = Decision.decode(terms, frame, decision).approved
    return answered != check_frame(terms, frame).approved
