"""Presentation: the one message from applicant to lender, proving score >= threshold under the published card.

Relation: the sources' attestations commit to bins of one and the same person, and constant + weights . bits, which is
score - threshold, lies in [0, 2^k). The lender adds up the commitments itself (they are homomorphic), so the applicant
cannot choose what is proven. Total points lie within [min_total, max_total] since the sources vouch for the bins; 2^k
is far below the group order, so a negative difference wraps to a number of 250 bits and has no proof.

The whole offer and all attestations enter the Fiat-Shamir hash: a proof says nothing to another lender, threshold,
card, nonce or epoch. Who sees what: the lender learns that the statement holds. Whoever is shown the message sees the
attestations' commitments, which recur only if an attestation is shown twice. Assumptions: those of :mod:`.range_proof`
and Ed25519. A refusal is a frame of the same size without content. Sizes hide nothing from whoever reads the clear
frame: an encrypted channel must carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.attestation import Attestation
from blindscore_crypto.sealed.groups.group import Group, Point
from blindscore_crypto.sealed.proofs import linear_proof
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof, prove, verify_batch
from blindscore_crypto.sealed.terms import OFFER_BYTES, Offer, Terms

PROOF, DECLINE = b"\x01", b"\x00"


def decline(terms: Terms, offer: Offer) -> bytes:
    """Return a refusal: the applicant does not, or does not wish to, meet the terms. As long as a proof."""
    return (DECLINE + offer.encode()).ljust(terms.frame_bytes, b"\0")


def difference(terms: Terms, attestations: Sequence[Attestation]) -> Point:
    """Return the commitment to score - threshold, from public things alone."""
    pedersen = Pedersen(terms.group)
    constant, weights = terms.linear
    points = [point for attestation in attestations for point in attestation.commitments]
    return terms.group.combine([*weights, constant], [*points, pedersen.value_base])


def present(
    terms: Terms,
    offer: Offer,
    attestations: Sequence[Attestation],
    holder_blindings: Sequence[int],
    value: int,
    blinding: int,
) -> bytes:
    """Return the frame that proves the terms met.

    Parameters
    ----------
    attestations
        One a source, in the terms' order.
    holder_blindings
        Openings of the attestations' holder commitments.
    value, blinding
        Opening of :func:`difference`: score - threshold, and the weighted sum of blindings.

    Raises
    ------
    ParameterError
        The value does not lie in [0, 2^k): there is no such proof.
    """
    group = terms.group
    transcript = _transcript(terms, offer.encode(), [a.encode() for a in attestations])
    first, *others = holder_blindings
    links = linear_proof.prove(
        group, one_holder_equations(group, attestations), [first - other for other in others], transcript
    ).encode(group)
    transcript.absorb(b"links", links)
    proof = prove(Pedersen(group), value, blinding, terms.bits, transcript)
    return PROOF + offer.encode() + b"".join(a.encode() for a in attestations) + links + proof.encode(group)


@dataclass(frozen=True)
class Checked:
    """What a frame amounts to."""

    approved: bool
    offer: Offer
    nullifiers: tuple[bytes, ...]  # spend all of them together; the offer's own first

    @staticmethod
    def of(offer: Offer, shown: Sequence[bytes]) -> Checked:
        """Approved if anything was shown; `shown` are the nullifiers of what was."""
        once = hashlib.sha256(b"blindscore/sealed/v1/offer-nullifier" + offer.encode()).digest()
        return Checked(bool(shown), offer, (once, *shown))


def check(terms: Terms, frame: bytes) -> Checked:
    """Check one frame; see :func:`check_many`."""
    return check_many(terms, [frame])[0]


def check_many(terms: Terms, frames: Sequence[bytes]) -> list[Checked]:
    """Check frames against the terms they answer, all range proofs in one batch.

    Raises
    ------
    ForgeryError
        One of the frames is malformed, not for these terms, expired, altered, or proves nothing. Check one by one to
        learn which.
    """
    checked, claims = [], []
    for frame in frames:
        offer, attestations, claim = _parse(terms, frame)
        checked.append(Checked.of(offer, [a.nullifier for a in attestations]))
        claims += claim
    if claims and not verify_batch(Pedersen(terms.group), claims):
        raise ForgeryError("a range proof does not hold: score >= threshold is not proven under these terms")
    return checked


def open_frame(terms: Terms, frame: bytes) -> tuple[Offer, bool]:
    """Return a frame's offer, and whether it claims to be a proof; the claim is still to be checked.

    Raises
    ------
    ForgeryError
        Wrong size or tag, an offer that this lender did not sign, or a refusal that is not empty.
    """
    if len(frame) != terms.frame_bytes:
        raise ForgeryError(f"a frame under these terms has {terms.frame_bytes} bytes, got {len(frame)}")
    offer = Offer.decode(terms, frame[1 : 1 + OFFER_BYTES])
    if frame[:1] == DECLINE and any(frame[1 + OFFER_BYTES :]):
        raise ForgeryError("a refusal must be empty; the bytes were altered")
    if frame[:1] not in (DECLINE, PROOF):
        raise ForgeryError("the frame is neither a proof nor a refusal")
    return offer, frame[:1] == PROOF


def _parse(terms: Terms, frame: bytes) -> tuple[Offer, list[Attestation], list[Claim]]:
    offer, is_proof = open_frame(terms, frame)
    if not is_proof:
        return offer, [], []
    attestations, at = [], 1 + OFFER_BYTES
    for layout, key, size in zip(terms.layouts, terms.source_keys, terms.attestation_sizes, strict=True):
        attestation = Attestation.decode(terms.group, layout, frame[at : at + size], key)
        if attestation.epoch != offer.epoch:
            raise ForgeryError(f"the attestation of {layout.source!r} is not of epoch {offer.epoch}")
        if attestation.expires < offer.day:
            raise ForgeryError(f"the attestation of {layout.source!r} has expired; fetch a fresh one")
        attestations.append(attestation)
        at += size
    transcript = _transcript(terms, frame[1 : 1 + OFFER_BYTES], [a.encode() for a in attestations])
    count = len(attestations) - 1
    links = frame[at : at + LinearProof.size(terms.group, count, count)]
    one_holder = LinearProof.decode(terms.group, count, count, links)
    if not linear_proof.verify(
        terms.group, one_holder_equations(terms.group, attestations), count, one_holder, transcript
    ):
        raise ForgeryError("the attestations are not of one and the same person, or were shown to another offer")
    transcript.absorb(b"links", links)
    at += len(links)
    proof = RangeProof.decode(terms.group, terms.bits, frame[at:])
    return offer, attestations, [Claim(difference(terms, attestations), terms.bits, proof, transcript)]


def one_holder_equations(group: Group, attestations: Sequence[Attestation]) -> list[Equation]:
    """Holder commitments that hide one number differ by a multiple of G alone, and its factor is known."""
    first, *others = attestations
    g = group.base_mul(1)
    return [Equation(group.sub(first.holder, a.holder), (Term(g, ((i, 1),)),)) for i, a in enumerate(others)]


def _transcript(terms: Terms, offer: bytes, attestations: Sequence[bytes]) -> Transcript:
    transcript = Transcript(b"score >= threshold", terms.group)
    transcript.absorb(b"terms", terms.fingerprint)
    transcript.absorb(b"offer", offer)
    for attestation in attestations:
        transcript.absorb(b"attestation", attestation)
    return transcript
