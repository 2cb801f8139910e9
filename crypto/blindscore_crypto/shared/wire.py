"""Wire: what stands where in the frames of ``shared``, and how long each is: the same for every person.

Every object that crosses a party's border is read here from bytes, whole, before anybody computes with it. Sizes hang
on the layout alone, which is public; only frames that carry a layout are as long as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import ID_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.wire import BOX_BYTES, NONCE_BYTES, SALT_BYTES, read_signed, signed, split
from blindscore_crypto.layout import MAX_BYTES, Layout
from blindscore_crypto.shared.deal import (
    CHALLENGE_BYTES,
    TOKEN_BYTES,
    TOKEN_HASH_BYTES,
    helpers_bytes,
    lenders_bytes,
)
from blindscore_crypto.shared.field import DEGREE, Numbers, decode, encode
from blindscore_crypto.shared.line import CODE, ENC_BYTES, OVERHEAD, SEAL_BYTES, Line
from blindscore_crypto.shared.rows import Shape

HASHES_BYTES = 2 * TOKEN_HASH_BYTES
_ASK = struct.Struct(f">32s{NONCE_BYTES}s{BOX_BYTES}s{ID_BYTES}s")  # pseudonym, nonce, lender's box, helper's id
_FACTS = struct.Struct(f">{ID_BYTES}s32s32s{NONCE_BYTES}sI{BOX_BYTES}s")  # signer, layout, pseudonym, nonce, day, box
_PART = struct.Struct(f">{NONCE_BYTES}sI32s")  # nonce, day, layout
_TELL = struct.Struct(f">{NONCE_BYTES}sB{TOKEN_BYTES}s")  # nonce, decision, token


@dataclass(frozen=True)
class Ask:
    """What an applicant hands to its own bank: share my bins between whoever this pseudonym hides and this helper."""

    pseudonym: bytes
    nonce: bytes
    lender_box: bytes  # fresh
    helper: bytes  # id of the helper
    layout: Layout

    def encode(self) -> bytes:
        """Return the ask frame."""
        facts = _ASK.pack(self.pseudonym, self.nonce, self.lender_box, self.helper)
        return pack(Kind.ASK, CODE, facts + self.layout.encode())

    @classmethod
    def decode(cls, frame: bytes) -> Ask:
        """Return an ask whose layout is checked whole; else :class:`ForgeryError`."""
        least = HEADER_BYTES + _ASK.size
        if not isinstance(frame, bytes) or not least < len(frame) <= least + MAX_BYTES:
            raise refuse(Kind.ASK, "it is not bytes, or of no possible length")
        body = unpack(frame, Kind.ASK, CODE, len(frame) - HEADER_BYTES)
        tag, nonce, box, helper = _ASK.unpack_from(body)
        return cls(tag, nonce, box, helper, Layout.decode(body[_ASK.size :]))


@dataclass(frozen=True)
class Attested:
    """What a source vouches for, once its signature has been checked: a half for whoever holds the box."""

    signer: bytes
    layout: bytes  # fingerprint
    pseudonym: bytes
    nonce: bytes
    day: int
    box: bytes
    sealed: bytes

    def sign(self, key: SigningKey) -> bytes:
        """Return the attestation frame."""
        facts = _FACTS.pack(self.signer, self.layout, self.pseudonym, self.nonce, self.day, self.box)
        return signed(Kind.ATTESTATION, CODE, facts + self.sealed, key, Purpose.SHARED_ATTESTATION)

    @classmethod
    def read(cls, frame: bytes, shape: Shape, sources: dict[bytes, VerifyingKey]) -> Attested:
        """Return what a believed source signed.

        Raises
        ------
        ForgeryError
            Malformed, of an unknown source, or not what that source signed.
        """
        body = unpack(frame, Kind.ATTESTATION, CODE, attestation_bytes(shape) - HEADER_BYTES)
        key = sources.get(body[:ID_BYTES])
        if key is None:
            raise refuse(Kind.ATTESTATION, "its source is not one that is believed here")
        length = len(body) - SIGNATURE_BYTES
        read_signed(frame, Kind.ATTESTATION, CODE, length, key, Purpose.SHARED_ATTESTATION)
        signer, layout, tag, nonce, day, box = _FACTS.unpack_from(body)
        return cls(signer, layout, tag, nonce, day, box, body[_FACTS.size : -SIGNATURE_BYTES])


@dataclass(frozen=True)
class Part:
    """What a source deals the helper, on their line; the applicant carries it."""

    nonce: bytes
    day: int
    layout: bytes  # fingerprint
    half: bytes = field(repr=False)

    def seal(self, source: bytes, line: Line) -> bytes:
        """Return the source's id, by which the helper finds the line, and the frame."""
        return source + line.seal(Kind.PART, _PART.pack(self.nonce, self.day, self.layout) + self.half)

    @classmethod
    def open(cls, line: Line, frame: bytes) -> Part:
        """Return what stands in a part's frame (without the id); else :class:`ForgeryError`."""
        body = line.open(Kind.PART, frame, _PART.size, MAX_BYTES)
        nonce, day, layout = _PART.unpack_from(body)
        return cls(nonce, day, layout, body[_PART.size :])


@dataclass(frozen=True)
class Masked:
    """Lender to helper: the masked points of one application."""

    nonce: bytes
    delta: Numbers  # (m + 1,)

    def encode(self) -> bytes:
        """Return the body."""
        return self.nonce + encode(self.delta)

    @classmethod
    def decode(cls, body: bytes) -> Masked:
        """Return a body's contents, of any shape; else :class:`ForgeryError`."""
        return cls(body[:NONCE_BYTES], decode(body[NONCE_BYTES:], (len(body) - NONCE_BYTES) // 2))


@dataclass(frozen=True)
class Challenge:
    """Helper to lender: both challenges, and its part of the opened sums."""

    nonce: bytes
    chi: bytes
    rho: bytes
    opened: Numbers  # (d, 3)
    tags: bytes  # digest

    def encode(self) -> bytes:
        """Return the body."""
        return self.nonce + self.chi + self.rho + encode(self.opened) + self.tags

    @classmethod
    def decode(cls, shape: Shape, body: bytes) -> Challenge:
        """Return a body's contents; else :class:`ForgeryError`."""
        cubic, d = 2 * DEGREE, shape.masks
        lengths = (NONCE_BYTES, CHALLENGE_BYTES, CHALLENGE_BYTES, cubic * d, 32)
        nonce, chi, rho, opened, tags = split(body, *lengths)
        return cls(nonce, chi, rho, decode(opened, d, DEGREE), tags)


@dataclass(frozen=True)
class Proof:
    """Lender to helper: that its points are the enrolled ones, and its part of all that is opened."""

    nonce: bytes
    points: Numbers  # G, (3,)
    opened: Numbers  # (d, 3)
    total: Numbers  # (1,)
    defect: Numbers  # (3,)
    tags: bytes  # digest

    def encode(self) -> bytes:
        """Return the body."""
        numbers = b"".join(encode(part) for part in (self.points, self.opened, self.total, self.defect))
        return self.nonce + numbers + self.tags

    @classmethod
    def decode(cls, shape: Shape, body: bytes) -> Proof:
        """Return a body's contents; else :class:`ForgeryError`."""
        cubic, d = 2 * DEGREE, shape.masks
        nonce, points, opened, total, defect, tags = split(body, NONCE_BYTES, cubic, cubic * d, 2, cubic, 32)
        return cls(
            nonce, decode(points, DEGREE), decode(opened, d, DEGREE), decode(total, 1), decode(defect, DEGREE), tags
        )


@dataclass(frozen=True)
class TokenShare:
    """Helper to lender, last."""

    nonce: bytes
    total: Numbers  # (1,)
    defect: Numbers  # (3,)
    token: int = field(repr=False)
    tags: bytes  # digest

    def encode(self) -> bytes:
        """Return the body."""
        return self.nonce + encode(self.total) + encode(self.defect) + self.token.to_bytes(TOKEN_BYTES) + self.tags

    @classmethod
    def decode(cls, body: bytes) -> TokenShare:
        """Return a body's contents; else :class:`ForgeryError`."""
        nonce, total, defect, token, tags = split(body, NONCE_BYTES, 2, 2 * DEGREE, TOKEN_BYTES, 32)
        return cls(nonce, decode(total, 1), decode(defect, DEGREE), int.from_bytes(token), tags)


def attestation_bytes(shape: Shape) -> int:
    """Bytes of an attestation frame."""
    return HEADER_BYTES + _FACTS.size + ENC_BYTES + lenders_bytes(shape) + SEAL_BYTES + SIGNATURE_BYTES


def application_bytes(shape: Shape) -> int:
    """Bytes of an application frame."""
    return HEADER_BYTES + SALT_BYTES + attestation_bytes(shape)


def part_bytes(shape: Shape) -> int:
    """Bytes of a part, the source's id included."""
    return ID_BYTES + OVERHEAD + _PART.size + helpers_bytes(shape)


def body_bytes(shape: Shape, kind: Kind) -> int:
    """Bytes of the body of a frame between lender and helper."""
    cubic, d = 2 * DEGREE, shape.masks
    lengths = {
        Kind.MASKED: NONCE_BYTES + 2 * (shape.indicators + 1),
        Kind.CHALLENGE: NONCE_BYTES + 2 * CHALLENGE_BYTES + cubic * d + 32,
        Kind.PROOF: NONCE_BYTES + cubic * (d + 2) + 2 + 32,
        Kind.TOKEN: NONCE_BYTES + 2 + cubic + TOKEN_BYTES + 32,
    }
    return lengths[kind]


def application_frame(salt: bytes, attestation: bytes) -> bytes:
    """Return the application frame."""
    return pack(Kind.APPLICATION, CODE, salt + attestation)


def read_application(frame: bytes, shape: Shape) -> tuple[bytes, bytes]:
    """Return salt and attestation frame of an application; else :class:`ForgeryError`."""
    body = unpack(frame, Kind.APPLICATION, CODE, application_bytes(shape) - HEADER_BYTES)
    return body[:SALT_BYTES], body[SALT_BYTES:]


DECISION_BYTES = HEADER_BYTES + _TELL.size


def decision_frame(nonce: bytes, approved: bool, token: int) -> bytes:
    """Return what tells an applicant the decision, and the token that stands for it."""
    return pack(Kind.DECISION, CODE, _TELL.pack(nonce, approved, token.to_bytes(TOKEN_BYTES)))


def read_decision(frame: bytes, nonce: bytes) -> tuple[bool, int]:
    """Return decision and token of this very application.

    Raises
    ------
    ForgeryError
        Malformed, or on another application.
    """
    body = unpack(frame, Kind.DECISION, CODE, _TELL.size)
    of, approved, token = _TELL.unpack(body)
    if of != nonce or approved > 1:
        raise refuse(Kind.DECISION, "it is on another application, or neither yes nor no")
    return bool(approved), int.from_bytes(token)


def refusal_frame() -> bytes:
    """Return the one refusal, as long as a decision, whatever was wrong."""
    return pack(Kind.REFUSAL, CODE, bytes(_TELL.size))
