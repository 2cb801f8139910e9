"""One-show presentation: one bit for the lender, and no trail even for lender and sources together.

A source signs its customer's bins blindly (:mod:`.acl`): it knows the bins, and does not recognise the signature. The
applicant blinds the signed commitment, commits afresh to the points that each source vouches for, proves in zero
knowledge that these are the signed bins' points and that all signatures are of one person and one wallet secret, and
that the sum reaches the threshold (:mod:`.range_proof`).

Relation, for each source with signature (zeta, zeta_1), tag z and bases h_i, with gamma, signed bits b_i and secret k:
    zeta   = gamma z                                           the blinding factor
    zeta_1 = gamma holder h_0 + gamma k S + sum gamma b_i h_i + gamma rnd G      the signed attributes, blinded
    0      = -gamma C_h + gamma holder H + t_h G                C_h hides the signed holder
    0      = -gamma N + gamma k H(lender, epoch)                N is of the signed secret
    0      = -gamma C_s + (gamma constant + sum weight_i gamma b_i) H + t_s G     C_s hides the points
Gamma is not zero, since zeta is not the identity; so C_h, N and C_s are of what was signed, times nothing.

Who sees what: the lender one bit and N; the sources their own customers' bins and K, once, at issuing; together nothing
that links the two (decisional Diffie-Hellman). Assumptions: those of :mod:`.acl`, :mod:`.holder` and
:mod:`.range_proof`. Not protected: the time of application; an anonymity set no larger than the people served under
one epoch key; a signature shown twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey
from blindscore_crypto.sealed.blind.acl import AclCredential, AclKey, AclSignature
from blindscore_crypto.sealed.groups.combination import Combination
from blindscore_crypto.sealed.groups.group import Group, Point, random_scalar
from blindscore_crypto.sealed.holder import nullifier, scope, secret_base
from blindscore_crypto.sealed.offer import HEAD_BYTES, PROOF, Checked, Offer, seal, unseal
from blindscore_crypto.sealed.proofs import linear_proof, range_proof
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof
from blindscore_crypto.sealed.terms import Signatory, Terms

EQUATIONS = 5


@dataclass(frozen=True)
class Witness:
    """The person's secrets behind one presentation."""

    holder: int = field(repr=False)
    secret: int = field(repr=False)  # k
    credentials: Sequence[AclCredential] = field(repr=False)  # one a source, in the terms' order
    bits: Sequence[Sequence[int]] = field(repr=False)
    holder_blinding: int = field(repr=False)  # of C_h, kept for the proof that a contract's party is the holder


def size(terms: Terms) -> int:
    """Bytes of every answer under these terms, proof or refusal."""
    group = terms.group
    parts = sum(_part_bytes(group, source) for source in terms.sources)
    return HEAD_BYTES + 2 * group.point_bytes + parts + RangeProof.size(group, terms.bits) + SIGNATURE_BYTES


def _unknowns(source: Signatory) -> int:
    return source.n_commitments + 6  # gamma, holder, k, bits, rnd, t_h, t_s


def _part_bytes(group: Group, source: Signatory) -> int:
    proof = LinearProof.size(group, EQUATIONS, _unknowns(source))
    return AclSignature.size(group) + group.point_bytes + proof


def _key(source: Signatory) -> AclKey:
    if source.blind is None:
        raise ForgeryError(f"under these terms {source.name!r} does not sign blindly")
    return source.blind.key


def _equations(
    terms: Terms, source: int, signature: AclSignature, common: tuple[Point, Point, Point], points: Point
) -> list[Equation]:
    """The relation of the module's head; unknowns are gamma, then gamma times (holder, k, bits, rnd), then t_h, t_s."""
    group, key = terms.group, _key(terms.sources[source])
    constant, weights = terms.by_source[source]
    n = len(weights)
    holder, shown, at = common  # C_h, N, H(lender, epoch)
    g, value_base, nothing = group.base_mul(1), Pedersen(group).value_base, group.identity()
    first, *bases = key.attribute_bases(1 + n)
    bits = tuple(Term(base, ((3 + i, 1),)) for i, base in enumerate(bases))
    signed = (Term(first, ((1, 1),)), Term(secret_base(group), ((2, 1),)), *bits, Term(g, ((n + 3, 1),)))
    points_of = ((0, constant), *((3 + i, w) for i, w in enumerate(weights)))
    return [
        Equation(signature.zeta, (Term(key.tag, ((0, 1),)),)),
        Equation(signature.zeta1, signed),
        Equation(nothing, (Term(holder, ((0, -1),)), Term(value_base, ((1, 1),)), Term(g, ((n + 4, 1),)))),
        Equation(nothing, (Term(shown, ((0, -1),)), Term(at, ((2, 1),)))),
        Equation(nothing, (Term(points, ((0, -1),)), Term(value_base, points_of), Term(g, ((n + 5, 1),)))),
    ]


def _transcript(
    terms: Terms, offer: Offer, client: bytes, holder: Point, shown: Point, parts: Sequence[tuple[bytes, Point]]
) -> Transcript:
    transcript = Transcript(b"one-show score >= threshold", terms.group)
    transcript.absorb(b"terms", terms.fingerprint)
    transcript.absorb(b"offer", offer.encode())
    transcript.absorb(b"client", client)
    transcript.absorb(b"holder", terms.group.encode(holder))
    transcript.absorb(b"holder's nullifier", terms.group.encode(shown))
    for signature, points in parts:
        transcript.absorb(b"signature", signature)
        transcript.absorb(b"points", terms.group.encode(points))
    return transcript


def _difference(terms: Terms, points: Sequence[Point]) -> Point:
    """Return the commitment to score - threshold."""
    total = terms.group.combine([terms.card.base - terms.threshold], [Pedersen(terms.group).value_base])
    for point in points:
        total = terms.group.add(total, point)
    return total


def present(terms: Terms, offer: Offer, client: SigningKey, witness: Witness, value: int | None = None) -> bytes:
    """Return the answer that proves the terms met.

    Parameters
    ----------
    client
        The one-time key that the offer names.
    value
        What the range proof claims score - threshold to be; by default, what the credentials hold. A claim of another
        number makes an answer that does not verify, with the same work.

    Raises
    ------
    ParameterError
        The value does not lie in the proof's range.
    """
    group, pedersen, q = terms.group, Pedersen(terms.group), terms.group.order
    at = scope(group, terms.lender_key, terms.epoch.number)
    holder, shown = pedersen.commit(witness.holder, witness.holder_blinding), group.mul(witness.secret, at)
    blinds = [random_scalar(group) for _ in witness.credentials]
    amounts = [
        constant + sum(w * b for w, b in zip(weights, bits, strict=True))
        for bits, (constant, weights) in zip(witness.bits, terms.by_source, strict=True)
    ]
    points = [pedersen.commit(amount % q, r) for amount, r in zip(amounts, blinds, strict=True)]
    parts = [(c.signature.encode(group), p) for c, p in zip(witness.credentials, points, strict=True)]
    transcript = _transcript(terms, offer, client.public.raw, holder, shown, parts)
    body = group.encode(holder) + group.encode(shown)
    for i, (credential, bits, (signature, point)) in enumerate(
        zip(witness.credentials, witness.bits, parts, strict=True)
    ):
        gamma = credential.gamma
        x = [gamma, *(gamma * a % q for a in (witness.holder, witness.secret, *bits, credential.rnd))]
        x += [gamma * witness.holder_blinding % q, gamma * blinds[i] % q]
        equations = _equations(terms, i, credential.signature, (holder, shown, at), point)
        proof = linear_proof.prove(group, equations, x, transcript)
        body += signature + group.encode(point) + proof.encode(group)
    claimed = terms.card.base - terms.threshold + sum(amounts) if value is None else value
    ranged = range_proof.prove(pedersen, claimed, sum(blinds) % q, terms.bits, transcript)
    return seal(offer, PROOF, body + ranged.encode(group), size(terms), client)


@dataclass(frozen=True)
class Shown:
    """A parsed answer whose signatures hold and whose proofs are still to be checked; a refusal has no sources."""

    checked: Checked
    client: bytes = b""
    common: tuple[Point, Point, Point] = (None, None, None)
    sources: tuple[tuple[AclSignature, Point, LinearProof], ...] = ()
    ranged: RangeProof | None = None

    @classmethod
    def open(cls, terms: Terms, answer: bytes) -> Shown:
        """Check forms, dates and blind signatures; raise ForgeryError if one does not hold."""
        offer, body = unseal(terms, answer, size(terms))
        if body is None:
            return cls(Checked.of(offer, []))
        if terms.epoch.last_day < offer.day:
            raise ForgeryError("the epoch keys have expired; fetch fresh signatures")
        group, width = terms.group, terms.group.point_bytes
        holder, shown = group.decode(body[:width]), group.decode(body[width : 2 * width])
        at, sources, spent = 2 * width, [], [nullifier(group, shown)]
        for source in terms.sources:
            key, end, cut = _key(source), at + _part_bytes(group, source), at + AclSignature.size(group)
            signature = AclSignature.decode(group, body[at:cut])
            points = group.decode(body[cut : cut + width])
            if not signature.verify(key):
                raise ForgeryError(f"the blind signature of {source.name!r} does not verify")
            data = body[cut + width : end]
            sources.append((signature, points, LinearProof.decode(group, EQUATIONS, _unknowns(source), data)))
            spent += signature.nullifiers(key)
            at = end
        ranged = RangeProof.decode(group, terms.bits, body[at:])
        common = (holder, shown, scope(group, terms.lender_key, terms.epoch.number))
        return cls(Checked.of(offer, spent), answer[HEAD_BYTES - 32 : HEAD_BYTES], common, tuple(sources), ranged)

    def collect(self, terms: Terms, *totals: Combination) -> bool:
        """Add the proofs to one combination, or each proof to one of its own: a source's each, then the range's."""
        if self.ranged is None:
            return True
        shown = [(signature.encode(terms.group), points) for signature, points, _ in self.sources]
        transcript = _transcript(terms, self.checked.offer, self.client, *self.common[:2], shown)
        each = totals if len(totals) > 1 else totals * (1 + len(self.sources))
        for i, (signature, points, proof) in enumerate(self.sources):
            equations = _equations(terms, i, signature, self.common, points)
            unknowns = _unknowns(terms.sources[i])
            if not linear_proof.collect(each[i], terms.group, equations, unknowns, proof, transcript):
                return False
        commitment = _difference(terms, [points for _, points, _ in self.sources])
        claim = Claim(commitment, terms.bits, self.ranged, transcript)
        return range_proof.collect(each[-1], Pedersen(terms.group), claim)

    def blame(self, terms: Terms) -> None:
        """Raise ForgeryError with the reason if this answer is a bad one."""
        totals = [Combination(terms.group) for _ in range(1 + len(self.sources))]
        self.collect(terms, *totals)
        if not all(total.is_nothing() for total in totals[:-1]):
            raise ForgeryError("what is shown is not what the source signed, or not of one and the same person")
        if not totals[-1].is_nothing():
            raise ForgeryError("the range proof does not hold: score >= threshold is not proven under these terms")
