"""ristretto255 (RFC 9496) on libsodium through `rbcl`, an optional extra: the faster group.

Every 32-byte string encodes at most one element, and the group has prime order: no cofactor, no low-order points.
Who sees what: as in :mod:`.group`. Assumption: discrete logarithms in edwards25519.
Trap: libsodium's addition answers with the identity when handed bytes that are no element, so that every element from
outside must pass :meth:`Ristretto255.decode` first, and does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from blindscore.errors import ForgeryError, ParameterError
from blindscore.extras import needs
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group, Point
from blindscore_crypto.sealed.groups.hash_to_curve import expand_message_xmd

_IDENTITY = bytes(32)


@lru_cache(maxsize=1)
def _sodium() -> Any:
    """Return libsodium's bindings, and remove the copy of the library that they left in the temporary folder.

    They unpack it there at every import. Once it is loaded, nobody asks for it by that name again.
    """
    with needs("ristretto"):
        import rbcl

    written = getattr(sys.modules.get("rbcl._sodium"), "lib_path", None)
    if written is not None:
        Path(written).unlink(missing_ok=True)
    return rbcl


class Ristretto255:
    """ristretto255; a point is its 32 canonical bytes.

    Raises
    ------
    MissingExtraError
        The extra ``ristretto`` is not installed.
    """

    name = "ristretto255"
    tag = 2
    order = 2**252 + 27742317777372353535851937790883648493
    point_bytes = 32

    def __init__(self) -> None:
        _sodium()

    def _scalar(self, k: int) -> bytes:
        return (k % self.order).to_bytes(32, "little")

    def identity(self) -> Point:
        """Return the neutral element."""
        return _IDENTITY

    def base_mul(self, k: int) -> Point:
        """Return k G."""
        return _sodium().crypto_scalarmult_ristretto255_base_allow_scalar_zero(self._scalar(k))

    def mul(self, k: int, point: Point) -> Point:
        """Return k times `point`."""
        return _sodium().crypto_scalarmult_ristretto255_allow_scalar_zero(self._scalar(k), point)

    def add(self, p: Point, q: Point) -> Point:
        """Return p + q."""
        return _sodium().crypto_core_ristretto255_add(p, q)

    def sub(self, p: Point, q: Point) -> Point:
        """Return p - q."""
        return _sodium().crypto_core_ristretto255_sub(p, q)

    def equal(self, p: Point, q: Point) -> bool:
        """Say whether two elements are the same: canonical bytes, so that bytes decide."""
        return bool(p == q)

    def combine(self, scalars: Sequence[int], points: Sequence[Point]) -> Point:
        """Return the sum of scalars[i] points[i].

        One multiplication each: an addition re-encodes its result and costs a quarter of a multiplication, so that
        sharing doublings among many points does not pay here.
        """
        total = _IDENTITY
        for k, point in zip(scalars, points, strict=True):
            total = self.add(total, self.mul(k, point))
        return total

    def encode(self, point: Point) -> bytes:
        """Return the 32 bytes of an element other than the identity."""
        if point == _IDENTITY:
            raise ForgeryError("the identity has no encoding; an honest value never is the identity")
        return bytes(point)

    def decode(self, data: bytes) -> Point:
        """Return the element that 32 bytes encode; see :meth:`.group.Group.decode`."""
        if len(data) != self.point_bytes or data == _IDENTITY:
            raise ForgeryError("a ristretto255 element must be 32 bytes and not the identity")
        if not _sodium().crypto_core_ristretto255_is_valid_point(bytes(data)):
            raise ForgeryError("32 bytes are not the canonical encoding of a ristretto255 element")
        return bytes(data)

    def hash_to_point(self, message: bytes, dst: bytes) -> Point:
        """Return an element by ristretto255_XMD:SHA-512_R255MAP_RO_ (RFC 9380, appendix B)."""
        return _sodium().crypto_core_ristretto255_from_hash(expand_message_xmd(message, dst, 64, hash_name="sha512"))


@lru_cache(maxsize=1)
def ristretto255() -> Ristretto255:
    """Return the one instance, so that its generators are hashed to the curve once.

    Raises
    ------
    MissingExtraError
        The extra ``ristretto`` is not installed.
    """
    return Ristretto255()


def group_named(name: str) -> Group:
    """Return the group of that name: "P-256" or "ristretto255".

    Raises
    ------
    ParameterError
        There is no such group.
    MissingExtraError
        Its package is not installed.
    """
    if name == P256_GROUP.name:
        return P256_GROUP
    if name == Ristretto255.name:
        return ristretto255()
    raise ParameterError(f"no group is called {name!r}; choose {P256_GROUP.name} or {Ristretto255.name}")
