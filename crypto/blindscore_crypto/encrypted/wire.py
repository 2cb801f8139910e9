"""Wire: what stands where in the protocol's frames, and how long each is: the same for every person and score.

Every object that crosses a party's border is read here from bytes, whole, before anybody computes with it. Sizes are
fixed by the parameter set; only an ask is as long as the layout in it, which is public.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.engines.scheme import KEY_BYTES
from blindscore_crypto.encrypted.parameters import Parameters, of_code
from blindscore_crypto.layout import MAX_BYTES, Layout

NONCE_BYTES = 32  # hash of the one-time key that signs the opening
SALT_BYTES = 32
BOX_BYTES = 32  # an X25519 public key
VALUE_BYTES = 4  # one opened value
NO_BOX = bytes(BOX_BYTES)
CODE_AT = 6  # where a frame names its parameter set
_ASK = struct.Struct(f">{KEY_BYTES}s32s{NONCE_BYTES}s{BOX_BYTES}s{BOX_BYTES}s")
_FACTS = struct.Struct(f">16s32s32s{NONCE_BYTES}sI")  # signer, layout, pseudonym, nonce, day


def signed(kind: Kind, code: int, body: bytes, key: SigningKey, purpose: Purpose) -> bytes:
    """Return a frame of body and signature; the signature is over header and body."""
    frame = pack(kind, code, body + bytes(SIGNATURE_BYTES))[:-SIGNATURE_BYTES]
    return frame + key.sign(frame, purpose)


def read_signed(frame: bytes, kind: Kind, code: int, length: int, key: VerifyingKey, purpose: Purpose) -> bytes:
    """Return the body (``length`` bytes, without its signature) of a frame that this key signed.

    Raises
    ------
    ForgeryError
        Malformed, or not signed by this key.
    """
    body = unpack(frame, kind, code, length + SIGNATURE_BYTES)
    if not key.accepts(frame[:-SIGNATURE_BYTES], frame[-SIGNATURE_BYTES:], purpose):
        raise refuse(kind, "its signature is not the sender's")
    return body[:-SIGNATURE_BYTES]


def pseudonym(lender: str, salt: bytes) -> bytes:
    """Return the 32 bytes that stand for a lender towards the source and for the applicant towards the lender."""
    return hashlib.sha256(b"blindscore/lender/v1" + salt + lender.encode()).digest()


def nonce_of(key: VerifyingKey) -> bytes:
    """Return the nonce (32 bytes) of the application whose opening this one-time key signs."""
    return hashlib.sha256(b"blindscore/nonce/v2" + key.raw).digest()


@dataclass(frozen=True)
class Ask:
    """What an applicant hands to its own bank: encrypt my bins under this key, for whoever this pseudonym hides."""

    key: bytes = field(repr=False)  # 32 bytes, for this one application
    pseudonym: bytes
    nonce: bytes
    layout: Layout
    parameters: Parameters
    lender_box: bytes = NO_BOX  # where the lender's keys of a comparison go, fresh; NO_BOX: none are wanted
    helper_box: bytes = NO_BOX

    def encode(self) -> bytes:
        """Return the ask frame."""
        facts = _ASK.pack(self.key, self.pseudonym, self.nonce, self.lender_box, self.helper_box)
        return pack(Kind.ASK, self.parameters.code, facts + self.layout.encode())

    @classmethod
    def decode(cls, frame: bytes) -> Ask:
        """Return an ask, whole: the parameter set is the table's, the layout is checked, one box never stands alone.

        Raises
        ------
        ForgeryError
            Anything is out of form or bounds, or the layout does not fit the parameter set.
        """
        least = HEADER_BYTES + _ASK.size
        if not isinstance(frame, bytes) or not least < len(frame) <= least + MAX_BYTES:
            raise refuse(Kind.ASK, "it is not bytes, or of no possible length")
        parameters = of_code(frame[CODE_AT])
        body = unpack(frame, Kind.ASK, parameters.code, len(frame) - HEADER_BYTES)
        key, tag, nonce, lender_box, helper_box = _ASK.unpack_from(body)
        layout = Layout.decode(body[_ASK.size :])
        if layout.size > parameters.capacity:
            raise refuse(
                Kind.ASK, f"a layout of {layout.size} bins; the set {parameters.name} takes {parameters.capacity}"
            )
        if (lender_box == NO_BOX) != (helper_box == NO_BOX):
            raise refuse(Kind.ASK, "it names one receiver of comparison keys without the other")
        return cls(key, tag, nonce, layout, parameters, lender_box, helper_box)


@dataclass(frozen=True)
class Attested:
    """What a source vouches for, once its signature has been checked."""

    signer: bytes  # id of the source's key
    layout: bytes  # fingerprint
    pseudonym: bytes
    nonce: bytes
    day: int
    upload: bytes

    def sign(self, code: int, key: SigningKey) -> bytes:
        """Return the attestation frame."""
        facts = _FACTS.pack(self.signer, self.layout, self.pseudonym, self.nonce, self.day)
        return signed(Kind.ATTESTATION, code, facts + self.upload, key, Purpose.ENCRYPTED_ATTESTATION)

    @classmethod
    def read(cls, frame: bytes, parameters: Parameters, sources: dict[bytes, VerifyingKey]) -> Attested:
        """Return what a believed source signed.

        Raises
        ------
        ForgeryError
            Malformed, of an unknown source, or not what that source signed.
        """
        body = unpack(frame, Kind.ATTESTATION, parameters.code, attestation_bytes(parameters) - HEADER_BYTES)
        key = sources.get(body[:16])
        if key is None:
            raise refuse(Kind.ATTESTATION, "its source is not one that is believed here")
        length = len(body) - SIGNATURE_BYTES
        read_signed(frame, Kind.ATTESTATION, parameters.code, length, key, Purpose.ENCRYPTED_ATTESTATION)
        signer, layout, tag, nonce, day = _FACTS.unpack_from(body)
        return cls(signer, layout, tag, nonce, day, body[_FACTS.size : -SIGNATURE_BYTES])


@dataclass(frozen=True)
class Opening:
    """What the applicant decrypted, under the one-time key that its nonce stands for."""

    nonce: bytes
    values: NDArray[np.int64]  # (K,)
    reply: bytes  # SHA-256 of the reply frame that was opened

    def sign(self, parameters: Parameters, key: SigningKey) -> bytes:
        """Return the opening frame."""
        body = key.public.raw + self.reply + self.values.astype(f">u{VALUE_BYTES}").tobytes()
        return signed(Kind.OPENING, parameters.code, body, key, Purpose.OPENING)

    @classmethod
    def read(cls, frame: bytes, parameters: Parameters) -> Opening:
        """Return an opening that the holder of the application's one-time key signed.

        Raises
        ------
        ForgeryError
            Malformed, not signed by the key that it shows, or a value out of range.
        """
        length = opening_bytes(parameters) - HEADER_BYTES
        body = unpack(frame, Kind.OPENING, parameters.code, length)
        key = VerifyingKey(body[:PUBLIC_BYTES])
        read_signed(frame, Kind.OPENING, parameters.code, length - SIGNATURE_BYTES, key, Purpose.OPENING)
        values = np.frombuffer(body, f">u{VALUE_BYTES}", parameters.outputs, PUBLIC_BYTES + 32).astype(np.int64)
        if (values >= parameters.t).any():
            raise refuse(Kind.OPENING, "a value is out of range")
        return cls(nonce_of(key), values, body[PUBLIC_BYTES : PUBLIC_BYTES + 32])


def reply_frame(parameters: Parameters, nonce: bytes, reply: bytes) -> bytes:
    """Return the reply frame around an engine's answer."""
    return pack(Kind.REPLY, parameters.code, nonce + reply)


def read_reply(frame: bytes, parameters: Parameters, nonce: bytes) -> bytes:
    """Return the engine's answer to this very application.

    Raises
    ------
    ForgeryError
        A refusal, malformed, or an answer to another application.
    """
    body = unpack(frame, Kind.REPLY, parameters.code, reply_bytes(parameters) - HEADER_BYTES)
    if body[:NONCE_BYTES] != nonce:
        raise refuse(Kind.REPLY, "it answers another application")
    return body[NONCE_BYTES:]


def decision_frame(parameters: Parameters, nonce: bytes, approved: bool) -> bytes:
    """Return what tells an applicant the decision."""
    return pack(Kind.DECISION, parameters.code, nonce + bytes([approved]))


def read_decision(frame: bytes, parameters: Parameters, nonce: bytes) -> bool:
    """Return the decision on this very application.

    Raises
    ------
    ForgeryError
        Malformed, or on another application.
    """
    body = unpack(frame, Kind.DECISION, parameters.code, NONCE_BYTES + 1)
    if body[:-1] != nonce or body[-1] > 1:
        raise refuse(Kind.DECISION, "it is on another application, or neither yes nor no")
    return bool(body[-1])


def refusal_frame(parameters: Parameters) -> bytes:
    """Return the one refusal, as long as a reply, whatever was wrong."""
    return pack(Kind.REFUSAL, parameters.code, bytes(reply_bytes(parameters) - HEADER_BYTES))


def split(data: bytes, *lengths: int) -> list[bytes]:
    """Return the pieces of a message that is made of pieces of these lengths.

    Raises
    ------
    ForgeryError
        It is shorter or longer.
    """
    if not isinstance(data, bytes) or len(data) != sum(lengths):
        raise ForgeryError(f"a message was refused: {sum(lengths)} bytes are needed; ask for a fresh one")
    pieces, at = [], 0
    for length in lengths:
        pieces.append(data[at : at + length])
        at += length
    return pieces


def attestation_bytes(parameters: Parameters) -> int:
    """Bytes of an attestation frame."""
    return HEADER_BYTES + _FACTS.size + parameters.upload_bytes + SIGNATURE_BYTES


def application_bytes(parameters: Parameters) -> int:
    """Bytes of an application frame."""
    return HEADER_BYTES + SALT_BYTES + attestation_bytes(parameters)


def reply_bytes(parameters: Parameters) -> int:
    """Bytes of a reply frame, and of a refusal."""
    return HEADER_BYTES + NONCE_BYTES + parameters.reply_bytes


def opening_bytes(parameters: Parameters) -> int:
    """Bytes of an opening frame."""
    return HEADER_BYTES + PUBLIC_BYTES + 32 + VALUE_BYTES * parameters.outputs + SIGNATURE_BYTES


DECISION_BYTES = HEADER_BYTES + NONCE_BYTES + 1


def application_frame(parameters: Parameters, salt: bytes, attestation: bytes) -> bytes:
    """Return the application frame."""
    return pack(Kind.APPLICATION, parameters.code, salt + attestation)


def read_application(frame: bytes, parameters: Parameters) -> tuple[bytes, bytes]:
    """Return salt and attestation frame of an application.

    Raises
    ------
    ForgeryError
        Malformed.
    """
    body = unpack(frame, Kind.APPLICATION, parameters.code, application_bytes(parameters) - HEADER_BYTES)
    return body[:SALT_BYTES], body[SALT_BYTES:]
