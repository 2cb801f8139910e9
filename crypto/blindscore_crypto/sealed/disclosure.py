"""Disclosure by choice: the person shows a score band or reasons to a reader of its own choosing, provably and no more.

Relation: under signed attestations of one person, low <= score <= high (two range proofs on the committed sum), and for
each chosen feature, the points that its bin loses against the best ordinary one (an opening of its weighted sum).
Who sees what: the reader (a debt adviser, a supervisor, a second lender) learns the band and the chosen losses; a loss
tells the bins that lose as much. Whoever sees the frame sees how much is disclosed, by its size.
Assumptions: those of :mod:`.range_proof` and :mod:`.linear_proof`. Not protected: a person pressed to disclose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.sealed import attestation as attested
from blindscore_crypto.sealed.attestation import Attestation
from blindscore_crypto.sealed.groups.group import Point
from blindscore_crypto.sealed.presentation import difference, one_holder_equations
from blindscore_crypto.sealed.proofs import linear_proof
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof, prove, verify_batch
from blindscore_crypto.sealed.terms import Terms

CONTEXT_BYTES = 32
_MAGIC = b"BSD1"
_HEAD_BYTES = len(_MAGIC) + 4 + 4 + 1
_REASON_BYTES = 2 + 4


@dataclass(frozen=True)
class Disclosed:
    """What a reader learns."""

    low: int  # score >= low
    high: int  # score <= high
    lost: Mapping[str, int]  # feature -> points below its best ordinary bin


@dataclass(frozen=True)
class Openings:
    """The person's secrets behind its attestations, one row a source: blinding of the holder, of the secret, then of
    each bit."""

    blindings: Sequence[Sequence[int]] = field(repr=False)
    bins: Mapping[str, int] = field(repr=False)


def _check_band(terms: Terms, low: int, high: int) -> None:
    scale = terms.card.scale
    if not scale.low <= low <= high <= scale.high:
        raise ParameterError(f"a band lies within {scale.low} to {scale.high}, low end first; got {low} to {high}")


def _lower_bits(terms: Terms) -> int:
    """Bits that hold total - low for everybody and every low."""
    return max(1, (terms.card.max_total - min(terms.card.scale.low, terms.card.max_total)).bit_length())


def _upper_bits(terms: Terms) -> int:
    return max(1, (terms.card.scale.high - min(terms.card.min_total, terms.card.scale.high)).bit_length())


def _feature_sum(terms: Terms, attestations: Sequence[Attestation], feature: str) -> tuple[list[int], list[Point]]:
    """(weights, commitments) of one feature's bins but the first."""
    card = {c.feature: c for c in terms.card.characteristics}
    for source, attestation in zip(terms.sources, attestations, strict=True):
        at = 0
        for c in source.layout.characteristics:
            if c.feature == feature:
                points = card[feature].points
                return [p - points[0] for p in points[1:]], list(attestation.commitments[at : at + c.n_bins - 1])
            at += c.n_bins - 1
    raise DataError(f"the card has no feature {feature!r}")


def _equations(terms: Terms, attestations: Sequence[Attestation], lost: Mapping[str, int]) -> list[Equation]:
    """One holder for all; and each chosen feature's sum hides best - lost - points[0]."""
    group = terms.group
    equations = one_holder_equations(group, attestations)
    value_base, g = Pedersen(group).value_base, group.base_mul(1)
    card = {c.feature: c for c in terms.card.characteristics}
    for feature, points_lost in lost.items():
        weights, commitments = _feature_sum(terms, attestations, feature)
        value = card[feature].best - points_lost - card[feature].points[0]
        target = group.combine([*weights, -value], [*commitments, value_base])
        equations.append(Equation(target, (Term(g, ((len(equations), 1),)),)))
    return equations


def _transcript(terms: Terms, context: bytes, head: bytes, attestations: Sequence[Attestation]) -> Transcript:
    transcript = Transcript(b"disclosure", terms.group)
    transcript.absorb(b"terms", terms.fingerprint)
    transcript.absorb(b"context", context)
    transcript.absorb(b"head", head)
    for attestation in attestations:
        transcript.absorb(b"attestation", attestation.encode())
    return transcript


def _ends(terms: Terms, attestations: Sequence[Attestation], low: int, high: int) -> list[tuple[Point, int]]:
    """(commitment, bits) of total - low and high - total; an end at the scale's own end needs no proof."""
    group, value_base = terms.group, Pedersen(terms.group).value_base
    above = difference(terms, attestations)  # hides total - threshold
    ends = []
    if low > terms.card.scale.low:
        ends.append((group.add(above, group.combine([terms.threshold - low], [value_base])), _lower_bits(terms)))
    if high < terms.card.scale.high:
        ends.append((group.sub(group.combine([high - terms.threshold], [value_base]), above), _upper_bits(terms)))
    return ends


def disclose(
    terms: Terms,
    context: bytes,
    attestations: Sequence[Attestation],
    openings: Openings,
    *,
    low: int,
    high: int,
    features: Sequence[str] = (),
) -> bytes:
    """Return a frame that proves the band and the chosen features' losses to the reader of `context`.

    Parameters
    ----------
    context
        32 random bytes that the reader drew for this reading.

    Raises
    ------
    ParameterError
        No band, a context of another length, the score does not lie in the band, or a feature that costs nothing.
    DataError
        A feature that the card does not have, or one named twice.
    """
    _check_band(terms, low, high)
    if len(context) != CONTEXT_BYTES:
        raise ParameterError(f"a reader's context has {CONTEXT_BYTES} bytes, got {len(context)}")
    if len(set(features)) != len(features) or not set(features) <= set(terms.card.features):
        raise DataError("name features of the card, each once")
    group, card = terms.group, {c.feature: c for c in terms.card.characteristics}
    lost = {f: card[f].best - card[f].points[openings.bins[f]] for f in features}
    if any(n < 0 for n in lost.values()):  # a missing value or special code that stands above every ordinary bin
        raise ParameterError("a chosen feature costs nothing, so there is no loss to show; name others")
    head = _MAGIC + low.to_bytes(4, "big", signed=True) + high.to_bytes(4, "big", signed=True) + bytes([len(features)])
    head += b"".join(terms.card.features.index(f).to_bytes(2, "big") + n.to_bytes(4, "big") for f, n in lost.items())
    transcript = _transcript(terms, context, head, attestations)
    witness = [openings.blindings[0][0] - row[0] for row in openings.blindings[1:]]
    blinding_of = _blindings_by_feature(terms, openings)
    for feature in features:
        weights, _ = _feature_sum(terms, attestations, feature)
        witness.append(sum(w * r for w, r in zip(weights, blinding_of[feature], strict=True)))
    linear = linear_proof.prove(group, _equations(terms, attestations, lost), witness, transcript).encode(group)
    transcript.absorb(b"linear", linear)
    total = terms.card.base + sum(c.points[openings.bins[c.feature]] for c in terms.card.characteristics)
    rows = (r for row in openings.blindings for r in row[2:])
    r = sum(w * r for w, r in zip(terms.linear[1], rows, strict=True)) % group.order
    ranges = b""
    if low > terms.card.scale.low:
        ranges += prove(Pedersen(group), total - low, r, _lower_bits(terms), transcript).encode(group)
    if high < terms.card.scale.high:
        ranges += prove(Pedersen(group), high - total, -r % group.order, _upper_bits(terms), transcript).encode(group)
    return head + b"".join(a.encode() for a in attestations) + linear + ranges


def _blindings_by_feature(terms: Terms, openings: Openings) -> dict[str, Sequence[int]]:
    found: dict[str, Sequence[int]] = {}
    for source, row in zip(terms.sources, openings.blindings, strict=True):
        at = 2
        for c in source.layout.characteristics:
            found[c.feature] = row[at : at + c.n_bins - 1]
            at += c.n_bins - 1
    return found


def read(terms: Terms, context: bytes, data: bytes, *, day: int) -> Disclosed:
    """Check a disclosure and return what it proves.

    Parameters
    ----------
    context
        The reader's own 32 bytes.
    day
        Today (days since 1970-01-01).

    Raises
    ------
    ForgeryError
        Malformed, for another reader or other terms, out of date, or it proves nothing.
    """
    if len(data) < _HEAD_BYTES or data[:4] != _MAGIC:
        raise ForgeryError("this is no disclosure")
    low, high = (int.from_bytes(data[i : i + 4], "big", signed=True) for i in (4, 8))
    count = data[12]
    head_end = _HEAD_BYTES + count * _REASON_BYTES
    scale, names = terms.card.scale, terms.card.features
    ends = int(low > scale.low) * RangeProof.size(terms.group, _lower_bits(terms))
    ends += int(high < scale.high) * RangeProof.size(terms.group, _upper_bits(terms))
    unknowns = len(terms.sources) - 1 + count
    linear_bytes = LinearProof.size(terms.group, unknowns, unknowns)
    if (
        len(data)
        != head_end + sum(attested.size(terms.group, source) for source in terms.sources) + linear_bytes + ends
    ):
        raise ForgeryError("the disclosure is not as long as its head says")
    if not scale.low <= low <= high <= scale.high:
        raise ForgeryError("the disclosure names no band of this scale")
    cut = [data[i : i + _REASON_BYTES] for i in range(_HEAD_BYTES, head_end, _REASON_BYTES)]
    pairs = [(int.from_bytes(one[:2], "big"), int.from_bytes(one[2:], "big")) for one in cut]
    if any(j >= len(names) for j, _ in pairs) or len({j for j, _ in pairs}) != count:
        raise ForgeryError("the disclosure names features that the card does not have, or one twice")
    lost = {names[j]: n for j, n in pairs}
    attestations, at = [], head_end
    for source in terms.sources:
        size = attested.size(terms.group, source)
        attestations.append(Attestation.decode(terms.group, source, data[at : at + size]))
        at += size
    if any(a.epoch != terms.epoch for a in attestations) or terms.epoch.last_day < day:
        raise ForgeryError("the attestations are of another epoch, or have expired")
    transcript = _transcript(terms, context, data[:head_end], attestations)
    linear = data[at : at + linear_bytes]
    proof = LinearProof.decode(terms.group, unknowns, unknowns, linear)
    if not linear_proof.verify(terms.group, _equations(terms, attestations, lost), unknowns, proof, transcript):
        raise ForgeryError("the losses are not those of the signed bins, or the attestations are of several people")
    transcript.absorb(b"linear", linear)
    at += linear_bytes
    for commitment, k in _ends(terms, attestations, low, high):
        size = RangeProof.size(terms.group, k)
        claim = Claim(commitment, k, RangeProof.decode(terms.group, k, data[at : at + size]), transcript)
        if not verify_batch(Pedersen(terms.group), [claim]):
            raise ForgeryError("the score is not proven to lie in the band")
        at += size
    return Disclosed(low, high, MappingProxyType(lost))
