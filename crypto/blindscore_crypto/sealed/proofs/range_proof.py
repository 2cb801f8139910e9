"""Range proof: a commitment hides a number in [0, 2^k), and nothing more is learned.

Relation: knowledge of (v, r) with C = v H + r G and 0 <= v < 2^k.
Construction: the prover commits to the bits of v in one vector commitment and proves that each is 0 or 1 by the
degree-two identity b(1 - b) = 0 (Bootle, Cerulli, Chaidos, Ghadafi, Groth and Petit, ESORICS 2015, after Groth and
Kohlweiss, EUROCRYPT 2015), and that sum 2^i b_i is what C hides. One challenge serves all bits. Perfect special
honest-verifier zero knowledge, 3-special soundness; made non-interactive by :mod:`.transcript`
(knowledge soundness of the multi-special-sound Fiat-Shamir transform: Attema, Fehr and Klooss, TCC 2022).
Assumption: discrete logarithms, random oracle. Leaks: k, which is public anyway.

Against k separate OR proofs this is less than half the bytes, and all proofs share their bases, so that a batch
costs little more than one (:mod:`.combination`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.combination import Combination, weight
from blindscore_crypto.sealed.groups.group import (
    SCALAR_BYTES,
    Group,
    Point,
    decode_scalar,
    encode_scalar,
    independent_bases,
    random_scalar,
)
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript

MAX_BITS = 32  # far below log2 q = 252, so that 2^k never wraps around the group order


@dataclass(frozen=True)
class RangeProof:
    """One proof: five group elements, k + 3 scalars."""

    bits: Point  # B = sum b_i K_i + r_B G
    masks: Point  # A = sum a_i K_i + r_A G
    cross: Point  # C' = sum a_i (1 - 2 b_i) K_i + r_C G
    squares: Point  # D = sum -a_i^2 K_i + r_D G
    value_mask: Point  # E = (sum 2^i a_i) H + r_E G
    responses: tuple[int, ...]  # f_i = b_i x + a_i
    openings: tuple[int, int, int]  # z_A = r_B x + r_A, z_C = r_C x + r_D, z_E = r x + r_E

    @staticmethod
    def size(group: Group, k: int) -> int:
        """Bytes of an encoded proof."""
        return 5 * group.point_bytes + (k + 3) * SCALAR_BYTES

    def encode(self, group: Group) -> bytes:
        """Return the fixed-size encoding."""
        points = (self.bits, self.masks, self.cross, self.squares, self.value_mask)
        return b"".join(map(group.encode, points)) + b"".join(map(encode_scalar, (*self.responses, *self.openings)))

    @classmethod
    def decode(cls, group: Group, k: int, data: bytes) -> RangeProof:
        """Return the proof that `data` encodes.

        Raises
        ------
        ForgeryError
            Wrong length, or an element or scalar that is not canonical.
        """
        if len(data) != cls.size(group, k):
            raise ForgeryError(f"a {k}-bit range proof has {cls.size(group, k)} bytes, got {len(data)}")
        split = 5 * group.point_bytes
        b, a, c, d, e = (group.decode(data[i : i + group.point_bytes]) for i in range(0, split, group.point_bytes))
        scalars = [decode_scalar(group, data[i : i + SCALAR_BYTES]) for i in range(split, len(data), SCALAR_BYTES)]
        return cls(b, a, c, d, e, tuple(scalars[:k]), (scalars[k], scalars[k + 1], scalars[k + 2]))


@dataclass(frozen=True)
class Claim:
    """What a verifier checks: `commitment` hides a number in [0, 2^k), proven in a transcript's context."""

    commitment: Point
    k: int
    proof: RangeProof
    transcript: Transcript  # holds the context; consumed by the check


def _bases(group: Group, k: int) -> tuple[Point, ...]:
    if not 1 <= k <= MAX_BITS:
        raise ParameterError(f"a range proof covers 1 to {MAX_BITS} bits, {k} were asked for")
    return independent_bases(group, b"range proof bits", MAX_BITS)[:k]


def _challenge(pedersen: Pedersen, commitment: Point, k: int, points: Sequence[Point], transcript: Transcript) -> int:
    group = pedersen.group
    transcript.absorb(b"range proof", k.to_bytes(2, "big"))
    # The statement may be the identity (a public value cancelled), which has no encoding: bind it as absent.
    is_identity = group.equal(commitment, group.identity())
    transcript.absorb(b"commitment", b"" if is_identity else group.encode(commitment))
    for point in points:
        transcript.absorb(b"announcement", group.encode(point))
    return transcript.challenge(b"range proof")


def prove(pedersen: Pedersen, value: int, blinding: int, k: int, transcript: Transcript) -> RangeProof:
    """Prove that ``pedersen.commit(value, blinding)`` hides a number in [0, 2^k).

    Raises
    ------
    ParameterError
        The value does not lie in the range: no proof exists, and none is attempted. The value is not repeated.
    """
    group, q = pedersen.group, pedersen.group.order
    bases = _bases(group, k)
    if not 0 <= value < 1 << k:
        raise ParameterError(f"the value does not lie in [0, 2^{k}); it cannot be proven")
    bits = [(value >> i) & 1 for i in range(k)]
    masks = [random_scalar(group) for _ in range(k)]
    r_b, r_a, r_c, r_d, r_e = (random_scalar(group) for _ in range(5))
    announce_bits, announce_masks = group.base_mul(r_b), group.base_mul(r_a)
    cross, squares = group.base_mul(r_c), group.base_mul(r_d)
    for bit, mask, base in zip(bits, masks, bases, strict=True):
        masked = group.mul(mask, base)
        # Both candidates are computed before one is taken, so that time does not depend on the bit.
        announce_bits = (announce_bits, group.add(announce_bits, base))[bit]
        announce_masks = group.add(announce_masks, masked)
        cross = (group.add(cross, masked), group.sub(cross, masked))[bit]
        squares = group.sub(squares, group.mul(mask * mask, base))
    value_mask = pedersen.commit(sum(mask << i for i, mask in enumerate(masks)) % q, r_e)
    points = (announce_bits, announce_masks, cross, squares, value_mask)
    x = _challenge(pedersen, pedersen.commit(value, blinding), k, points, transcript)
    return RangeProof(
        *points,
        tuple((bit * x + mask) % q for bit, mask in zip(bits, masks, strict=True)),
        ((r_b * x + r_a) % q, (r_c * x + r_d) % q, (blinding * x + r_e) % q),
    )


def verify(pedersen: Pedersen, claim: Claim) -> bool:
    """Say whether one claim holds."""
    return verify_batch(pedersen, [claim])


def verify_batch(pedersen: Pedersen, claims: Sequence[Claim]) -> bool:
    """Say whether all claims hold, in one check."""
    total = Combination(pedersen.group)
    return all(collect(total, pedersen, claim) for claim in claims) and total.is_nothing()


def collect(total: Combination, pedersen: Pedersen, claim: Claim) -> bool:
    """Add a claim's equations to a combination that must come to nothing; False if the proof has another shape.

    With x the challenge: x B + A = sum f_i K_i + z_A G; x C' + D = sum f_i (x - f_i) K_i + z_C G;
    x C + E = (sum 2^i f_i) H + z_E G.
    """
    proof = claim.proof
    if len(proof.responses) != claim.k:
        return False
    announced = (proof.bits, proof.masks, proof.cross, proof.squares, proof.value_mask)
    x = _challenge(pedersen, claim.commitment, claim.k, announced, claim.transcript)
    w_a, w_c, w_e = weight(), weight(), weight()
    for f, base in zip(proof.responses, _bases(pedersen.group, claim.k), strict=True):
        total.add(w_a * f + w_c * f * (x - f), base)
    total.add(w_e * sum(f << i for i, f in enumerate(proof.responses)), pedersen.value_base)
    z_a, z_c, z_e = proof.openings
    total.add_generator(w_a * z_a + w_c * z_c + w_e * z_e)
    parts = (
        (w_a, proof.bits, proof.masks),
        (w_c, proof.cross, proof.squares),
        (w_e, claim.commitment, proof.value_mask),
    )
    for w, multiplied, mask in parts:
        total.add(-w * x, multiplied)
        total.add(-w, mask)
    return True
