"""Blind signatures on attributes: whoever signs does not recognise the signature when it is shown.

Source: Anonymous Credentials Light (Baldimtsi and Lysyanskaya, CCS 2013) over Abe's three-move blind signature
(EUROCRYPT 2001). One-more unforgeability, also under concurrent sessions: Kastner, Loss and Renawi, "Concurrent
Security of Anonymous Credentials Light, Revisited" (CCS 2023), in the algebraic group model with a random oracle.
The concurrent attack on it in Benhamouda et al. (EUROCRYPT 2021) is shown there to be flawed.
Blindness: decisional Diffie-Hellman, random oracle. No pairings.

Who sees what: the signer knows the attributes that it vouches for, and whom it serves; of the receiver's own secret,
which is signed too, it sees an element; of the finished signature it knows nothing. A signature is shown once: shown
twice, its elements recur. Difference from the paper: here the signer itself forms the commitment to what it vouches
for, and adds the receiver's element, whose registration proof stands in :mod:`.holder`; the random exponent `rnd`
hides all of it from everybody else.

Both sides' half-way states are bytes, so that either may restart. **A signer's state answers one challenge**: two
answers give the key away (a test does it). Whoever keeps states takes one out before it answers, atomically.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.groups.group import (
    SCALAR_BYTES,
    Group,
    Point,
    decode_scalar,
    encode_scalar,
    independent_bases,
    random_scalar,
)
from blindscore_crypto.sealed.wire import Reader

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

    serial: bytes = field(repr=False)  # the signed message: random, chosen by the receiver, its secret until shown
    zeta: Point = field(repr=False)  # gamma z
    zeta1: Point = field(repr=False)  # gamma z_1, the blinded commitment to the attributes
    scalars: tuple[int, int, int, int, int, int] = field(repr=False)

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


@dataclass(frozen=True)
class Attributes:
    """What is signed: a number, the receiver's secret as an element, and bits. Only the receiver knows the secret."""

    number: int = field(repr=False)
    secret: Point = field(repr=False)
    bits: tuple[int, ...] = field(repr=False)


def commitment(key: AclKey, attributes: Attributes, rnd: int) -> Point:
    """Return z_1 = number h_0 + secret + sum bits[i] h_(1+i) + rnd G, with the same work whatever the bits."""
    group = key.group
    first, *bases = key.attribute_bases(1 + len(attributes.bits))
    total = group.add(group.base_mul(rnd), group.mul(attributes.number, first))
    total = group.add(total, attributes.secret)
    for bit, base in zip(attributes.bits, bases, strict=True):
        total = (total, group.add(total, base))[bit]
    return total


@dataclass(frozen=True)
class Opening:
    """First message, signer to receiver: the randomness of z_1 and three announcements."""

    rnd: int = field(repr=False)
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
CLOSING_BYTES = CLOSING_SCALARS * SCALAR_BYTES
CHALLENGE_BYTES = SCALAR_BYTES
SESSION_BYTES = 4 * SCALAR_BYTES  # u, s_1, s_2, d


class AclSigner:
    """Holds the secret key x.

    Parameters
    ----------
    secret
        By default fresh from the operating system's generator.
    """

    def __init__(self, group: Group, context: bytes, secret: int | None = None) -> None:
        self._x = random_scalar(group) if secret is None else secret
        self.key = AclKey(group, group.base_mul(self._x), context)

    def begin(self, attributes: Attributes) -> tuple[bytes, bytes]:
        """Start one signature; return the message to the receiver, and the secret state that answers one challenge."""
        key, group = self.key, self.key.group
        rnd, u, s1, s2, d = (random_scalar(group) for _ in range(5))
        z1 = commitment(key, attributes, rnd)
        z2 = group.sub(key.tag, z1)
        opening = Opening(
            rnd,
            group.base_mul(u),
            group.add(group.base_mul(s1), group.mul(d, z1)),
            group.add(group.mul(s2, key.second), group.mul(d, z2)),
        ).encode(group)
        return opening, b"".join(map(encode_scalar, (u, s1, s2, d)))

    def answer(self, state: bytes, challenge: bytes) -> bytes:
        """Return the closing message to the receiver's challenge. A state answers once: take it out, then call.

        Raises
        ------
        ForgeryError
            The challenge or the state is not canonical.
        """
        group = self.key.group
        e = decode_scalar(group, challenge)
        if len(state) != SESSION_BYTES:
            raise ForgeryError(f"a signer's state has {SESSION_BYTES} bytes")
        u, s1, s2, d = (decode_scalar(group, state[i : i + 32]) for i in range(0, SESSION_BYTES, SCALAR_BYTES))
        c = (e - d) % group.order
        return b"".join(map(encode_scalar, (c, d, (u - c * self._x) % group.order, s1, s2)))

    def __repr__(self) -> str:
        return "AclSigner()"


@dataclass(frozen=True)
class AclCredential:
    """A finished signature and what is needed to show it: the receiver's secret."""

    signature: AclSignature = field(repr=False)
    gamma: int = field(repr=False)
    rnd: int = field(repr=False)

    def encode(self, group: Group) -> bytes:
        """Return the bytes under which a wallet keeps it."""
        return self.signature.encode(group) + encode_scalar(self.gamma) + encode_scalar(self.rnd)

    @classmethod
    def decode(cls, group: Group, data: bytes) -> AclCredential:
        """Return the credential that was kept.

        Raises
        ------
        ForgeryError
            Wrong length, or not canonical.
        """
        cut = AclSignature.size(group)
        if len(data) != cut + 2 * SCALAR_BYTES:
            raise ForgeryError(f"a credential has {cut + 2 * SCALAR_BYTES} bytes, got {len(data)}")
        gamma, rnd = (decode_scalar(group, data[i : i + SCALAR_BYTES]) for i in (cut, cut + SCALAR_BYTES))
        return cls(AclSignature.decode(group, data[:cut]), gamma, rnd)


@dataclass(frozen=True)
class AclReceiver:
    """The receiver's side of one signature: send `challenge`, hand the answer to :meth:`finish`."""

    key: AclKey
    challenge: bytes
    serial: bytes = field(repr=False)
    zeta: Point = field(repr=False)
    zeta1: Point = field(repr=False)
    secrets: tuple[int, ...] = field(repr=False)  # gamma, tau, t_1 ... t_5, rnd

    @classmethod
    def begin(cls, key: AclKey, attributes: Attributes, opening: bytes) -> AclReceiver:
        """Blind what the signer began.

        Raises
        ------
        ForgeryError
            The signer's message is malformed.
        """
        group, q = key.group, key.group.order
        message = Opening.decode(group, opening)
        z1 = commitment(key, attributes, message.rnd)
        gamma, tau, t1, t2, t3, t4, t5 = (random_scalar(group) for _ in range(7))
        serial = os.urandom(SERIAL_BYTES)
        zeta, zeta1 = group.mul(gamma, key.tag), group.mul(gamma, z1)
        zeta2 = group.sub(zeta, zeta1)
        alpha = group.add(group.add(message.a, group.base_mul(t1)), group.mul(t2, key.y))
        beta1 = group.add(group.mul(gamma, message.b1), group.base_mul(t3))
        beta1 = group.add(beta1, group.mul(t4, zeta1))
        beta2 = group.add(group.mul(gamma, message.b2), group.mul(t5, key.second))
        beta2 = group.add(beta2, group.mul(t4, zeta2))
        eta = group.mul(tau, key.tag)
        epsilon = _epsilon(key, (zeta, zeta1, alpha, beta1, beta2, eta), serial)
        challenge = encode_scalar((epsilon - t2 - t4) % q)
        return cls(key, challenge, serial, zeta, zeta1, (gamma, tau, t1, t2, t3, t4, t5, message.rnd))

    def finish(self, closing: bytes) -> AclCredential:
        """Return the credential that the signer's closing message completes.

        Raises
        ------
        ForgeryError
            Malformed, or the signer cheated: the result is no signature on these attributes.
        """
        group, q = self.key.group, self.key.group.order
        if len(closing) != CLOSING_BYTES:
            raise ForgeryError(f"a closing message has {CLOSING_BYTES} bytes, got {len(closing)}")
        c, d, r, s1, s2 = (decode_scalar(group, closing[i : i + 32]) for i in range(0, len(closing), SCALAR_BYTES))
        gamma, tau, t1, t2, t3, t4, t5, rnd = self.secrets
        delta = (d + t4) % q
        scalars = (
            (r + t1) % q,
            (c + t2) % q,
            (gamma * s1 + t3) % q,
            (gamma * s2 + t5) % q,
            delta,
            (tau - delta * gamma) % q,
        )
        signature = AclSignature(self.serial, self.zeta, self.zeta1, scalars)
        if not signature.verify(self.key):
            raise ForgeryError("the signer's answer does not make a signature on these attributes; begin anew")
        return AclCredential(signature, gamma, rnd)

    def encode(self) -> bytes:
        """Return the half-way state, so that a wallet may restart before the answer comes."""
        group = self.key.group
        points = group.encode(self.zeta) + group.encode(self.zeta1)
        return self.challenge + self.serial + points + b"".join(map(encode_scalar, self.secrets))

    @classmethod
    def decode(cls, key: AclKey, data: bytes) -> AclReceiver:
        """Return the state that was kept.

        Raises
        ------
        ForgeryError
            Wrong length, or not canonical.
        """
        group, reader = key.group, Reader("a receiver's state", data)
        challenge, serial = reader.take(CHALLENGE_BYTES), reader.take(SERIAL_BYTES)
        zeta, zeta1 = (group.decode(reader.take(group.point_bytes)) for _ in range(2))
        secrets = tuple(decode_scalar(group, reader.take(SCALAR_BYTES)) for _ in range(8))
        reader.end()
        return cls(key, challenge, serial, zeta, zeta1, secrets)
