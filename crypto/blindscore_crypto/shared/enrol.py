"""Enrol: the frames by which a lender's card is authenticated for a source's customers, once.

::

    lender                         helper                        source
      ENROL  source, box, layout ---->
                                     DEAL  box, layout ------------>
                                     <------- DEALT  K, and KEYS: a seed sealed to the box, signed
      <---- KEYS
      CARD   box, w - B ------------->   keeps K' (points.py)

Who sees what: the source that a lender whom this helper serves uses this layout; not which. See :mod:`.points`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import ID_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.wire import BOX_BYTES, read_signed, signed
from blindscore_crypto.layout import MAX_BYTES, Layout
from blindscore_crypto.shared.field import SEED_BYTES, Numbers, decode, digest, encode
from blindscore_crypto.shared.line import CODE, ENC_BYTES, SEAL_BYTES, Line, open_box, seal_to

_KEYS = struct.Struct(f">{ID_BYTES}s32s{BOX_BYTES}s")  # signer, layout, box
KEYS_BODY = _KEYS.size + ENC_BYTES + SEED_BYTES + SEAL_BYTES
KEYS_BYTES = HEADER_BYTES + KEYS_BODY + SIGNATURE_BYTES


def party_id(name: str) -> bytes:
    """Return the 16 bytes by which a helper is named where its address would be too long."""
    return digest(b"party", name.encode())[:ID_BYTES]


@dataclass(frozen=True)
class Enrol:
    """Lender to helper: enrol a card of this layout for the customers of this source."""

    source: bytes  # id of its key
    box: bytes  # fresh
    layout: Layout

    def seal(self, line: Line) -> bytes:
        """Return the frame."""
        return line.seal(Kind.ENROL, self.source + self.box + self.layout.encode())

    @classmethod
    def open(cls, line: Line, frame: bytes) -> Enrol:
        """Return what a frame says, its layout checked whole; else :class:`~blindscore.errors.ForgeryError`."""
        head = ID_BYTES + BOX_BYTES
        body = line.open(Kind.ENROL, frame, head, head + MAX_BYTES)
        return cls(body[:ID_BYTES], body[ID_BYTES:head], Layout.decode(body[head:]))


@dataclass(frozen=True)
class Deal:
    """Helper to source: deal keys for a card of this layout, the lender's to this box."""

    box: bytes
    layout: Layout

    def seal(self, line: Line) -> bytes:
        """Return the frame."""
        return line.seal(Kind.DEAL, self.box + self.layout.encode())

    @classmethod
    def open(cls, line: Line, frame: bytes) -> Deal:
        """Return what a frame says, its layout checked whole; else :class:`~blindscore.errors.ForgeryError`."""
        body = line.open(Kind.DEAL, frame, BOX_BYTES, BOX_BYTES + MAX_BYTES)
        return cls(body[:BOX_BYTES], Layout.decode(body[BOX_BYTES:]))


@dataclass(frozen=True)
class Keys:
    """Source to lender, through the helper: the seed of a card's pads and tags, sealed and signed."""

    signer: bytes
    layout: bytes
    box: bytes
    sealed: bytes

    @classmethod
    def sign(cls, seed: bytes, layout: bytes, box: bytes, key: SigningKey) -> bytes:
        """Return the frame around a seed."""
        facts = _KEYS.pack(key.public.id, layout, box)
        return signed(Kind.KEYS, CODE, facts + seal_to(box, seed, b"card" + facts), key, Purpose.SHARED_CARD)

    @classmethod
    def read(cls, frame: bytes, sources: dict[bytes, VerifyingKey]) -> Keys:
        """Return what a believed source signed; else :class:`~blindscore.errors.ForgeryError`."""
        body = unpack(frame, Kind.KEYS, CODE, KEYS_BODY + SIGNATURE_BYTES)
        key = sources.get(body[:ID_BYTES])
        if key is None:
            raise refuse(Kind.KEYS, "its source is not one that is believed here")
        read_signed(frame, Kind.KEYS, CODE, KEYS_BODY, key, Purpose.SHARED_CARD)
        signer, layout, box = _KEYS.unpack_from(body)
        return cls(signer, layout, box, body[_KEYS.size : KEYS_BODY])

    def open(self, secret: bytes) -> bytes:
        """Return the seed; else :class:`~blindscore.errors.ForgeryError`."""
        return open_box(secret, self.box, self.sealed, b"card" + _KEYS.pack(self.signer, self.layout, self.box))


@dataclass(frozen=True)
class Dealt:
    """Source to helper: the pads of a card, not parsed yet, and the keys frame for the lender."""

    box: bytes
    keys: bytes
    pads: bytes = field(repr=False)  # K

    def seal(self, line: Line) -> bytes:
        """Return the frame."""
        return line.seal(Kind.DEALT, self.box + self.keys + self.pads)

    @classmethod
    def open(cls, line: Line, frame: bytes) -> Dealt:
        """Return what a frame says; else :class:`~blindscore.errors.ForgeryError`."""
        head = BOX_BYTES + KEYS_BYTES
        body = line.open(Kind.DEALT, frame, head, head + MAX_BYTES)
        return cls(body[:BOX_BYTES], body[BOX_BYTES:head], body[head:])


@dataclass(frozen=True)
class MaskedCard:
    """Lender to helper: the masked points of the card whose enrolment named this box."""

    box: bytes
    masked: Numbers  # (m + 1,)

    def seal(self, line: Line) -> bytes:
        """Return the frame."""
        return line.seal(Kind.CARD, self.box + encode(self.masked))

    @classmethod
    def open(cls, line: Line, frame: bytes) -> MaskedCard:
        """Return what a frame says, of any shape; else :class:`~blindscore.errors.ForgeryError`."""
        body = line.open(Kind.CARD, frame, BOX_BYTES, MAX_BYTES)
        return cls(body[:BOX_BYTES], decode(body[BOX_BYTES:], (len(body) - BOX_BYTES) // 2))
