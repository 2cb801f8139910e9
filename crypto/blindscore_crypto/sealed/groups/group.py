"""A group of prime order in which discrete logarithms are hard, and P-256 as one.

Everything above speaks to :class:`Group` only. Elements that come from outside pass :meth:`Group.decode`, which
admits exactly one encoding of each element and never the identity.

Assumption: discrete logarithms in the group are hard (about 128 bits; falls to a quantum computer).
Who sees what: `base_mul` and `mul` may take secrets and run in the library's constant time as far as Python lets
them; `combine` leaks its scalars through time and is for public values only.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from Crypto.Math.Numbers import Integer
from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.groups.hash_to_curve import P256_CURVE, P384_CURVE, Curve, hash_to_field, map_to_curve

Point = Any  # opaque outside its group: a library's point object or its canonical bytes
SCALAR_BYTES = 32


class Group(Protocol):
    """A cyclic group of prime order q >= 2^252 with canonical encodings."""

    name: str
    tag: int  # one byte on the wire
    order: int  # q
    point_bytes: int

    def __hash__(self) -> int: ...

    def identity(self) -> Point:
        """Return the neutral element."""
        ...

    def base_mul(self, k: int) -> Point:
        """Return k G for the standard generator G; k may be secret."""
        ...

    def mul(self, k: int, point: Point) -> Point:
        """Return k times `point`; k may be secret."""
        ...

    def add(self, p: Point, q: Point) -> Point:
        """Return p + q."""
        ...

    def sub(self, p: Point, q: Point) -> Point:
        """Return p - q."""
        ...

    def equal(self, p: Point, q: Point) -> bool:
        """Say whether two elements are the same."""
        ...

    def combine(self, scalars: Sequence[int], points: Sequence[Point]) -> Point:
        """Return the sum of scalars[i] points[i] in variable time; scalars are public and may be negative."""
        ...

    def encode(self, point: Point) -> bytes:
        """Return the one encoding of an element other than the identity."""
        ...

    def decode(self, data: bytes) -> Point:
        """Return the element that `data` encodes.

        Raises
        ------
        ForgeryError
            Wrong length, not on the curve, not canonical, or the identity.
        """
        ...

    def hash_to_point(self, message: bytes, dst: bytes) -> Point:
        """Return an element with unknown discrete logarithm (RFC 9380, random-oracle encoding)."""
        ...


def random_scalar(group: Group) -> int:
    """Return a uniform scalar in [1, q), from the operating system's generator."""
    return 1 + secrets.randbelow(group.order - 1)


def encode_scalar(k: int) -> bytes:
    """Return k as 32 bytes, big-endian."""
    return k.to_bytes(SCALAR_BYTES, "big")


def decode_scalar(group: Group, data: bytes) -> int:
    """Return the scalar that 32 bytes encode.

    Raises
    ------
    ForgeryError
        Wrong length, or not reduced modulo the group order.
    """
    k = int.from_bytes(data, "big")
    if len(data) != SCALAR_BYTES or k >= group.order:
        raise ForgeryError("a scalar is not in canonical form; the bytes were altered or made for another group")
    return k


class NistGroup:
    """A NIST curve (FIPS 186-5) on pycryptodome; points travel as SEC 1 uncompressed (0x04, x, y).

    Uncompressed, since finding y by a square root costs five times the check that (x, y) lies on the curve.
    """

    def __init__(self, name: str, tag: int, order: int, curve: Curve, generator: tuple[int, int]) -> None:
        self.name, self.tag, self.order, self.curve = name, tag, order, curve
        self._library = name.replace("-", "").lower()  # the library's name of the curve
        self._width = (curve.p.bit_length() + 7) // 8
        self.point_bytes = 1 + 2 * self._width
        self._generator = EccPoint(*generator, self._library)
        self._infinity = EccPoint(0, 0, self._library)

    def identity(self) -> Point:
        """Return the point at infinity; a copy, since sums are taken in place."""
        return self._infinity.copy()

    def base_mul(self, k: int) -> Point:
        """Return k G; the library recognises G and uses its tables."""
        return self._generator * (k % self.order)

    def mul(self, k: int, point: Point) -> Point:
        """Return k times `point`."""
        return point * (k % self.order)

    def add(self, p: Point, q: Point) -> Point:
        """Return p + q."""
        return p + q

    def sub(self, p: Point, q: Point) -> Point:
        """Return p - q."""
        return p + (-q)

    def equal(self, p: Point, q: Point) -> bool:
        """Say whether two points are the same."""
        return bool(p == q)

    def combine(self, scalars: Sequence[int], points: Sequence[Point]) -> Point:
        """Return the sum of scalars[i] points[i]: buckets (Pippenger) for many points or short scalars."""
        pairs = [
            (abs(k), -point if k < 0 else point)
            for k, point in zip(map(self._shortest, scalars), points, strict=True)
            if k
        ]
        longest = max((k.bit_length() for k, _ in pairs), default=0)
        total = self.identity()
        if len(pairs) < 48 and longest > 32:  # measured: below this the library's own multiplication is faster
            for k, point in pairs:
                total += point * Integer(k, public=True)
            return total
        width = 3 if len(pairs) < 48 else 4 if len(pairs) < 128 else 5 if len(pairs) < 400 else 6
        for shift in reversed(range(0, longest, width)):
            for _ in range(width):
                total.double()
            total += self._window(pairs, shift, width)
        return total

    def _shortest(self, k: int) -> int:
        k %= self.order
        return k if k <= self.order // 2 else k - self.order

    def _window(self, pairs: list[tuple[int, Point]], shift: int, width: int) -> Point:
        """Return the sum of ((k >> shift) mod 2^width) point over all pairs."""
        mask = (1 << width) - 1
        buckets: list[Point] = [None] * (mask + 1)
        for k, point in pairs:
            digit = (k >> shift) & mask
            if digit:
                if buckets[digit] is None:
                    buckets[digit] = point.copy()
                else:
                    buckets[digit] += point
        running, total = self.identity(), self.identity()
        for bucket in reversed(buckets[1:]):
            if bucket is not None:
                running += bucket
            total += running
        return total

    def encode(self, point: Point) -> bytes:
        """Return 0x04, x, y (65 bytes on P-256)."""
        if point == self._infinity:
            raise ForgeryError("the identity has no encoding; an honest value never is the identity")
        x, y = point.xy
        encoded: bytes = b"\x04" + x.to_bytes(self._width, "big") + y.to_bytes(self._width, "big")
        return encoded

    def decode(self, data: bytes) -> Point:
        """Return the point that these bytes encode; see :meth:`Group.decode`."""
        if len(data) != self.point_bytes or data[0] != 4:
            raise ForgeryError(f"a {self.name} point must be {self.point_bytes} bytes in SEC 1 uncompressed form")
        cut, p = 1 + self._width, self.curve.p
        x, y = int.from_bytes(data[1:cut], "big"), int.from_bytes(data[cut:], "big")
        # (0, 0) is how the library writes the identity; coordinates >= p would be a second encoding.
        if x >= p or y >= p or x == y == 0:
            raise ForgeryError(f"a {self.name} point is the identity or not in canonical form")
        try:
            return EccPoint(x, y, self._library)
        except ValueError:
            raise ForgeryError(f"a {self.name} point does not lie on the curve") from None

    def hash_to_point(self, message: bytes, dst: bytes) -> Point:
        """Return a point by the curve's random-oracle suite of RFC 9380."""
        u0, u1 = hash_to_field(message, dst, 2, self.curve)
        first, second = (EccPoint(*map_to_curve(u, self.curve), self._library) for u in (u0, u1))
        return first + second


P256_GROUP = NistGroup(
    "P-256",
    1,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    P256_CURVE,
    (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)
P384_GROUP = NistGroup(  # for tokens of type 1; its scalars are longer than those of :func:`encode_scalar`
    "P-384",
    3,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    P384_CURVE,
    (
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
)


@lru_cache(maxsize=64)
def independent_bases(group: Group, label: bytes, count: int) -> tuple[Point, ...]:
    """Return `count` generators with no known relation to each other or to the standard generator."""
    dst = b"blindscore/sealed/v1/bases/" + group.name.encode()
    return tuple(group.hash_to_point(label + i.to_bytes(4, "big"), dst) for i in range(count))
