"""Attestation: a source's signature over commitments to one person's bins.

Who sees what: the source knows its own customer's bins, and no lender, card or score. The wallet holds the openings.
Whoever is shown an attestation sees random group elements, a source, an epoch and an expiry that many share.
Assumptions: discrete logarithms (binding); SHA-512 expands a secret 32-byte seed into blindings that look random, which
is what hiding rests on; Ed25519.
Not protected: an attestation is one-show. Shown twice it is recognised, and a source that keeps what it signed
recognises it at first sight (the collusion of source and lender, measured by the table's `link` row).

Since the source vouches for its bins, no proof that the bits are one-hot is needed. Every attestation also commits to
its holder, so that attestations of two people cannot be added up, and to the wallet's own secret (:mod:`.holder`), by
which a lender notices who comes back.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import ID_BYTES, SIGNATURE_BYTES, SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import Group, Point
from blindscore_crypto.sealed.holder import holder_scalar
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.terms import Epoch, Signatory
from blindscore_crypto.sealed.wire import Reader

MAGIC = b"BSA2"
HEADER_BYTES = len(MAGIC) + 1 + 32 + ID_BYTES + 8
SEED_BYTES = 32


def header(group: Group, layout: Layout, source_id: bytes) -> bytes:
    """Return the bytes that every attestation of this source, for this layout and group, begins with."""
    return MAGIC + bytes([group.tag]) + layout.fingerprint + source_id


def blindings(group: Group, seed: bytes, count: int) -> list[int]:
    """Expand a secret 32-byte seed into blinding scalars, one a commitment: the holder's, the secret's, the bits'."""
    prefix = b"blindscore/sealed/v1/blinding" + group.name.encode() + seed
    return [
        int.from_bytes(hashlib.sha512(prefix + i.to_bytes(4, "big")).digest(), "big") % group.order
        for i in range(count)
    ]


def size(group: Group, source: Signatory) -> int:
    """Bytes of an encoded attestation: a function of public things only."""
    return HEADER_BYTES + (2 + source.n_commitments) * group.point_bytes + SIGNATURE_BYTES


@dataclass(frozen=True)
class Attestation:
    """What is shown to a lender; `signed` is exactly what the source put its name to."""

    epoch: Epoch
    holder: Point
    secret: Point
    commitments: tuple[Point, ...]  # one a bin but the first, characteristic by characteristic
    signed: bytes
    signature: bytes

    @cached_property
    def nullifier(self) -> bytes:
        """32 bytes that recur if, and only if, this attestation is shown again."""
        return hashlib.sha256(b"blindscore/sealed/v1/nullifier" + self.signed).digest()

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return self.signed + self.signature

    @classmethod
    def decode(cls, group: Group, source: Signatory, data: bytes) -> Attestation:
        """Check the signature first, then parse what the source signed.

        Raises
        ------
        ForgeryError
            Wrong size, group, layout or source; a bad signature; or an element that is not canonical.
        """
        if len(data) != size(group, source):
            raise ForgeryError(f"an attestation of {source.name!r} has {size(group, source)} bytes, got {len(data)}")
        signed, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
        if not signed.startswith(header(group, source.layout, source.key.id)):
            raise ForgeryError(f"the attestation is not one of {source.name!r} for this layout, group and key")
        source.key.require(signed, signature, Purpose.ATTESTATION)
        width = group.point_bytes
        points = [group.decode(signed[i : i + width]) for i in range(HEADER_BYTES, len(signed), width)]
        number, last_day = (int.from_bytes(signed[i : i + 4], "big") for i in (HEADER_BYTES - 8, HEADER_BYTES - 4))
        return cls(Epoch(number, last_day), points[0], points[1], tuple(points[2:]), signed, signature)


@dataclass(frozen=True)
class Issued:
    """What a source hands to one person's wallet: the attestation, the seed that opens it, and the bins."""

    attestation: bytes
    seed: bytes = field(repr=False)
    bins: tuple[int, ...] = field(repr=False)

    @staticmethod
    def size(group: Group, source: Signatory) -> int:
        """Bytes of the encoded message, the same for every customer."""
        return size(group, source) + SEED_BYTES + len(source.layout.n_bins)

    def encode(self) -> bytes:
        """Return the bytes that travel and that a wallet keeps."""
        return self.attestation + self.seed + bytes(self.bins)

    @classmethod
    def decode(cls, group: Group, source: Signatory, data: bytes) -> Issued:
        """Take the message apart; :func:`opened` checks it.

        Raises
        ------
        ForgeryError
            Wrong length, or a bin that the layout does not have.
        """
        if len(data) != cls.size(group, source):
            raise ForgeryError(f"{source.name!r} issues {cls.size(group, source)} bytes, got {len(data)}")
        reader = Reader("issued attestation", data)
        attestation, seed = reader.take(size(group, source)), reader.take(SEED_BYTES)
        bins = tuple(reader.take(len(source.layout.n_bins)))
        if any(b >= n for b, n in zip(bins, source.layout.n_bins, strict=True)):
            raise ForgeryError(f"{source.name!r} issued a bin that its layout does not have")
        return cls(attestation, seed, bins)


def attest(
    key: SigningKey, group: Group, layout: Layout, epoch: Epoch, legal_id: str, public: Point, bins: Sequence[int]
) -> Issued:
    """Sign fresh commitments to one person's bins.

    Parameters
    ----------
    legal_id
        By which the source knows its customer; enters only a hiding commitment.
    public
        The wallet's K, whose secret the source does not know.
    bins
        One bin a characteristic of the layout.

    Raises
    ------
    DataError
        Bins outside the layout.
    """
    pedersen, bits = Pedersen(group), layout.indicators(bins)
    seed = os.urandom(SEED_BYTES)
    points = _points(pedersen, seed, legal_id, public, bits)
    signed = header(group, layout, key.public.id) + epoch.encode() + b"".join(map(group.encode, points))
    return Issued(signed + key.sign(signed, Purpose.ATTESTATION), seed, tuple(int(b) for b in bins))


def opened(
    group: Group, source: Signatory, epoch: Epoch, legal_id: str, public: Point, issued: Issued
) -> tuple[Attestation, list[int]]:
    """Return an attestation and its blindings, after checking everything that a dishonest source could have put in it.

    Raises
    ------
    ForgeryError
        It is altered, dated so as to mark the person, or does not open to this person, secret and bins.
    """
    attestation = Attestation.decode(group, source, issued.attestation)
    if attestation.epoch != epoch:
        raise ForgeryError("the attestation's dates are not the published ones; they would mark its holder")
    bits = source.layout.indicators(issued.bins)
    expected = _points(Pedersen(group), issued.seed, legal_id, public, bits)
    given = (attestation.holder, attestation.secret, *attestation.commitments)
    if not all(group.equal(a, b) for a, b in zip(expected, given, strict=True)):
        raise ForgeryError("the attestation does not commit to this person and these bins; take it back to its source")
    return attestation, blindings(group, issued.seed, 2 + len(bits))


def _points(pedersen: Pedersen, seed: bytes, legal_id: str, public: Point, bits: Sequence[int]) -> list[Point]:
    group = pedersen.group
    r_holder, r_secret, *r_bits = blindings(group, seed, 2 + len(bits))
    points = [pedersen.commit(holder_scalar(group, legal_id), r_holder), group.add(public, group.base_mul(r_secret))]
    return points + [pedersen.commit_bit(bit, r) for bit, r in zip(bits, r_bits, strict=True)]
