"""Exchange: the four frames between lender and helper, in which each is bound before it learns what binds the other.

::

    lender                                                     helper
      CHECK       H(telling), alpha_k - kappa_k       ------>
                                                      <------   COMMITMENT  H(tags)       from now on it cannot shift
      TELLING     factors, kappa, mask differences, c ------>   one opening for all K? c fixes the threshold
      one value for all tags, and the share fits?     <------   SHARE       tags, share   once an application

Whoever lies before the telling must guess the factors; whoever tells otherwise than it committed is refused.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, refuse
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.wire import NONCE_BYTES, read_signed, signed

_SALT = 16
_PURPOSES = {
    Kind.CHECK: Purpose.COMPARISON_CHECK,
    Kind.COMMITMENT: Purpose.COMPARISON_COMMITMENT,
    Kind.TELLING: Purpose.COMPARISON_TELLING,
    Kind.SHARE: Purpose.COMPARISON_SHARE,
}


def _forms(p: Parameters) -> dict[Kind, struct.Struct]:
    k = p.outputs
    return {
        Kind.CHECK: struct.Struct(f">{NONCE_BYTES}s32s32s{k}H"),  # nonce, hash of the telling, terms, moved keys
        Kind.COMMITMENT: struct.Struct(f">{NONCE_BYTES}s32s"),
        # nonce, factors, kappa, differences of the mask's shifts, c, kappa's salt, salt
        Kind.TELLING: struct.Struct(f">{NONCE_BYTES}s{3 * k}H{_SALT}s{_SALT}s"),
        Kind.SHARE: struct.Struct(f">{NONCE_BYTES}s{k}H{_SALT}sQ"),  # nonce, tags, salt, share
    }


def frame_bytes(p: Parameters, kind: Kind) -> int:
    """Bytes of one of the four frames."""
    return HEADER_BYTES + _forms(p)[kind].size + SIGNATURE_BYTES


def _write(p: Parameters, kind: Kind, key: SigningKey, *values: object) -> bytes:
    return signed(kind, p.code, _forms(p)[kind].pack(*values), key, _PURPOSES[kind])


def _read(p: Parameters, kind: Kind, frame: bytes, key: VerifyingKey) -> tuple[bytes, ...]:
    form = _forms(p)[kind]
    return form.unpack(read_signed(frame, kind, p.code, form.size, key, _PURPOSES[kind]))


def _below(p: Parameters, kind: Kind, numbers: tuple[int, ...]) -> tuple[int, ...]:
    if max(numbers) >= p.t:
        raise refuse(kind, "a number is not below the modulus")
    return numbers


def _hash(what: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(b"blindscore/compare/" + what + b"/v1" + b"".join(parts)).digest()


@dataclass(frozen=True)
class Check:
    """Lender to helper, first."""

    nonce: bytes
    telling: bytes  # commitment to the telling
    terms: bytes  # commitment to card and threshold: the same for everybody
    moved: tuple[int, ...]  # alpha_k - kappa_k mod t

    def write(self, p: Parameters, key: SigningKey) -> bytes:
        """Return the check frame."""
        return _write(p, Kind.CHECK, key, self.nonce, self.telling, self.terms, *self.moved)

    @classmethod
    def read(cls, p: Parameters, frame: bytes, key: VerifyingKey) -> Check:
        """Return what the lender signed; else :class:`ForgeryError`."""
        nonce, telling, terms, *moved = _read(p, Kind.CHECK, frame, key)
        return cls(nonce, telling, terms, _below(p, Kind.CHECK, tuple(map(int, moved))))


@dataclass(frozen=True)
class Telling:
    """Lender to helper, once the helper is bound."""

    nonce: bytes
    factors: tuple[int, ...] = field(repr=False)  # alpha, K
    kappa: tuple[int, ...] = field(repr=False)  # K
    differences: tuple[int, ...] = field(repr=False)  # r_k / alpha_k - r_1 / alpha_1, K - 1
    moved_bar: int = field(repr=False)  # c = o - bar - r_1 / alpha_1 mod t
    kappa_salt: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    def _values(self) -> tuple[object, ...]:
        numbers = (*self.factors, *self.kappa, *self.differences, self.moved_bar)
        return (self.nonce, *numbers, self.kappa_salt, self.salt)

    def commitment(self, p: Parameters) -> bytes:
        """Return the hash (32 bytes) that the check frame carries."""
        return _hash(b"telling", _forms(p)[Kind.TELLING].pack(*self._values()))

    def write(self, p: Parameters, key: SigningKey) -> bytes:
        """Return the telling frame."""
        return _write(p, Kind.TELLING, key, *self._values())

    @classmethod
    def read(cls, p: Parameters, frame: bytes, key: VerifyingKey) -> Telling:
        """Return what the lender signed, factors invertible; else :class:`ForgeryError`."""
        nonce, *rest = _read(p, Kind.TELLING, frame, key)
        k = p.outputs
        numbers = _below(p, Kind.TELLING, tuple(map(int, rest[:-2])))
        if min(numbers[:k]) == 0:
            raise refuse(Kind.TELLING, "a factor is zero")
        return cls(nonce, numbers[:k], numbers[k : 2 * k], numbers[2 * k : -1], numbers[-1], rest[-2], rest[-1])


@dataclass(frozen=True)
class Share:
    """Helper to lender, last."""

    nonce: bytes
    tags: tuple[int, ...]  # what was opened, masked and authenticated, K
    salt: bytes
    share: int

    @staticmethod
    def commitment(nonce: bytes, tags: tuple[int, ...], salt: bytes) -> bytes:
        """Return the hash (32 bytes) by which the helper binds itself to its tags."""
        return _hash(b"tags", nonce, salt, struct.pack(f">{len(tags)}H", *tags))

    def write(self, p: Parameters, key: SigningKey) -> bytes:
        """Return the share frame."""
        return _write(p, Kind.SHARE, key, self.nonce, *self.tags, self.salt, self.share)

    @classmethod
    def read(cls, p: Parameters, frame: bytes, key: VerifyingKey) -> Share:
        """Return what the helper signed; else :class:`ForgeryError`."""
        nonce, *tags, salt, share = _read(p, Kind.SHARE, frame, key)
        return cls(nonce, _below(p, Kind.SHARE, tuple(map(int, tags))), salt, int(share))


def write_commitment(p: Parameters, nonce: bytes, commitment: bytes, key: SigningKey) -> bytes:
    """Return the commitment frame."""
    return _write(p, Kind.COMMITMENT, key, nonce, commitment)


def read_commitment(p: Parameters, frame: bytes, key: VerifyingKey) -> tuple[bytes, bytes]:
    """Return nonce and commitment that the helper signed; else :class:`ForgeryError`."""
    nonce, commitment = _read(p, Kind.COMMITMENT, frame, key)
    return nonce, commitment


def one_value(p: Parameters, values: tuple[int, ...], factors: tuple[int, ...], shifts: tuple[int, ...]) -> int:
    """Return the one v with ``values_k = factors_k v + shifts_k mod t`` for all k.

    Raises
    ------
    ForgeryError
        There is none.
    """
    found = {(y - r) * pow(a, -1, p.t) % p.t for y, a, r in zip(values, factors, shifts, strict=True)}
    if len(found) != 1:
        raise ForgeryError("opening refused: it is not what the reply contained; apply again")
    return found.pop()
