"""OPRF, VOPRF, POPRF: a server evaluates a keyed function on an input that it cannot see.

Source: RFC 9497, suites P256-SHA256 and P384-SHA384, modes 0x00 (no proof), 0x01 (the server proves that it used its
public key) and 0x02 (the same, with public information mixed into the key), checked against its vectors. Who sees
what: the server one uniform group element an input; the client the output, not the key. Assumption: one-more gap
Diffie-Hellman, random oracle. Not protected: only the server can check an output, so that it suits tokens redeemed
where they were issued; in mode 0 a server may use another key for each client. Inputs are hashed to the curve in
variable time: they must be random, one use each, as token nonces are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import P256_GROUP, P384_GROUP, NistGroup, Point, random_scalar
from blindscore_crypto.sealed.groups.hash_to_curve import expand_message_xmd

MAX_BATCH = 256
MAX_INPUT = (1 << 16) - 1


class Mode(IntEnum):
    """What the server proves, and of which key."""

    OPRF = 0
    VOPRF = 1
    POPRF = 2


@dataclass(frozen=True)
class Suite:
    """A group with a hash, in one mode."""

    identifier: str
    group: NistGroup
    mode: Mode = Mode.VOPRF

    @property
    def context(self) -> bytes:
        """What every hash of this suite and mode is separated by (section 3.1)."""
        return b"OPRFV1-" + bytes([self.mode]) + b"-" + self.identifier.encode()

    @property
    def scalar_bytes(self) -> int:
        """Ns."""
        return (self.group.order.bit_length() + 7) // 8

    @property
    def element_bytes(self) -> int:
        """Ne."""
        return 1 + (self.group.curve.p.bit_length() + 7) // 8

    @property
    def proof_bytes(self) -> int:
        """Bytes of a proof; none in mode 0."""
        return 0 if self.mode == Mode.OPRF else 2 * self.scalar_bytes

    def hash(self, data: bytes) -> bytes:
        """Return the suite's hash."""
        return hashlib.new(self.group.curve.hash_name, data).digest()

    def hash_to_scalar(self, message: bytes, label: bytes = b"HashToScalar-") -> int:
        """HashToScalar (section 4)."""
        curve = self.group.curve
        wide = expand_message_xmd(message, label + self.context, curve.field_bytes, hash_name=curve.hash_name)
        return int.from_bytes(wide, "big") % self.group.order

    def hash_to_group(self, message: bytes) -> Point:
        """HashToGroup (section 4)."""
        return self.group.hash_to_point(message, b"HashToGroup-" + self.context)

    def encode(self, point: Point) -> bytes:
        """Return the SEC 1 compressed form (section 4.3)."""
        x, y = point.xy
        return bytes([2 + y % 2]) + int(x).to_bytes(self.element_bytes - 1, "big")

    def decode(self, data: bytes) -> Point:
        """Return the point that these bytes encode.

        Raises
        ------
        ForgeryError
            Wrong length or prefix, a coordinate that is not reduced, or no point of the curve.
        """
        if len(data) != self.element_bytes or data[0] not in (2, 3):
            raise ForgeryError(f"an element has {self.element_bytes} bytes in SEC 1 compressed form")
        p, x = self.group.curve.p, int.from_bytes(data[1:], "big")
        square = (x * x * x - 3 * x + self.group.curve.b) % p
        y = pow(square, (p + 1) // 4, p)
        if x >= p or y * y % p != square:
            raise ForgeryError("an element is not in canonical form, or does not lie on the curve")
        y = p - y if y % 2 != data[0] % 2 else y
        return self.group.decode(b"\x04" + data[1:] + y.to_bytes(self.element_bytes - 1, "big"))

    def encode_scalar(self, k: int) -> bytes:
        """Return a scalar's bytes, big-endian."""
        return k.to_bytes(self.scalar_bytes, "big")

    def decode_scalar(self, data: bytes) -> int:
        """Return the scalar that these bytes encode; ForgeryError if it is not reduced."""
        k = int.from_bytes(data, "big")
        if len(data) != self.scalar_bytes or k >= self.group.order:
            raise ForgeryError("a scalar is not in canonical form; the bytes were altered or made for another group")
        return k

    def output(self, message: bytes, element: Point, info: bytes) -> bytes:
        """Finalize's hash (sections 3.3.1 and 3.3.3)."""
        middle = _framed(info) if self.mode == Mode.POPRF else b""
        return self.hash(_framed(message) + middle + _framed(self.encode(element)) + b"Finalize")

    def tweak(self, info: bytes) -> int:
        """The number that public information adds to the key (section 3.3.3); 0 in the other modes."""
        if self.mode != Mode.POPRF:
            if info:
                raise ParameterError("public information belongs to mode 2")
            return 0
        return self.hash_to_scalar(b"Info" + _framed(info))


P256_SHA256 = Suite("P256-SHA256", P256_GROUP)
P384_SHA384 = Suite("P384-SHA384", P384_GROUP)


def suite_of(identifier: str, mode: int) -> Suite:
    """Return a suite in a mode.

    Raises
    ------
    ParameterError
        There is none of that name, or no such mode.
    """
    found = {s.identifier: s.group for s in (P256_SHA256, P384_SHA384)}.get(identifier)
    if found is None or mode not in set(Mode):
        raise ParameterError(
            f"no suite {identifier!r} in mode {mode}; there are P256-SHA256 and P384-SHA384, modes 0 to 2"
        )
    return Suite(identifier, found, Mode(mode))


def _framed(*parts: bytes) -> bytes:
    if any(len(part) > MAX_INPUT for part in parts):
        raise ParameterError(f"an input has at most {MAX_INPUT} bytes")
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _composite_weights(suite: Suite, key: Point, c: Sequence[Point], d: Sequence[Point]) -> list[int]:
    """d_i of ComputeComposites (section 2.2.1)."""
    seed = suite.hash(_framed(suite.encode(key), b"Seed-" + suite.context))
    weights = []
    for i, (one, other) in enumerate(zip(c, d, strict=True)):
        elements = _framed(suite.encode(one), suite.encode(other))
        weights.append(suite.hash_to_scalar(_framed(seed) + i.to_bytes(2, "big") + elements + b"Composite"))
    return weights


def _challenge(suite: Suite, key: Point, m: Point, z: Point, t2: Point, t3: Point) -> int:
    return suite.hash_to_scalar(_framed(*map(suite.encode, (key, m, z, t2, t3))) + b"Challenge")


class Server:
    """Holds the key k.

    Parameters
    ----------
    secret
        By default fresh from the operating system's generator.
    """

    def __init__(self, suite: Suite = P256_SHA256, secret: int | None = None) -> None:
        self.suite = suite
        self._k = random_scalar(suite.group) if secret is None else secret
        if not 0 < self._k < suite.group.order:
            raise ParameterError("an OPRF key lies in 1..q - 1")
        self.public = suite.group.base_mul(self._k)

    @classmethod
    def derive(cls, suite: Suite, seed: bytes, info: bytes) -> Server:
        """Return the server of DeriveKeyPair (section 3.2.1).

        Raises
        ------
        ParameterError
            The seed does not have 32 bytes.
        """
        if len(seed) != 32:
            raise ParameterError(f"a seed has 32 bytes, got {len(seed)}")
        for counter in range(256):
            secret = suite.hash_to_scalar(seed + _framed(info) + bytes([counter]), b"DeriveKeyPair")
            if secret:
                return cls(suite, secret)
        raise ParameterError("no key derives from this seed; draw another")

    def evaluate(self, blinded: Sequence[bytes], info: bytes = b"") -> tuple[list[bytes], bytes]:
        """Return the evaluated elements and one proof for all of them (empty in mode 0).

        Raises
        ------
        ForgeryError
            None or too many elements, or one that is not canonical.
        """
        return self.evaluate_with(blinded, random_scalar(self.suite.group), info)

    def evaluate_with(self, blinded: Sequence[bytes], r: int, info: bytes = b"") -> tuple[list[bytes], bytes]:
        """Return the same as :meth:`evaluate` with a given proof nonce: for known-answer tests."""
        suite, group = self.suite, self.suite.group
        if not 0 < len(blinded) <= MAX_BATCH:
            raise ForgeryError(f"a batch holds 1 to {MAX_BATCH} elements, got {len(blinded)}")
        points = [suite.decode(data) for data in blinded]
        factor, k, public = self._key(info)
        evaluated = [group.mul(factor, point) for point in points]
        encoded = [suite.encode(point) for point in evaluated]
        if suite.mode == Mode.OPRF:
            return encoded, b""
        c, d = (evaluated, points) if suite.mode == Mode.POPRF else (points, evaluated)
        m = group.combine(_composite_weights(suite, public, c, d), c)
        challenge = _challenge(suite, public, m, group.mul(k, m), group.base_mul(r), group.mul(r, m))
        response = (r - challenge * k) % group.order
        return encoded, suite.encode_scalar(challenge) + suite.encode_scalar(response)

    def output(self, message: bytes, info: bytes = b"") -> bytes:
        """Return the function's value on an input in the clear: how the server checks an output."""
        factor, _, _ = self._key(info)
        return self.suite.output(message, self.suite.group.mul(factor, self.suite.hash_to_group(message)), info)

    def _key(self, info: bytes) -> tuple[int, int, Point]:
        """(what multiplies an element, what the proof is about, its public key)."""
        group = self.suite.group
        if self.suite.mode != Mode.POPRF:
            self.suite.tweak(info)
            return self._k, self._k, self.public
        t = (self._k + self.suite.tweak(info)) % group.order
        if not t:
            raise ParameterError("this information cancels the key; use other information")
        return pow(t, -1, group.order), t, group.base_mul(t)

    def __repr__(self) -> str:
        return f"Server({self.suite.identifier})"


@dataclass(frozen=True)
class Client:
    """One batch of inputs on its way; send `blinded`, hand the answer to :meth:`finalize`."""

    suite: Suite
    key: Point
    messages: tuple[bytes, ...] = field(repr=False)
    blinds: tuple[int, ...] = field(repr=False)
    info: bytes = b""

    @classmethod
    def begin(cls, suite: Suite, key: Point, messages: Sequence[bytes], info: bytes = b"") -> Client:
        """Blind inputs under fresh randomness."""
        return cls(suite, key, tuple(messages), tuple(random_scalar(suite.group) for _ in messages), info)

    @property
    def blinded(self) -> list[bytes]:
        """The blinded elements."""
        suite = self.suite
        pairs = zip(self.blinds, self.messages, strict=True)
        return [suite.encode(suite.group.mul(blind, suite.hash_to_group(message))) for blind, message in pairs]

    def finalize(self, evaluated: Sequence[bytes], proof: bytes) -> list[bytes]:
        """Return the outputs.

        Raises
        ------
        ForgeryError
            Malformed, or the server did not use the key that it published.
        """
        suite, group = self.suite, self.suite.group
        if len(evaluated) != len(self.messages) or len(proof) != suite.proof_bytes:
            raise ForgeryError("the answer does not have one element an input and one proof")
        answers = [suite.decode(e) for e in evaluated]
        if suite.mode != Mode.OPRF:
            self._check(answers, proof)
        triples = zip(self.messages, self.blinds, answers, strict=True)
        return [
            suite.output(message, group.mul(pow(blind, -1, group.order), answer), self.info)
            for message, blind, answer in triples
        ]

    def _check(self, answers: Sequence[Point], proof: bytes) -> None:
        suite, group, n = self.suite, self.suite.group, self.suite.scalar_bytes
        challenge, s = suite.decode_scalar(proof[:n]), suite.decode_scalar(proof[n:])
        public, points = self.key, [suite.decode(b) for b in self.blinded]
        c: Sequence[Point] = points
        d: Sequence[Point] = answers
        if suite.mode == Mode.POPRF:
            public = group.add(group.base_mul(suite.tweak(self.info)), public)
            if group.equal(public, group.identity()):
                raise ForgeryError("this information cancels the server's key")
            c, d = answers, points
        weights = _composite_weights(suite, public, c, d)
        m, z = group.combine(weights, c), group.combine(weights, d)
        t2 = group.combine([s, challenge], [group.base_mul(1), public])
        if _challenge(suite, public, m, z, t2, group.combine([s, challenge], [m, z])) != challenge:
            raise ForgeryError("the server did not evaluate under its published key; it could mark its clients")
