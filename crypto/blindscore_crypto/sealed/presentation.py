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
from blindscore_crypto.sealed.commitments import Pedersen
from blindscore_crypto.sealed.group import (
    SCALAR_BYTES,
    Group,
    Point,
    decode_scalar,
    encode_scalar,
    random_scalar,
)
from blindscore_crypto.sealed.range_proof import Claim, RangeProof, prove, verify_batch
from blindscore_crypto.sealed.terms import OFFER_BYTES, Offer, Terms
from blindscore_crypto.sealed.transcript import Transcript

PROOF, DECLINE = b"\x01", b"\x00"


def frame_bytes(terms: Terms) -> int:
    """Bytes of every frame under these terms, proof or refusal."""
    links = (len(terms.layouts) - 1) * _link_bytes(terms.group)
    return 1 + OFFER_BYTES + sum(terms.attestation_sizes) + links + RangeProof.size(terms.group, terms.bits)


def decline(terms: Terms, offer: Offer) -> bytes:
    """Return a refusal: the applicant does not, or does not wish to, meet the terms. As long as a proof."""
    return (DECLINE + offer.encode()).ljust(frame_bytes(terms), b"\0")


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
    links = b""
    if len(attestations) > 1:
        nonces = [random_scalar(group) for _ in attestations[1:]]
        announced = [group.encode(group.base_mul(nonce)) for nonce in nonces]
        c = _link_challenge(transcript, announced)
        for r, nonce, point in zip(holder_blindings[1:], nonces, announced, strict=True):
            links += point + encode_scalar((nonce + c * (holder_blindings[0] - r)) % group.order)
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
    def of(offer: Offer, attestations: Sequence[Attestation]) -> Checked:
        """Approved if any attestations stand behind it."""
        once = hashlib.sha256(b"blindscore/sealed/v1/offer-nullifier" + offer.encode()).digest()
        return Checked(bool(attestations), offer, (once, *(a.nullifier for a in attestations)))


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
        checked.append(Checked.of(offer, attestations))
        claims += claim
    if claims and not verify_batch(Pedersen(terms.group), claims):
        raise ForgeryError("a range proof does not hold: score >= threshold is not proven under these terms")
    return checked


def _parse(terms: Terms, frame: bytes) -> tuple[Offer, list[Attestation], list[Claim]]:
    if len(frame) != frame_bytes(terms):
        raise ForgeryError(f"a frame under these terms has {frame_bytes(terms)} bytes, got {len(frame)}")
    tag, at = frame[:1], 1 + OFFER_BYTES
    offer = Offer.decode(terms, frame[1:at])
    if tag == DECLINE:
        if any(frame[at:]):
            raise ForgeryError("a refusal must be empty; the bytes were altered")
        return offer, [], []
    if tag != PROOF:
        raise ForgeryError("the frame is neither a proof nor a refusal")
    attestations = []
    for layout, key, size in zip(terms.layouts, terms.source_keys, terms.attestation_sizes, strict=True):
        attestation = Attestation.decode(terms.group, layout, frame[at : at + size], key)
        if attestation.epoch != offer.epoch:
            raise ForgeryError(f"the attestation of {layout.source!r} is not of epoch {offer.epoch}")
        if attestation.expires < offer.day:
            raise ForgeryError(f"the attestation of {layout.source!r} has expired; fetch a fresh one")
        attestations.append(attestation)
        at += size
    transcript = _transcript(terms, frame[1 : 1 + OFFER_BYTES], [a.encode() for a in attestations])
    at = _check_links(terms.group, transcript, attestations, frame, at)
    proof = RangeProof.decode(terms.group, terms.bits, frame[at:])
    return offer, attestations, [Claim(difference(terms, attestations), terms.bits, proof, transcript)]


def _check_links(group: Group, transcript: Transcript, attestations: list[Attestation], frame: bytes, at: int) -> int:
    """Check that all holder commitments hide one number (Schnorr, CRYPTO 1989, on their differences)."""
    end = at + (len(attestations) - 1) * _link_bytes(group)
    links = [frame[i : i + _link_bytes(group)] for i in range(at, end, _link_bytes(group))]
    if links:
        c = _link_challenge(transcript, [link[:-SCALAR_BYTES] for link in links])
        for attestation, link in zip(attestations[1:], links, strict=True):
            announced = group.decode(link[:-SCALAR_BYTES])
            z = decode_scalar(group, link[-SCALAR_BYTES:])
            apart = group.sub(attestations[0].holder, attestation.holder)  # (r_0 - r_i) G if the holders are one
            if not group.equal(group.base_mul(z), group.add(announced, group.combine([c], [apart]))):
                raise ForgeryError("the attestations are not of one and the same person")
    transcript.absorb(b"links", b"".join(links))
    return end


def _link_bytes(group: Group) -> int:
    return group.point_bytes + SCALAR_BYTES


def _link_challenge(transcript: Transcript, announced: Sequence[bytes]) -> int:
    for point in announced:
        transcript.absorb(b"link announcement", point)
    return transcript.challenge(b"one holder")


def _transcript(terms: Terms, offer: bytes, attestations: Sequence[bytes]) -> Transcript:
    transcript = Transcript(b"score >= threshold", terms.group)
    transcript.absorb(b"terms", terms.fingerprint)
    transcript.absorb(b"offer", offer)
    for attestation in attestations:
        transcript.absorb(b"attestation", attestation)
    return transcript
