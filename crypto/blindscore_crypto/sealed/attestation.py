"""Attestation: a source's signature over commitments to one person's bins.

Who sees what: the source knows its own customer's bins, and no lender, card or score. The wallet holds the openings.
Whoever is shown an attestation sees random group elements, a source, an epoch and an expiry that many share.
Assumptions: discrete logarithms (binding); SHA-512 expands a secret 32-byte seed into blindings that look random, which
is what hiding rests on; Ed25519.
Not protected: an attestation is one-show. Shown twice it is recognised, and a source that keeps what it signed
recognises it at first sight (the collusion of source and lender, measured by the table's `link` row).

Since the source vouches for its bins, no proof that the bits are one-hot is needed. Every attestation also commits to
its holder, so that attestations of two people cannot be added up.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import ID_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.groups.group import Group, Point
from blindscore_crypto.sealed.layout import Layout
from blindscore_crypto.sealed.proofs.commitments import Pedersen

MAGIC = b"BSA1"
HEADER_BYTES = len(MAGIC) + 1 + 32 + ID_BYTES + 4 + 4
SEED_BYTES = 32


def holder_scalar(group: Group, legal_id: str) -> int:
    """Return the number that stands for a person inside commitments; every source derives the same one."""
    digest = hashlib.sha512(b"blindscore/sealed/v1/holder" + legal_id.encode()).digest()
    return int.from_bytes(digest, "big") % group.order


def u32(what: str, number: int) -> bytes:
    """Return 4 bytes, big-endian.

    Raises
    ------
    ParameterError
        The number does not fit.
    """
    if not 0 <= number < 1 << 32:
        raise ParameterError(f"{what} must lie in 0..2^32 - 1, got {number}")
    return number.to_bytes(4, "big")


def header(group: Group, layout: Layout, source: VerifyingKey) -> bytes:
    """Return the bytes that every attestation of this source, for this layout and group, begins with."""
    return MAGIC + bytes([group.tag]) + layout.fingerprint + source.id


def blindings(group: Group, seed: bytes, count: int) -> list[int]:
    """Expand a secret 32-byte seed into blinding scalars, one per commitment, the holder's first."""
    prefix = b"blindscore/sealed/v1/blinding" + group.name.encode() + seed
    return [
        int.from_bytes(hashlib.sha512(prefix + i.to_bytes(4, "big")).digest(), "big") % group.order
        for i in range(count)
    ]


@dataclass(frozen=True)
class Attestation:
    """What is shown to a verifier; `signed` is exactly what the source put its name to."""

    layout: Layout
    source_key_id: bytes
    epoch: int  # issuing period, e.g. year and month as 202611
    expires: int  # day number (days since 1970-01-01) after which it is void
    holder: Point
    commitments: tuple[Point, ...]  # one a bin but the first, characteristic by characteristic
    signed: bytes
    signature: bytes

    @staticmethod
    def size(group: Group, layout: Layout) -> int:
        """Bytes of an encoded attestation: a function of public things only."""
        return HEADER_BYTES + (1 + layout.n_commitments) * group.point_bytes + SIGNATURE_BYTES

    @cached_property
    def nullifier(self) -> bytes:
        """32 bytes that recur if, and only if, this attestation is shown again."""
        return hashlib.sha256(b"blindscore/sealed/v1/nullifier" + self.signed).digest()

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return self.signed + self.signature

    @classmethod
    def decode(cls, group: Group, layout: Layout, data: bytes, source: VerifyingKey) -> Attestation:
        """Check the signature first, then parse what the source signed.

        Raises
        ------
        ForgeryError
            Wrong size, group, layout or source; a bad signature; or an element that is not canonical.
        """
        if len(data) != cls.size(group, layout):
            raise ForgeryError(
                f"an attestation of {layout.source!r} has {cls.size(group, layout)} bytes, got {len(data)}"
            )
        signed, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
        if not signed.startswith(header(group, layout, source)):
            raise ForgeryError(f"the attestation is not one of {layout.source!r} for this layout, group and key")
        source.require(signed, signature, Purpose.ATTESTATION)
        width = group.point_bytes
        points = [group.decode(signed[i : i + width]) for i in range(HEADER_BYTES, len(signed), width)]
        epoch, expires = (int.from_bytes(signed[i : i + 4], "big") for i in (HEADER_BYTES - 8, HEADER_BYTES - 4))
        return cls(layout, source.id, epoch, expires, points[0], tuple(points[1:]), signed, signature)


@dataclass(frozen=True)
class Issued:
    """What a source hands to one person's wallet: the attestation and the seed that opens it."""

    attestation: bytes
    seed: bytes
    bins: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Issued({len(self.attestation)} bytes)"  # seed and bins are the person's


class Source:
    """A bank, bureau or registry. Holds its signing key; sees its own customers' bins and no lender."""

    def __init__(self, group: Group, layout: Layout, key: SigningKey | None = None) -> None:
        self._pedersen = Pedersen(group)
        self._key = key or SigningKey()
        self.layout = layout

    @property
    def public(self) -> VerifyingKey:
        """The key that verifiers and wallets check attestations with."""
        return self._key.public

    def attest(self, legal_id: str, bins: Sequence[int], *, epoch: int, expires: int) -> Issued:
        """Sign fresh commitments to one person's bins.

        Parameters
        ----------
        legal_id
            By which the source knows its customer; enters only a hiding commitment.
        bins
            One bin a characteristic of the layout.
        epoch, expires
            Issuing period; last day of validity (days since 1970-01-01). Give many people the same.

        Raises
        ------
        DataError
            Bins outside the layout.
        """
        group, bits = self._pedersen.group, self.layout.indicators(bins)
        seed = os.urandom(SEED_BYTES)
        holder_blinding, *bit_blindings = blindings(group, seed, 1 + len(bits))
        points = [self._pedersen.commit(holder_scalar(group, legal_id), holder_blinding)]
        points += [self._pedersen.commit_bit(bit, r) for bit, r in zip(bits, bit_blindings, strict=True)]
        signed = header(group, self.layout, self.public)
        signed += u32("epoch", epoch) + u32("expiry day", expires) + b"".join(map(group.encode, points))
        return Issued(signed + self._key.sign(signed, Purpose.ATTESTATION), seed, tuple(int(b) for b in bins))

    def batch(self, legal_id: str, bins: Sequence[int], count: int, *, epoch: int, expires: int) -> list[Issued]:
        """Sign `count` one-show attestations of the same bins, no two alike."""
        return [self.attest(legal_id, bins, epoch=epoch, expires=expires) for _ in range(count)]
