"""Frames: the outer form of every message, of one fixed size a kind and parameter set.

Who sees what: an observer sees the kind, the parameter set and the size, which are the same for every person.
Assumption: none; a frame is a container. It does not protect: authenticity comes from the signature or the MAC inside.

A frame is ``b"BLSC" | version | kind | parameter code | 0 | body length (4 bytes, big endian) | body``. Its reader
states the kind, the parameter code and the exact length of the body beforehand, so nothing is allocated or parsed
on the word of a sender.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from blindscore.errors import ForgeryError

MAGIC = b"BLSC"
VERSION = 1
_HEADER = struct.Struct(">4sBBBBI")
HEADER_BYTES = _HEADER.size


class Kind(IntEnum):
    """What a frame carries."""

    ATTESTATION = 1  # source -> applicant: encrypted bins, signed
    APPLICATION = 2  # applicant -> lender: the attestation, and for which lender it is
    REPLY = 3  # lender -> applicant: the masked score, encrypted
    OPENING = 4  # applicant -> lender: the masked score, decrypted
    REFUSAL = 5  # lender -> applicant: no, whatever the reason
    RESULT = 6  # lender -> applicant: the score given, signed
    KEYS = 7  # source -> applicant -> lender or helper: its keys of a comparison, signed
    CHECK = 8  # lender -> helper: a commitment to how an opening is checked, signed
    SHARE = 9  # helper -> lender: masked values and its share of the decision, signed
    ASK = 10  # applicant -> source: encrypt my bins for whoever this pseudonym hides
    DECISION = 11  # lender -> applicant: approved or refused
    COMMITMENT = 12  # helper -> lender: a commitment to masked values, signed
    TELLING = 13  # lender -> helper: what the check frame committed to, signed
    TRANSCRIPT = 14  # lender or applicant -> auditor: all that went between them
    RECEIPT = 15  # lender -> applicant, with the reply: where the application stands in the lender's log, signed
    BOUND = 16  # applicant -> lender: a hash of what it will open, signed
    UNMASKING = 17  # lender -> applicant, once it is bound: the mask of its reply, signed
    PART = 18  # source -> applicant -> helper: what the helper is dealt, sealed
    MASKED = 19  # lender -> helper: masked points, sealed
    CHALLENGE = 20  # helper -> lender: weights, and what it opens of its shares, sealed
    PROOF = 21  # lender -> helper: that points and shares are the dealt ones, sealed
    TOKEN = 22  # helper -> lender: its share of the decision, sealed
    ENROL = 23  # lender -> helper: a card is to be enrolled for a source's customers, sealed
    DEAL = 24  # helper -> source: deal keys for a card, sealed
    DEALT = 25  # source -> helper: pads of a card, and what is for the lender, sealed
    CARD = 26  # lender -> helper: masked points of a card, sealed


def pack(kind: Kind, code: int, body: bytes) -> bytes:
    """Return ``body`` in a frame of the given kind, for the parameter set with this code."""
    return _HEADER.pack(MAGIC, VERSION, kind, code, 0, len(body)) + body


def unpack(frame: bytes, kind: Kind, code: int, length: int) -> bytes:
    """Return the body of a frame that must be exactly of this kind, parameter set and body length (bytes).

    Raises
    ------
    ForgeryError
        Anything differs, by one byte or more.
    """
    if not isinstance(frame, bytes):
        raise refuse(kind, "it is not bytes")
    if len(frame) != HEADER_BYTES + length:
        raise refuse(kind, f"it has {len(frame)} bytes, not {HEADER_BYTES + length}")
    if frame[:HEADER_BYTES] != _HEADER.pack(MAGIC, VERSION, kind, code, 0, length):
        raise refuse(kind, "its header is not that of this version, kind and parameter set")
    return frame[HEADER_BYTES:]


def refuse(kind: Kind, why: str) -> ForgeryError:
    """Return the error for a message that is not accepted."""
    return ForgeryError(f"{kind.name.lower()} refused: {why}; ask for a fresh one")
