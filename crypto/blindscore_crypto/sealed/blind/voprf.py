"""VOPRF: a server evaluates a keyed function on an input that it cannot see, and proves that it used its public key.

Source: RFC 9497, suite P256-SHA256, verifiable mode (0x01), checked against its vectors. Who sees what: the server one
uniform group element an input; the client the output, not the key. Assumption: one-more gap Diffie-Hellman, random
oracle. Not protected: only the server can check an output, so that it suits tokens redeemed where they were issued.
Inputs are hashed to the curve in variable time: they must be random, one use each, as token nonces are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from Crypto.PublicKey.ECC import EccPoint

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import P256_GROUP, SCALAR_BYTES, Point, encode_scalar, random_scalar
from blindscore_crypto.sealed.groups.group import decode_scalar as decode_group_scalar
from blindscore_crypto.sealed.groups.hash_to_curve import A, B, P, expand_message_xmd

ELEMENT_BYTES = 33
PROOF_BYTES = 2 * SCALAR_BYTES
OUTPUT_BYTES = 32
MAX_BATCH = 256
_CONTEXT = b"OPRFV1-\x01-P256-SHA256"
_Q = P256_GROUP.order


def encode_element(point: Point) -> bytes:
    """Return the SEC 1 compressed form, 33 bytes (section 4.3)."""
    x, y = point.xy
    return bytes([2 + y % 2]) + x.to_bytes(32, "big")


def decode_element(data: bytes) -> Point:
    """Return the point that 33 bytes encode.

    Raises
    ------
    ForgeryError
        Wrong length or prefix, a coordinate that is not reduced, or no point of the curve.
    """
    if len(data) != ELEMENT_BYTES or data[0] not in (2, 3):
        raise ForgeryError(f"an element has {ELEMENT_BYTES} bytes in SEC 1 compressed form")
    x = int.from_bytes(data[1:], "big")
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        raise ForgeryError("an element is not in canonical form, or does not lie on the curve")
    return EccPoint(x, P - y if y % 2 != data[0] % 2 else y, "p256")


def _hash_to_scalar(message: bytes, dst: bytes = b"HashToScalar-" + _CONTEXT) -> int:
    return int.from_bytes(expand_message_xmd(message, dst, 48), "big") % _Q


def _hash_to_group(message: bytes) -> Point:
    return P256_GROUP.hash_to_point(message, b"HashToGroup-" + _CONTEXT)


def _framed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _composite_weights(key: Point, blinded: Sequence[Point], evaluated: Sequence[Point]) -> list[int]:
    """d_i of ComputeComposites (section 2.2.1)."""
    seed = hashlib.sha256(_framed(encode_element(key), b"Seed-" + _CONTEXT)).digest()
    weights = []
    for i, (c, d) in enumerate(zip(blinded, evaluated, strict=True)):
        elements = _framed(encode_element(c), encode_element(d))
        weights.append(_hash_to_scalar(_framed(seed) + i.to_bytes(2, "big") + elements + b"Composite"))
    return weights


def _proof_challenge(key: Point, m: Point, z: Point, t2: Point, t3: Point) -> int:
    return _hash_to_scalar(_framed(*map(encode_element, (key, m, z, t2, t3))) + b"Challenge")


def _output(message: bytes, element: Point) -> bytes:
    return hashlib.sha256(_framed(message, encode_element(element)) + b"Finalize").digest()


class VoprfServer:
    """Holds the key k.

    Parameters
    ----------
    secret
        By default fresh from the operating system's generator.
    """

    def __init__(self, secret: int | None = None) -> None:
        self._k = random_scalar(P256_GROUP) if secret is None else secret
        if not 0 < self._k < _Q:
            raise ParameterError("a VOPRF key lies in 1..q - 1")
        self.public = P256_GROUP.base_mul(self._k)

    @classmethod
    def derive(cls, seed: bytes, info: bytes) -> VoprfServer:
        """Return the server of DeriveKeyPair (section 3.2.1).

        Raises
        ------
        ParameterError
            The seed does not have 32 bytes.
        """
        if len(seed) != 32:
            raise ParameterError(f"a seed has 32 bytes, got {len(seed)}")
        for counter in range(256):
            secret = _hash_to_scalar(seed + _framed(info) + bytes([counter]), b"DeriveKeyPair" + _CONTEXT)
            if secret:
                return cls(secret)
        raise ParameterError("no key derives from this seed; draw another")

    def evaluate(self, blinded: Sequence[bytes]) -> tuple[list[bytes], bytes]:
        """Return the evaluated elements and one proof for all of them.

        Raises
        ------
        ForgeryError
            None or too many elements, or one that is not canonical.
        """
        return self.evaluate_with(blinded, random_scalar(P256_GROUP))

    def evaluate_with(self, blinded: Sequence[bytes], r: int) -> tuple[list[bytes], bytes]:
        """Return the same as :meth:`evaluate` with a given proof nonce: for known-answer tests."""
        if not 0 < len(blinded) <= MAX_BATCH:
            raise ForgeryError(f"a batch holds 1 to {MAX_BATCH} elements, got {len(blinded)}")
        points = [decode_element(data) for data in blinded]
        evaluated = [P256_GROUP.mul(self._k, point) for point in points]
        m = P256_GROUP.combine(_composite_weights(self.public, points, evaluated), points)
        z = P256_GROUP.mul(self._k, m)
        c = _proof_challenge(self.public, m, z, P256_GROUP.base_mul(r), P256_GROUP.mul(r, m))
        proof = encode_scalar(c) + encode_scalar((r - c * self._k) % _Q)
        return [encode_element(point) for point in evaluated], proof

    def output(self, message: bytes) -> bytes:
        """Return the function's value on an input in the clear: how the server checks an output."""
        return _output(message, P256_GROUP.mul(self._k, _hash_to_group(message)))


@dataclass(frozen=True)
class VoprfClient:
    """One batch of inputs on its way; send `blinded`, hand the answer to :meth:`finalize`."""

    key: Point
    messages: tuple[bytes, ...] = field(repr=False)
    _blinds: tuple[int, ...] = field(repr=False)

    @classmethod
    def begin(cls, key: Point, messages: Sequence[bytes]) -> VoprfClient:
        """Blind inputs under fresh randomness."""
        return cls(key, tuple(messages), tuple(random_scalar(P256_GROUP) for _ in messages))

    @property
    def blinded(self) -> list[bytes]:
        """The blinded elements, 33 bytes each."""
        pairs = zip(self._blinds, self.messages, strict=True)
        return [encode_element(P256_GROUP.mul(blind, _hash_to_group(message))) for blind, message in pairs]

    def finalize(self, evaluated: Sequence[bytes], proof: bytes) -> list[bytes]:
        """Return the outputs.

        Raises
        ------
        ForgeryError
            Malformed, or the server did not use the key that it published.
        """
        if len(evaluated) != len(self.messages) or len(proof) != PROOF_BYTES:
            raise ForgeryError("the answer does not have one element an input and one proof")
        c, s = (decode_group_scalar(P256_GROUP, proof[i : i + SCALAR_BYTES]) for i in (0, SCALAR_BYTES))
        points, answers = [decode_element(b) for b in self.blinded], [decode_element(e) for e in evaluated]
        weights = _composite_weights(self.key, points, answers)
        m, z = P256_GROUP.combine(weights, points), P256_GROUP.combine(weights, answers)
        t2 = P256_GROUP.combine([s, c], [P256_GROUP.base_mul(1), self.key])
        if _proof_challenge(self.key, m, z, t2, P256_GROUP.combine([s, c], [m, z])) != c:
            raise ForgeryError("the server did not evaluate under its published key; it could mark its clients")
        triples = zip(self.messages, self._blinds, answers, strict=True)
        return [_output(message, P256_GROUP.mul(pow(blind, -1, _Q), answer)) for message, blind, answer in triples]
