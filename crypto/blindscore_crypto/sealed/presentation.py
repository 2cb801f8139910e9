"""Presentation of attestations: proves score >= threshold under the published card, and who comes back.

Relation: the sources' attestations commit to bins of one and the same person and to one wallet secret k; N = k
H(lender, epoch); and constant + weights . bits, which is score - threshold, lies in [0, 2^k). The lender adds up the
commitments itself (they are homomorphic), so the applicant cannot choose what is proven. Total points lie within
[min_total, max_total] since the sources vouch for the bins; 2^k is far below the group order, so a negative difference
wraps to a number of 250 bits and has no proof.

The whole offer, the one-time key and all attestations enter the Fiat-Shamir hash: a proof says nothing to another
lender, threshold, card, nonce, epoch, channel or asker. Who sees what: the lender learns that the statement holds, and
N. Whoever is shown the message sees the attestations' commitments, which recur only if an attestation is shown twice.
Assumptions: those of :mod:`.range_proof`, :mod:`.holder` and Ed25519. Sizes hide nothing from whoever reads the clear
answer: an encrypted channel must carry it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey
from blindscore_crypto.sealed import attestation as attested
from blindscore_crypto.sealed.attestation import Attestation
from blindscore_crypto.sealed.groups.combination import Combination
from blindscore_crypto.sealed.groups.group import Group, Point
from blindscore_crypto.sealed.holder import nullifier, scope, secret_base
from blindscore_crypto.sealed.offer import HEAD_BYTES, PROOF, Checked, Offer, seal, unseal
from blindscore_crypto.sealed.proofs import linear_proof
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof, collect, prove
from blindscore_crypto.sealed.terms import Terms


@dataclass(frozen=True)
class Witness:
    """The person's secrets behind one presentation."""

    secret: int = field(repr=False)  # k
    blindings: Sequence[Sequence[int]] = field(repr=False)  # a source: of the holder, of the secret, of each bit
    value: int = field(repr=False)  # score - threshold
    total_blinding: int = field(repr=False)  # of the weighted sum of commitments


def size(terms: Terms) -> int:
    """Bytes of every answer under these terms, proof or refusal."""
    n, group = len(terms.sources), terms.group
    shown = sum(attested.size(group, source) for source in terms.sources) + group.point_bytes
    links = LinearProof.size(group, 2 * n, 2 * n)
    return HEAD_BYTES + shown + links + RangeProof.size(group, terms.bits) + SIGNATURE_BYTES


def difference(terms: Terms, attestations: Sequence[Attestation]) -> Point:
    """Return the commitment to score - threshold, from public things alone."""
    constant, weights = terms.linear
    points = [point for attestation in attestations for point in attestation.commitments]
    return terms.group.combine([*weights, constant], [*points, Pedersen(terms.group).value_base])


def present(
    terms: Terms, offer: Offer, client: SigningKey, attestations: Sequence[Attestation], witness: Witness
) -> bytes:
    """Return the answer that proves the terms met.

    Parameters
    ----------
    client
        The one-time key that the offer names.
    attestations
        One a source, in the terms' order.

    Raises
    ------
    ParameterError
        The value does not lie in [0, 2^k): there is no such proof.
    """
    group, k = terms.group, witness.secret
    shown = group.mul(k, scope(group, terms.lender_key, terms.epoch.number))
    encoded = [a.encode() for a in attestations]
    transcript = _transcript(terms, offer, client.public.raw, encoded, shown)
    first, *others = witness.blindings
    x = [k, *(row[1] for row in witness.blindings), *(first[0] - other[0] for other in others)]
    links = linear_proof.prove(group, _equations(terms, attestations, shown), x, transcript).encode(group)
    transcript.absorb(b"links", links)
    proof = prove(Pedersen(group), witness.value, witness.total_blinding, terms.bits, transcript)
    body = b"".join(encoded) + group.encode(shown) + links + proof.encode(group)
    return seal(offer, PROOF, body, size(terms), client)


@dataclass(frozen=True)
class Shown:
    """A parsed answer whose signatures hold and whose proofs are still to be checked; a refusal shows nothing."""

    checked: Checked
    equations: tuple[Equation, ...] = ()
    links: LinearProof | None = None
    claim: Claim | None = None
    transcript: Transcript | None = None
    links_encoded: bytes = b""

    @classmethod
    def open(cls, terms: Terms, answer: bytes) -> Shown:
        """Check signatures, dates and forms; raise ForgeryError if one does not hold."""
        offer, body = unseal(terms, answer, size(terms))
        if body is None:
            return cls(Checked.of(offer, []))
        group, at, attestations, encoded = terms.group, 0, [], []
        for source in terms.sources:
            end = at + attested.size(group, source)
            encoded.append(body[at:end])
            attestations.append(Attestation.decode(group, source, encoded[-1]))
            at = end
            if attestations[-1].epoch != terms.epoch:
                raise ForgeryError(f"the attestation of {source.name!r} is not of epoch {terms.epoch.number}")
        if terms.epoch.last_day < offer.day:
            raise ForgeryError("the attestations have expired; fetch fresh ones")
        shown = group.decode(body[at : at + group.point_bytes])
        at += group.point_bytes
        n = 2 * len(attestations)
        links = body[at : at + LinearProof.size(group, n, n)]
        proof = RangeProof.decode(group, terms.bits, body[at + len(links) :])
        transcript = _transcript(terms, offer, answer[HEAD_BYTES - 32 : HEAD_BYTES], encoded, shown)
        claim = Claim(difference(terms, attestations), terms.bits, proof, transcript)
        spent = [nullifier(group, shown), *(a.nullifier for a in attestations)]
        return cls(
            Checked.of(offer, spent),
            tuple(_equations(terms, attestations, shown)),
            LinearProof.decode(group, n, n, links),
            claim,
            transcript,
            links,
        )

    def collect(self, terms: Terms, *totals: Combination) -> bool:
        """Add the proofs to one combination, or the links and the range to one each."""
        if self.links is None or self.claim is None or self.transcript is None:
            return True
        group, n = terms.group, len(self.equations)
        transcript = self.transcript.copy()  # a second look begins where the first did
        if not linear_proof.collect(totals[0], group, self.equations, n, self.links, transcript):
            return False
        transcript.absorb(b"links", self.links_encoded)
        claim = Claim(self.claim.commitment, self.claim.k, self.claim.proof, transcript)
        return collect(totals[-1], Pedersen(group), claim)

    def blame(self, terms: Terms) -> None:
        """Raise ForgeryError with the reason if this answer is a bad one."""
        links, ranged = Combination(terms.group), Combination(terms.group)
        if not self.collect(terms, links, ranged) or not links.is_nothing():
            raise ForgeryError("the attestations are not of one and the same person, or were shown to another offer")
        if not ranged.is_nothing():
            raise ForgeryError("the range proof does not hold: score >= threshold is not proven under these terms")


def one_holder_equations(group: Group, attestations: Sequence[Attestation], first: int = 0) -> list[Equation]:
    """Holder commitments that hide one number differ by a multiple of G alone; unknowns are numbered from `first`."""
    one, *others = attestations
    g = group.base_mul(1)
    return [Equation(group.sub(one.holder, a.holder), (Term(g, ((first + i, 1),)),)) for i, a in enumerate(others)]


def _equations(terms: Terms, attestations: Sequence[Attestation], shown: Point) -> list[Equation]:
    """Unknowns: k; the blinding of k in each attestation; the differences of the holders' blindings."""
    group, n = terms.group, len(attestations)
    g, base = group.base_mul(1), secret_base(group)
    who = Equation(shown, (Term(scope(group, terms.lender_key, terms.epoch.number), ((0, 1),)),))
    secrets = [Equation(a.secret, (Term(base, ((0, 1),)), Term(g, ((1 + i, 1),)))) for i, a in enumerate(attestations)]
    return [who, *secrets, *one_holder_equations(group, attestations, 1 + n)]


def _transcript(terms: Terms, offer: Offer, client: bytes, attestations: Sequence[bytes], shown: Point) -> Transcript:
    transcript = Transcript(b"score >= threshold", terms.group)
    transcript.absorb(b"terms", terms.fingerprint)
    transcript.absorb(b"offer", offer.encode())
    transcript.absorb(b"client", client)
    for attestation in attestations:
        transcript.absorb(b"attestation", attestation)
    transcript.absorb(b"holder's nullifier", terms.group.encode(shown))
    return transcript
