"""Sigma: proofs of linear relations between points of P-256, without interaction, as the drafts have them.

Source: draft-irtf-cfrg-sigma-protocols (linear relations, Schnorr proofs, their instance label) and draft-irtf-cfrg-
fiat-shamir (a duplex over SHAKE128), in the version in which ARC's vectors were made; later ones begin the duplex
otherwise. A proof is a challenge and one response a scalar. Hidden: the scalars. Assumptions: discrete logarithms on
P-256; SHAKE128 as a random oracle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.groups.group import P256_GROUP as P256
from blindscore_crypto.sealed.groups.group import Point, decode_scalar, encode_scalar, random_scalar

POINT, SCALAR = 33, 32  # bytes: a point in SEC 1's compressed form, a scalar
_RATE = 168  # bytes, of SHAKE128
_PROTOCOL = b"ietf sigma proof linear relation"
_CHALLENGE = SCALAR + 16  # bytes that a challenge is reduced from

Term = tuple[int, int]  # a scalar times an element, by their numbers
Equation = tuple[int, tuple[Term, ...]]  # an element is the sum of these


def encode(point: Point) -> bytes:
    """Return a point's 33 bytes."""
    raw = P256.encode(point)
    return bytes([2 + (raw[-1] & 1)]) + raw[1:POINT]


def decode(data: bytes) -> Point:
    """Return the point that 33 bytes stand for; else :class:`~blindscore.errors.ForgeryError`."""
    p, x = P256.curve.p, int.from_bytes(data[1:])
    if len(data) != POINT or data[0] not in (2, 3) or x >= p:
        raise ForgeryError("a point of P-256 is not in its compressed form; the bytes were altered")
    y = pow(x**3 - 3 * x + P256.curve.b, (p + 1) // 4, p)
    y = y if y & 1 == data[0] & 1 else p - y
    return P256.decode(b"\x04" + data[1:] + y.to_bytes(32))


@dataclass(frozen=True)
class Statement:
    """So many secret scalars, and the equations that they satisfy between public elements."""

    scalars: int
    elements: tuple[Point, ...]
    equations: tuple[Equation, ...]

    @property
    def label(self) -> bytes:
        """What the proof is bound to: structure, then elements."""
        numbers = [len(self.equations)]
        for image, terms in self.equations:
            numbers += [image, len(terms), *(number for term in terms for number in term)]
        return b"".join(n.to_bytes(4, "little") for n in numbers) + b"".join(map(encode, self.elements))

    def committed(self, nonces: Sequence[int]) -> list[Point]:
        """Return each equation's sum for secret scalars."""
        out = []
        for _, terms in self.equations:
            total = P256.identity()
            for scalar, element in terms:
                total = P256.add(total, P256.mul(nonces[scalar], self.elements[element]))
            out.append(total)
        return out


def _challenge(session: bytes, statement: Statement, commitment: Sequence[Point]) -> int:
    said = [_PROTOCOL.ljust(_RATE, b"\0")]
    for part in (session, statement.label):
        said += [len(part).to_bytes(4), part]
    drawn = hashlib.shake_128(b"".join((*said, *map(encode, commitment)))).digest(_CHALLENGE)
    return int.from_bytes(drawn) % P256.order


def prove(
    session: bytes, statement: Statement, witness: Sequence[int], scalar: Callable[[], int] | None = None
) -> bytes:
    """Return a proof that one knows the scalars, good for this session; ``scalar`` draws them, but for tests afresh."""
    draw = scalar or (lambda: random_scalar(P256))
    nonces = [draw() for _ in range(statement.scalars)]
    challenge = _challenge(session, statement, statement.committed(nonces))
    responses = [(n + w * challenge) % P256.order for n, w in zip(nonces, witness, strict=True)]
    return b"".join(map(encode_scalar, (challenge, *responses)))


def check(session: bytes, statement: Statement, proof: bytes) -> None:
    """Return if a proof holds for this statement and session; else :class:`~blindscore.errors.ForgeryError`."""
    if len(proof) != SCALAR * (1 + statement.scalars):
        raise ForgeryError("a proof has another length than its statement")
    challenge, *responses = (decode_scalar(P256, proof[at : at + SCALAR]) for at in range(0, len(proof), SCALAR))
    commitment = [
        P256.combine(
            [-challenge, *(responses[s] for s, _ in terms)],
            [statement.elements[image], *(statement.elements[e] for _, e in terms)],
        )
        for image, terms in statement.equations
    ]
    if _challenge(session, statement, commitment) != challenge:
        raise ForgeryError("a proof does not hold for its statement")
