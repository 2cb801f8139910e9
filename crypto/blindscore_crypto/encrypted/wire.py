"""Wire: what stands where in the protocol's frames, and how long each is: the same for every person and score."""

from __future__ import annotations

import struct

from blindscore_crypto.channel.frames import HEADER_BYTES
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES
from blindscore_crypto.encrypted.parameters import Parameters

FACTS = struct.Struct(">16s32s32s16sI")  # of an attestation: signer, layout, pseudonym, nonce, day
NONCE_BYTES = 16
SALT_BYTES = 32
VALUE_BYTES = 4  # one opened value


def attestation_bytes(parameters: Parameters) -> int:
    """Bytes of an attestation frame."""
    return HEADER_BYTES + FACTS.size + parameters.upload_bytes + SIGNATURE_BYTES


def application_bytes(parameters: Parameters) -> int:
    """Bytes of an application frame."""
    return HEADER_BYTES + SALT_BYTES + attestation_bytes(parameters)


def reply_bytes(parameters: Parameters) -> int:
    """Bytes of a reply frame, and of a refusal."""
    return HEADER_BYTES + NONCE_BYTES + parameters.reply_bytes


def opening_bytes(parameters: Parameters) -> int:
    """Bytes of an opening frame."""
    return HEADER_BYTES + NONCE_BYTES + VALUE_BYTES * parameters.outputs


def upload_of(application: bytes, parameters: Parameters) -> bytes:
    """Return the encrypted bins inside an application frame whose signature has been checked."""
    start = HEADER_BYTES + SALT_BYTES + HEADER_BYTES + FACTS.size
    return application[start : start + parameters.upload_bytes]
