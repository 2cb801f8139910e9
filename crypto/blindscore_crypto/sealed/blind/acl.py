"""Blind signatures on attributes: whoever signs does not recognise the signature when it is shown.

Source: Anonymous Credentials Light (Baldimtsi and Lysyanskaya, CCS 2013) over Abe's three-move blind signature
(EUROCRYPT 2001). One-more unforgeability, also under concurrent sessions: Kastner, Loss and Renawi, "Concurrent
Security of Anonymous Credentials Light, Revisited" (CCS 2023), in the algebraic group model with a random oracle.
The concurrent attack on it in Benhamouda et al. (EUROCRYPT 2021) is shown there to be flawed.
Blindness: decisional Diffie-Hellman, random oracle. No pairings.

Who sees what: the signer knows the attributes (it vouches for them) and whom it serves; of the finished signature it
knows nothing. A signature is shown once: shown twice, its elements recur.
Difference from the paper: here the signer itself forms the commitment to the attributes (the paper's R is 0 and its
registration proof falls away); the random exponent `rnd` hides them from everybody else.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import (
    SCALAR_BYTES,
    Group,
    Point,
    decode_scalar,
    encode_scalar,
    independent_bases,
    random_scalar,
)

SERIAL_BYTES = 32


@dataclass(frozen=True)
class AclKey:
    """Public key for one kind of statement; `context` names what signatures under it mean, and enters its tag z."""

    group: Group
    y: Point  # y = x G
    context: bytes

    @property
    def tag(self) -> Point:
        """z: a point of unknown discrete logarithm that belongs to this key."""
        return independent_bases(self.group, b"acl tag" + self.group.encode(self.y) + self.context, 1)[0]

    @property
    def second(self) -> Point:
        """h of the paper."""
        return independent_bases(self.group, b"acl second generator", 1)[0]

    def attribute_bases(self, count: int) -> tuple[Point, ...]:
        """h_1 ... h_n of the paper."""
        return independent_bases(self.group, b"acl attributes", count)


@dataclass(frozen=True)
class AclSignature:
    """(serial, zeta, zeta_1, rho, omega, rho_1, rho_2, delta, mu)."""

    serial: bytes  # the signed message: random, chosen by the receiver
    zeta: Point  # gamma z
    zeta1: Point  # gamma z_1, the blinded commitment to the attributes
    scalars: tuple[int, int, int, int, int, int]

    @staticmethod
    def size(group: Group) -> int:
        """Bytes of an encoded signature."""
        return SERIAL_BYTES + 2 * group.point_bytes + 6 * SCALAR_BYTES

    def encode(self, group: Group) -> bytes:
        """Return the fixed-size encoding."""
        points = group.encode(self.zeta) + group.encode(self.zeta1)
        return self.serial + points + b"".join(map(encode_scalar, self.scalars))

    @classmethod
    def decode(cls, group: Group, data: bytes) -> AclSignature:
        """Return the signature that `data` encodes; it may still be a bad one.

        Raises
        ------
        ForgeryError
            Wrong length, or an element or scalar that is not canonical. Zeta is never the identity.
        """
        if len(data) != cls.size(group):
            raise ForgeryError(f"a blind signature has {cls.size(group)} bytes, got {len(data)}")
        a, b = SERIAL_BYTES + group.point_bytes, SERIAL_BYTES + 2 * group.point_bytes
        rho, omega, rho1, rho2, delta, mu = (
            decode_scalar(group, data[i : i + SCALAR_BYTES]) for i in range(b, len(data), SCALAR_BYTES)
        )
        zeta, zeta1 = group.decode(data[SERIAL_BYTES:a]), group.decode(data[a:b])
        return cls(data[:SERIAL_BYTES], zeta, zeta1, (rho, omega, rho1, rho2, delta, mu))

    def nullifiers(self, key: AclKey) -> tuple[bytes, bytes]:
        """Return what recurs if, and only if, this signature is shown again: its serial and its zeta, hashed."""
        prefix = b"blindscore/sealed/v1/acl-nullifier" + key.group.encode(key.y)
        return (
            hashlib.sha256(prefix + b"serial" + self.serial).digest(),
            hashlib.sha256(prefix + b"zeta" + key.group.encode(self.zeta)).digest(),
        )

    def verify(self, key: AclKey) -> bool:
        """Say whether the signature is good (Abe's verification equation)."""
        group = key.group
        rho, omega, rho1, rho2, delta, mu = self.scalars
        zeta2 = group.sub(self.zeta, self.zeta1)
        alpha = group.add(group.base_mul(rho), group.combine([omega], [key.y]))
        beta1 = group.add(group.base_mul(rho1), group.combine([delta], [self.zeta1]))
        beta2 = group.combine([rho2, delta], [key.second, zeta2])
        eta = group.combine([mu, delta], [key.tag, self.zeta])
        points = (self.zeta, self.zeta1, alpha, beta1, beta2, eta)
        return (omega + delta) % group.order == _epsilon(key, points, self.serial)


def _epsilon(key: AclKey, points: Sequence[Point], serial: bytes) -> int:
    group = key.group
    parts = [group.name.encode(), group.encode(key.y), key.context, *map(group.encode, points), serial]
    digest = hashlib.sha512(b"blindscore/sealed/v1/acl")
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return int.from_bytes(digest.digest(), "big") % group.order


def commitment(key: AclKey, attributes: Sequence[int], rnd: int) -> Point:
    """Return z_1 = sum attributes[i] h_i + rnd G; attributes that are 0 or 1 cost an addition."""
    group = key.group
    total = group.base_mul(rnd)
    for value, base in zip(attributes, key.attribute_bases(len(attributes)), strict=True):
        if value:
            total = group.add(total, base if value == 1 else group.mul(value, base))
    return total


@dataclass(frozen=True)
class Opening:
    """First message, signer to receiver: the randomness of z_1 and three announcements."""

    rnd: int
    a: Point
    b1: Point
    b2: Point

    @staticmethod
    def size(group: Group) -> int:
        """Bytes of an encoded message."""
        return SCALAR_BYTES + 3 * group.point_bytes

    def encode(self, group: Group) -> bytes:
        """Return the fixed-size encoding."""
        return encode_scalar(self.rnd) + b"".join(map(group.encode, (self.a, self.b1, self.b2)))

    @classmethod
    def decode(cls, group: Group, data: bytes) -> Opening:
        """Return the message that `data` encodes.

        Raises
        ------
        ForgeryError
            Wrong length, or not canonical.
        """
        if len(data) != cls.size(group):
            raise ForgeryError(f"a signer's first message has {cls.size(group)} bytes, got {len(data)}")
        a, b1, b2 = (group.decode(data[i : i + group.point_bytes]) for i in range(32, len(data), group.point_bytes))
        return cls(decode_scalar(group, data[:SCALAR_BYTES]), a, b1, b2)


CLOSING_SCALARS = 5  # second message, signer to receiver: c, d, r, s_1, s_2


class AclSigner:
    """Holds the secret key x."""

    def __init__(self, group: Group, context: bytes) -> None:
        self._x = random_scalar(group)
        self.key = AclKey(group, group.base_mul(self._x), context)

    def begin(self, attributes: Sequence[int]) -> SigningSession:
        """Start one signature on attributes that the signer vouches for."""
        return SigningSession(self, attributes)

    def _respond(self, u: int, c: int) -> int:
        """Return r = u - c x. Two answers with one u give x away: :class:`SigningSession` alone calls this, once."""
        return (u - c * self._x) % self.key.group.order


class SigningSession:
    """One signature in the making. Answers once: a second answer with the same nonce would give the key away."""

    def __init__(self, signer: AclSigner, attributes: Sequence[int]) -> None:
        key, group = signer.key, signer.key.group
        rnd, u, s1, s2, d = (random_scalar(group) for _ in range(5))
        z1 = commitment(key, attributes, rnd)
        z2 = group.sub(key.tag, z1)
        self._signer = signer
        self._secrets: tuple[int, int, int, int] | None = (u, s1, s2, d)
        self.opening = Opening(
            rnd,
            group.base_mul(u),
            group.add(group.base_mul(s1), group.mul(d, z1)),
            group.add(group.mul(s2, key.second), group.mul(d, z2)),
        ).encode(group)

    def answer(self, challenge: bytes) -> bytes:
        """Return the closing message to the receiver's challenge.

        Raises
        ------
        ForgeryError
            The challenge is not canonical; the session stays open.
        ParameterError
            The session has answered before.
        """
        group = self._signer.key.group
        e = decode_scalar(group, challenge)
        if self._secrets is None:
            raise ParameterError("this signing session has answered already; begin a new one")
        u, s1, s2, d = self._secrets
        self._secrets = None
        c = (e - d) % group.order
        return b"".join(map(encode_scalar, (c, d, self._signer._respond(u, c), s1, s2)))


@dataclass(frozen=True)
class AclCredential:
    """A finished signature and what is needed to show it: the receiver's secret."""

    key: AclKey
    signature: AclSignature
    attributes: tuple[int, ...] = field(repr=False)
    gamma: int = field(repr=False)
    rnd: int = field(repr=False)


class AclReceiver:
    """The receiver's side of one signature."""

    def __init__(self, key: AclKey, attributes: Sequence[int], opening: bytes) -> None:
        group, q = key.group, key.group.order
        message = Opening.decode(group, opening)
        self._key, self._attributes, self._rnd = key, tuple(attributes), message.rnd
        z1 = commitment(key, attributes, message.rnd)
        self._gamma, self._tau, *self._t = (random_scalar(group) for _ in range(7))
        t1, t2, t3, t4, t5 = self._t
        self._serial = os.urandom(SERIAL_BYTES)
        self._zeta, self._zeta1 = group.mul(self._gamma, key.tag), group.mul(self._gamma, z1)
        zeta2 = group.sub(self._zeta, self._zeta1)
        alpha = group.add(group.add(message.a, group.base_mul(t1)), group.mul(t2, key.y))
        beta1 = group.add(group.mul(self._gamma, message.b1), group.base_mul(t3))
        beta1 = group.add(beta1, group.mul(t4, self._zeta1))
        beta2 = group.add(group.mul(self._gamma, message.b2), group.mul(t5, key.second))
        beta2 = group.add(beta2, group.mul(t4, zeta2))
        eta = group.mul(self._tau, key.tag)
        epsilon = _epsilon(key, (self._zeta, self._zeta1, alpha, beta1, beta2, eta), self._serial)
        self.challenge = encode_scalar((epsilon - t2 - t4) % q)

    def finish(self, closing: bytes) -> AclCredential:
        """Return the credential that the signer's closing message completes.

        Raises
        ------
        ForgeryError
            Malformed, or the signer cheated: the result is no signature on these attributes.
        """
        group, q = self._key.group, self._key.group.order
        if len(closing) != CLOSING_SCALARS * SCALAR_BYTES:
            raise ForgeryError(f"a closing message has {CLOSING_SCALARS * SCALAR_BYTES} bytes, got {len(closing)}")
        c, d, r, s1, s2 = (decode_scalar(group, closing[i : i + 32]) for i in range(0, len(closing), SCALAR_BYTES))
        t1, t2, t3, t4, t5 = self._t
        delta = (d + t4) % q
        scalars = (
            (r + t1) % q,
            (c + t2) % q,
            (self._gamma * s1 + t3) % q,
            (self._gamma * s2 + t5) % q,
            delta,
            (self._tau - delta * self._gamma) % q,
        )
        signature = AclSignature(self._serial, self._zeta, self._zeta1, scalars)
        if not signature.verify(self._key):
            raise ForgeryError("the signer's answer does not make a signature on these attributes; begin anew")
        return AclCredential(self._key, signature, self._attributes, self._gamma, self._rnd)
