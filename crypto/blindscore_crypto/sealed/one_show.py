"""One-show presentations: one bit for the lender, and no trail even for lender and sources together.

A source signs its customer's bins blindly (:mod:`.acl`): it knows the bins, and does not recognise the signature. The
applicant blinds the signed commitment, commits afresh to the points that each source vouches for, proves in zero
knowledge that these are the signed bins' points and that all signatures are of one person, and that the sum reaches
the threshold (:mod:`.range_proof`).

Relation, for each source with signature (zeta, zeta_1), tag z and bases h_i, with gamma and signed bits b_i:
    zeta   = gamma z                                           the blinding factor
    zeta_1 = gamma holder h_0 + sum gamma b_i h_i + gamma rnd G      the signed attributes, blinded
    0      = -gamma C_h + gamma holder H + t_h G                C_h hides the signed holder
    0      = -gamma C_s + (gamma constant + sum weight_i gamma b_i) H + t_s G     C_s hides the points
Gamma is not zero, since zeta is not the identity; so C_h and C_s hide what was signed, times nothing.

Who sees what: the lender one bit; the sources their own customers' bins, once, at issuing; together nothing that links
the two (decisional Diffie-Hellman). Assumptions: those of :mod:`.acl` and :mod:`.range_proof`. Not protected: the
time of application; an anonymity set no larger than the people served under one epoch key; a signature shown twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from blindscore.errors import DataError, ForgeryError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.sealed.attestation import u32
from blindscore_crypto.sealed.blind.acl import AclCredential, AclKey, AclSignature
from blindscore_crypto.sealed.groups.combination import Combination
from blindscore_crypto.sealed.groups.group import Group, Point, random_scalar
from blindscore_crypto.sealed.layout import Layout
from blindscore_crypto.sealed.presentation import PROOF, Checked, open_frame
from blindscore_crypto.sealed.proofs import linear_proof, range_proof
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof
from blindscore_crypto.sealed.terms import OFFER_BYTES, Offer, Terms

EQUATIONS = 4


@dataclass(frozen=True)
class EpochKey:
    """A source's blind-signing key for one layout and one epoch; whoever is signed for under it looks alike.

    One key an epoch stands in for dates inside the signature: nothing in a signature can mark a person. A key made for
    one person would, so wallets take only keys that everybody sees (:mod:`.log`).
    """

    layout: Layout
    epoch: int
    expires: int  # last day, days since 1970-01-01
    key: AclKey
    signature: bytes  # by the source's long-term key

    @staticmethod
    def context(layout: Layout, epoch: int, expires: int) -> bytes:
        """Return what signatures under such a key mean; it enters the key's tag."""
        dates = u32("epoch", epoch) + u32("expiry day", expires)
        return hashlib.sha256(b"blindscore/sealed/v1/epoch" + layout.fingerprint + dates).digest()

    @property
    def signed(self) -> bytes:
        """What the source puts its name to."""
        return self.key.context + self.key.group.name.encode() + self.key.group.encode(self.key.y)

    def check(self, source: VerifyingKey) -> None:
        """Return if the source published this key for this layout and these dates.

        Raises
        ------
        ForgeryError
            It did not.
        """
        if self.key.context != self.context(self.layout, self.epoch, self.expires):
            raise ForgeryError("the epoch key was made for another layout, epoch or expiry")
        source.require(self.signed, self.signature, Purpose.EPOCH_KEY)


@dataclass(frozen=True, kw_only=True)
class OneShowTerms(Terms):
    """Terms whose sources sign blindly.

    Raises
    ------
    DataError
        Not one key a source, or a key of another layout.
    ForgeryError
        A key that its source did not sign.
    """

    keys: tuple[EpochKey, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if tuple(key.layout for key in self.keys) != self.layouts:
            raise DataError("one-show terms need one epoch key a source, for the same layout")
        for key, source in zip(self.keys, self.source_keys, strict=True):
            key.check(source)

    def _parts(self) -> list[bytes]:
        return [*super()._parts(), *(key.signed for key in self.keys)]

    @cached_property
    def by_source(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(constant, weights) of each source's points."""
        pairs = (layout.weights(self.card) for layout in self.layouts)
        return tuple((constant, tuple(weights)) for constant, weights in pairs)

    @cached_property
    def frame_bytes(self) -> int:
        """Bytes of every answer to an offer under these terms, proof or refusal."""
        group = self.group
        parts = [_part_bytes(group, layout) for layout in self.layouts]
        return 1 + OFFER_BYTES + group.point_bytes + sum(parts) + RangeProof.size(group, self.bits)


def _unknowns(layout: Layout) -> int:
    return layout.n_commitments + 5  # gamma, holder, bits, rnd, t_h, t_s


def _part_bytes(group: Group, layout: Layout) -> int:
    proof = LinearProof.size(group, EQUATIONS, _unknowns(layout))
    return AclSignature.size(group) + group.point_bytes + proof


def _equations(
    terms: OneShowTerms, source: int, signature: AclSignature, holder: Point, points: Point
) -> list[Equation]:
    """The relation of the module's head; unknowns are gamma, then gamma times (holder, bits, rnd), then t_h, t_s."""
    group, key = terms.group, terms.keys[source].key
    constant, weights = terms.by_source[source]
    n = 1 + len(weights)
    g, value_base, nothing = group.base_mul(1), Pedersen(group).value_base, group.identity()
    bases = key.attribute_bases(n)
    attributes = tuple(Term(base, ((1 + i, 1),)) for i, base in enumerate(bases))
    points_of = ((0, constant), *((2 + i, w) for i, w in enumerate(weights)))
    return [
        Equation(signature.zeta, (Term(key.tag, ((0, 1),)),)),
        Equation(signature.zeta1, (*attributes, Term(g, ((n + 1, 1),)))),
        Equation(nothing, (Term(holder, ((0, -1),)), Term(value_base, ((1, 1),)), Term(g, ((n + 2, 1),)))),
        Equation(nothing, (Term(points, ((0, -1),)), Term(value_base, points_of), Term(g, ((n + 3, 1),)))),
    ]


def _transcript(terms: OneShowTerms, offer: bytes, holder: Point, parts: Sequence[tuple[bytes, Point]]) -> Transcript:
    transcript = Transcript(b"one-show score >= threshold", terms.group)
    transcript.absorb(b"terms", terms.fingerprint)
    transcript.absorb(b"offer", offer)
    transcript.absorb(b"holder", terms.group.encode(holder))
    for signature, points in parts:
        transcript.absorb(b"signature", signature)
        transcript.absorb(b"points", terms.group.encode(points))
    return transcript


def _difference(terms: OneShowTerms, points: Sequence[Point]) -> Point:
    """Return the commitment to score - threshold."""
    total = terms.group.combine([terms.card.base - terms.threshold], [Pedersen(terms.group).value_base])
    for point in points:
        total = terms.group.add(total, point)
    return total


def present(terms: OneShowTerms, offer: Offer, credentials: Sequence[AclCredential], value: int | None = None) -> bytes:
    """Return the frame that proves the terms met.

    Parameters
    ----------
    credentials
        One a source, in the terms' order; each with attributes (holder, bits of the layout).
    value
        What the range proof claims score - threshold to be; by default, what the credentials hold. A claim of another
        number makes a frame that does not verify, with the same work.

    Raises
    ------
    ParameterError
        The value does not lie in the proof's range.
    """
    group, pedersen, q = terms.group, Pedersen(terms.group), terms.group.order
    r_holder = random_scalar(group)
    holder = pedersen.commit(credentials[0].attributes[0], r_holder)
    blinds = [random_scalar(group) for _ in credentials]
    amounts = [
        constant + sum(w * b for w, b in zip(weights, credential.attributes[1:], strict=True))
        for credential, (constant, weights) in zip(credentials, terms.by_source, strict=True)
    ]
    points = [pedersen.commit(amount % q, r) for amount, r in zip(amounts, blinds, strict=True)]
    parts = [(c.signature.encode(group), p) for c, p in zip(credentials, points, strict=True)]
    transcript = _transcript(terms, offer.encode(), holder, parts)
    body = group.encode(holder)
    for i, (credential, (signature, point)) in enumerate(zip(credentials, parts, strict=True)):
        gamma = credential.gamma
        x = [gamma, *(gamma * a % q for a in credential.attributes), gamma * credential.rnd % q]
        x += [gamma * r_holder % q, gamma * blinds[i] % q]
        equations = _equations(terms, i, credential.signature, holder, point)
        proof = linear_proof.prove(group, equations, x, transcript)
        body += signature + group.encode(point) + proof.encode(group)
    claimed = terms.card.base - terms.threshold + sum(amounts) if value is None else value
    ranged = range_proof.prove(pedersen, claimed, sum(blinds) % q, terms.bits, transcript)
    return PROOF + offer.encode() + body + ranged.encode(group)


def check(terms: Terms, frame: bytes) -> Checked:
    """Check one frame against the one-show terms it answers; see :func:`check_many`."""
    return check_many(terms, [frame])[0]


def check_many(terms: Terms, frames: Sequence[bytes]) -> list[Checked]:
    """Check frames against the one-show terms they answer, all their proofs in one batch.

    Raises
    ------
    ForgeryError
        One of them is malformed, not for these terms, expired, altered, not signed by the sources, or proves nothing.
    """
    if not isinstance(terms, OneShowTerms):
        raise ForgeryError("these terms are not one-show terms; check the frame with presentation.check")
    shown = [_Shown.open(terms, frame) for frame in frames]
    total = Combination(terms.group)
    if not (all(one.collect(terms, total) for one in shown) and total.is_nothing()):
        for one in shown:
            one.blame(terms)
        raise ForgeryError("one of the frames does not verify")
    return [one.checked for one in shown]


@dataclass(frozen=True)
class _Shown:
    """A parsed frame whose signatures hold and whose proofs are still to be checked; a refusal has no sources."""

    checked: Checked
    offer: bytes
    holder: Point
    sources: tuple[tuple[AclSignature, Point, LinearProof], ...]
    ranged: RangeProof | None

    @classmethod
    def open(cls, terms: OneShowTerms, frame: bytes) -> _Shown:
        offer, is_proof = open_frame(terms, frame)
        if not is_proof:
            return cls(Checked.of(offer, []), b"", None, (), None)
        group, at = terms.group, 1 + OFFER_BYTES + terms.group.point_bytes
        holder = group.decode(frame[1 + OFFER_BYTES : at])
        sources: list[tuple[AclSignature, Point, LinearProof]] = []
        spent: list[bytes] = []
        for key in terms.keys:
            if key.epoch != offer.epoch or key.expires < offer.day:
                raise ForgeryError(f"the epoch key of {key.layout.source!r} is not of this epoch, or has expired")
            end, cut = at + _part_bytes(group, key.layout), at + AclSignature.size(group)
            signature = AclSignature.decode(group, frame[at:cut])
            points = group.decode(frame[cut : cut + group.point_bytes])
            if not signature.verify(key.key):
                raise ForgeryError(f"the blind signature of {key.layout.source!r} does not verify")
            data = frame[cut + group.point_bytes : end]
            sources.append((signature, points, LinearProof.decode(group, EQUATIONS, _unknowns(key.layout), data)))
            spent += signature.nullifiers(key.key)
            at = end
        ranged = RangeProof.decode(group, terms.bits, frame[at:])
        return cls(Checked.of(offer, spent), offer.encode(), holder, tuple(sources), ranged)

    def collect(self, terms: OneShowTerms, *totals: Combination) -> bool:
        """Add the proofs to one combination, or each proof to one of its own: a source's each, then the range's."""
        if self.ranged is None:
            return True
        shown = [(signature.encode(terms.group), points) for signature, points, _ in self.sources]
        transcript = _transcript(terms, self.offer, self.holder, shown)
        each = totals if len(totals) > 1 else totals * (1 + len(self.sources))
        for i, (signature, points, proof) in enumerate(self.sources):
            equations = _equations(terms, i, signature, self.holder, points)
            unknowns = _unknowns(terms.layouts[i])
            if not linear_proof.collect(each[i], terms.group, equations, unknowns, proof, transcript):
                return False
        commitment = _difference(terms, [points for _, points, _ in self.sources])
        claim = Claim(commitment, terms.bits, self.ranged, transcript)
        return range_proof.collect(each[-1], Pedersen(terms.group), claim)

    def blame(self, terms: OneShowTerms) -> None:
        """Raise ForgeryError with the reason if this frame is a bad one."""
        totals = [Combination(terms.group) for _ in range(1 + len(self.sources))]
        self.collect(terms, *totals)
        if not all(total.is_nothing() for total in totals[:-1]):
            raise ForgeryError("what is shown is not what the source signed, or not of one and the same person")
        if not totals[-1].is_nothing():
            raise ForgeryError("the range proof does not hold: score >= threshold is not proven under these terms")
