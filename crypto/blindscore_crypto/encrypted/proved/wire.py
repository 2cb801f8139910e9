"""Wire: the frames of ``encrypted-proved``; each of one size a layout, each read whole before anybody computes with it.

Who sees what: sizes hang on group and layout, which are public. A frame's code names the group.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import Masks, transfer_bytes
from blindscore_crypto.encrypted.wire import NONCE_BYTES, SALT_BYTES, Attested, nonce_of, read_signed, signed
from blindscore_crypto.layout import MAX_BYTES, Layout
from blindscore_crypto.sealed.groups.group import SCALAR_BYTES, Group, decode_scalar, encode_scalar

SEED_BYTES = 32
_ASK = struct.Struct(f">{SEED_BYTES}s32s{NONCE_BYTES}s")  # seed, pseudonym, nonce
_FACTS = struct.Struct(f">16s32s32s{NONCE_BYTES}sI")  # signer, layout, pseudonym, nonce, day
_RESULT = struct.Struct(">32siB")  # reply, score, approved


def code_of(group: Group) -> int:
    """Return the code that frames of this group bear; no parameter set of the table has it."""
    return 32 + group.tag


def digest(frame: bytes) -> bytes:
    """Return the 32 bytes by which one frame names another."""
    return hashlib.sha256(b"blindscore/proved/frame/v1" + frame).digest()


@dataclass(frozen=True)
class ChoiceAsk:
    """What an applicant hands to its own bank: choose my bins under this seed, for whoever this pseudonym hides."""

    seed: bytes = field(repr=False)
    pseudonym: bytes
    nonce: bytes
    layout: Layout

    def encode(self, group: Group) -> bytes:
        """Return the ask frame."""
        return pack(Kind.ASK, code_of(group), _ASK.pack(self.seed, self.pseudonym, self.nonce) + self.layout.encode())

    @classmethod
    def decode(cls, frame: bytes, group: Group) -> ChoiceAsk:
        """Return an ask, whole.

        Raises
        ------
        ForgeryError
            Anything is out of form or bounds, or for another group.
        """
        least = HEADER_BYTES + _ASK.size
        if not isinstance(frame, bytes) or not least < len(frame) <= least + MAX_BYTES:
            raise refuse(Kind.ASK, "it is not bytes, or of no possible length")
        body = unpack(frame, Kind.ASK, code_of(group), len(frame) - HEADER_BYTES)
        seed, hidden, nonce = _ASK.unpack_from(body)
        return cls(seed, hidden, nonce, Layout.decode(body[_ASK.size :]))


def choices_bytes(group: Group, layout: Layout) -> int:
    """Bytes of a frame of choices."""
    return HEADER_BYTES + _FACTS.size + group.point_bytes * len(layout.n_bins) + SIGNATURE_BYTES


def sign_choices(attested: Attested, group: Group, key: SigningKey) -> bytes:
    """Return the frame in which a source vouches for choices."""
    a = attested
    facts = _FACTS.pack(a.signer, a.layout, a.pseudonym, a.nonce, a.day)
    return signed(Kind.ATTESTATION, code_of(group), facts + a.upload, key, Purpose.CHOICES)


def read_choices_frame(frame: bytes, group: Group, layout: Layout, sources: dict[bytes, VerifyingKey]) -> Attested:
    """Return what a believed source signed.

    Raises
    ------
    ForgeryError
        Malformed, of an unknown source, or not what that source signed.
    """
    length, code = choices_bytes(group, layout) - HEADER_BYTES, code_of(group)
    body = unpack(frame, Kind.ATTESTATION, code, length)
    key = sources.get(body[:16])
    if key is None:
        raise refuse(Kind.ATTESTATION, "its source is not one that is believed here")
    read_signed(frame, Kind.ATTESTATION, code, length - SIGNATURE_BYTES, key, Purpose.CHOICES)
    signer, fingerprint, hidden, nonce, day = _FACTS.unpack_from(body)
    return Attested(signer, fingerprint, hidden, nonce, day, body[_FACTS.size : -SIGNATURE_BYTES])


def application_bytes(group: Group, layout: Layout) -> int:
    """Bytes of an application frame."""
    return HEADER_BYTES + SALT_BYTES + choices_bytes(group, layout)


def application_frame(group: Group, salt: bytes, choices: bytes) -> bytes:
    """Return the application frame."""
    return pack(Kind.APPLICATION, code_of(group), salt + choices)


def read_application(frame: bytes, group: Group, layout: Layout) -> tuple[bytes, bytes]:
    """Return salt and frame of choices; else :class:`~blindscore.errors.ForgeryError`."""
    length = application_bytes(group, layout) - HEADER_BYTES
    body = unpack(frame, Kind.APPLICATION, code_of(group), length)
    return body[:SALT_BYTES], body[SALT_BYTES:]


def reply_bytes(group: Group, layout: Layout) -> int:
    """Bytes of a reply frame, and of a refusal."""
    return HEADER_BYTES + 32 + 32 + transfer_bytes(group, layout) + SIGNATURE_BYTES


def reply_frame(terms: ProvedTerms, application: bytes, sent: bytes, key: SigningKey) -> bytes:
    """Return the signed reply: to which application, under which terms, and the transfer."""
    body = digest(application) + terms.digest + sent
    return signed(Kind.REPLY, code_of(terms.group), body, key, Purpose.PROVED_REPLY)


def read_reply(frame: bytes, terms: ProvedTerms, application: bytes) -> tuple[bytes, bytes]:
    """Return the digest of the terms under which a lender answers this very application, and the transfer.

    Parameters
    ----------
    terms
        Terms with the lender's key and the length of its replies; whether they are those named is the caller's check.

    Raises
    ------
    ForgeryError
        A refusal, malformed, not the lender's, or an answer to another application.
    """
    length = reply_bytes(terms.group, terms.layout) - HEADER_BYTES - SIGNATURE_BYTES
    body = read_signed(frame, Kind.REPLY, code_of(terms.group), length, terms.signs, Purpose.PROVED_REPLY)
    if body[:32] != digest(application):
        raise refuse(Kind.REPLY, "it answers another application")
    return body[32:64], body[64:]


def refusal_frame(group: Group, layout: Layout) -> bytes:
    """Return the one refusal, as long as a reply, whatever was wrong."""
    return pack(Kind.REFUSAL, code_of(group), bytes(reply_bytes(group, layout) - HEADER_BYTES))


@dataclass(frozen=True)
class Opening:
    """The masked total that a wallet decrypted; hidden in its hash until the lender has shown the masks."""

    nonce: bytes
    masked: int
    salt: bytes = field(repr=False)  # 32 secret bytes

    def encode(self, group: Group) -> bytes:
        """Return the opening frame."""
        return pack(Kind.OPENING, code_of(group), self.nonce + encode_scalar(self.masked) + self.salt)

    @classmethod
    def decode(cls, frame: bytes, group: Group) -> Opening:
        """Return an opening; else :class:`~blindscore.errors.ForgeryError`."""
        body = unpack(frame, Kind.OPENING, code_of(group), NONCE_BYTES + SCALAR_BYTES + SALT_BYTES)
        at = NONCE_BYTES + SCALAR_BYTES
        return cls(body[:NONCE_BYTES], decode_scalar(group, body[NONCE_BYTES:at]), body[at:])


def bound_frame(group: Group, opening: bytes, key: SigningKey) -> bytes:
    """Return what binds a wallet to an opening frame, signed by its application's one-time key."""
    return signed(Kind.BOUND, code_of(group), key.public.raw + digest(opening), key, Purpose.BOUND)


def read_bound(frame: bytes, group: Group) -> tuple[bytes, bytes]:
    """Return the nonce of the application and the hash of its opening; else ``ForgeryError``."""
    body = unpack(frame, Kind.BOUND, code_of(group), PUBLIC_BYTES + 32 + SIGNATURE_BYTES)
    key = VerifyingKey(body[:PUBLIC_BYTES])
    read_signed(frame, Kind.BOUND, code_of(group), PUBLIC_BYTES + 32, key, Purpose.BOUND)
    return nonce_of(key), body[PUBLIC_BYTES:-SIGNATURE_BYTES]


def unmasking_frame(group: Group, reply: bytes, masks: Masks, key: SigningKey) -> bytes:
    """Return the masks of a reply (its digest, 32 bytes), signed."""
    return signed(Kind.UNMASKING, code_of(group), reply + masks.encode(), key, Purpose.UNMASKING)


def read_unmasking(frame: bytes, terms: ProvedTerms, reply: bytes) -> Masks:
    """Return the masks that the lender signed for this very reply frame; else ``ForgeryError``."""
    group = terms.group
    body = read_signed(frame, Kind.UNMASKING, code_of(group), 32 + 3 * SCALAR_BYTES, terms.signs, Purpose.UNMASKING)
    if body[:32] != digest(reply):
        raise refuse(Kind.UNMASKING, "it unmasks another reply")
    return Masks.decode(group, body[32:])


@dataclass(frozen=True)
class ProvedResult:
    """What a lender signs in the end."""

    reply: bytes  # digest
    score: int
    approved: bool

    def sign(self, group: Group, key: SigningKey) -> bytes:
        """Return the result frame."""
        body = _RESULT.pack(self.reply, self.score, self.approved)
        return signed(Kind.RESULT, code_of(group), body, key, Purpose.PROVED_RESULT)

    @classmethod
    def read(cls, frame: bytes, terms: ProvedTerms, reply: bytes) -> ProvedResult:
        """Return what the lender signed for this very reply frame; else ``ForgeryError``."""
        body = read_signed(frame, Kind.RESULT, code_of(terms.group), _RESULT.size, terms.signs, Purpose.PROVED_RESULT)
        answered, score, approved = _RESULT.unpack(body)
        if answered != digest(reply) or approved > 1:
            raise refuse(Kind.RESULT, "it is for another reply, or says neither yes nor no")
        return cls(answered, score, bool(approved))
