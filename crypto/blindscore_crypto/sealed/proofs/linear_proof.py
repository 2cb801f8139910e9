"""Proof of knowledge of numbers that solve linear equations between group elements.

Relation: knowledge of x with target_k = sum over terms of (sum_j weight_j x_j) point, for every equation k.
Schnorr's proof (CRYPTO 1989), equality of discrete logarithms (Chaum and Pedersen, CRYPTO 1992) and representations
are instances: Maurer, "Unifying zero-knowledge proofs of knowledge" (AFRICACRYPT 2009), theorem 3. Special sound,
perfect special honest-verifier zero knowledge; non-interactive by :mod:`.transcript`.
Assumption: random oracle; what the extracted numbers mean rests on discrete logarithms. Leaks: the statement, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.groups.combination import Combination, weight
from blindscore_crypto.sealed.groups.group import (
    SCALAR_BYTES,
    Group,
    Point,
    decode_scalar,
    encode_scalar,
    random_scalar,
)
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript


@dataclass(frozen=True)
class Term:
    """(sum of weight x[index]) point."""

    point: Point
    parts: tuple[tuple[int, int], ...]  # (index of the unknown, its integer weight)

    def scalar(self, x: Sequence[int]) -> int:
        """Return the number that multiplies the point."""
        return sum(weight * x[index] for index, weight in self.parts)


@dataclass(frozen=True)
class Equation:
    """target = sum of terms."""

    target: Point
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class LinearProof:
    """One announcement an equation, one response an unknown."""

    announcements: tuple[Point, ...]
    responses: tuple[int, ...]

    @staticmethod
    def size(group: Group, equations: int, unknowns: int) -> int:
        """Bytes of an encoded proof."""
        return equations * group.point_bytes + unknowns * SCALAR_BYTES

    def encode(self, group: Group) -> bytes:
        """Return the fixed-size encoding."""
        return b"".join(map(group.encode, self.announcements)) + b"".join(map(encode_scalar, self.responses))

    @classmethod
    def decode(cls, group: Group, equations: int, unknowns: int, data: bytes) -> LinearProof:
        """Return the proof that `data` encodes.

        Raises
        ------
        ForgeryError
            Wrong length, or an element or scalar that is not canonical.
        """
        if len(data) != cls.size(group, equations, unknowns):
            raise ForgeryError(f"the proof has {cls.size(group, equations, unknowns)} bytes, got {len(data)}")
        split, width = equations * group.point_bytes, group.point_bytes
        points = tuple(group.decode(data[i : i + width]) for i in range(0, split, width))
        at = range(split, len(data), SCALAR_BYTES)
        return cls(points, tuple(decode_scalar(group, data[i : i + SCALAR_BYTES]) for i in at))


def prove(group: Group, equations: Sequence[Equation], x: Sequence[int], transcript: Transcript) -> LinearProof:
    """Prove knowledge of the solution `x`; if it is none, the proof does not verify."""
    nonces = [random_scalar(group) for _ in x]
    announced = tuple(_evaluate(group, equation, nonces) for equation in equations)
    c = _challenge(group, equations, announced, transcript)
    return LinearProof(announced, tuple((n + c * w) % group.order for n, w in zip(nonces, x, strict=True)))


def verify(
    group: Group, equations: Sequence[Equation], unknowns: int, proof: LinearProof, transcript: Transcript
) -> bool:
    """Say whether the proof holds."""
    total = Combination(group)
    return collect(total, group, equations, unknowns, proof, transcript) and total.is_nothing()


def collect(
    total: Combination,
    group: Group,
    equations: Sequence[Equation],
    unknowns: int,
    proof: LinearProof,
    transcript: Transcript,
) -> bool:
    """Add the proof's equations to a combination that must come to nothing; False if the proof has another shape."""
    if len(proof.announcements) != len(equations) or len(proof.responses) != unknowns:
        return False
    c = _challenge(group, equations, proof.announcements, transcript)
    for equation, announced in zip(equations, proof.announcements, strict=True):
        w = weight()
        for term in equation.terms:
            total.add(w * term.scalar(proof.responses), term.point)
        total.add(-w * c, equation.target)
        total.add(-w, announced)
    return True


def _evaluate(group: Group, equation: Equation, x: Sequence[int]) -> Point:
    total = group.identity()
    for term in equation.terms:
        total = group.add(total, group.mul(term.scalar(x) % group.order, term.point))
    return total


def _challenge(group: Group, equations: Sequence[Equation], announced: Sequence[Point], transcript: Transcript) -> int:
    """Bind the whole statement and the announcements, then draw."""
    for equation in equations:
        # A target may be the identity (a homogeneous equation), which has no encoding: bind it as absent.
        absent = group.equal(equation.target, group.identity())
        transcript.absorb(b"target", b"" if absent else group.encode(equation.target))
        for term in equation.terms:
            transcript.absorb(b"term", group.encode(term.point))
            transcript.absorb(b"parts", repr(term.parts).encode())
    for point in announced:
        transcript.absorb(b"announcement", group.encode(point))
    return transcript.challenge(b"linear proof")
