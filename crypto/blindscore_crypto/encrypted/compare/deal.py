"""Deal: what a source hands lender and helper for one comparison, each sealed to its receiver.

With ``a = beta + o mod t``: the lender's share of the output at m plus the helper's is Delta if ``(m - a) mod t`` lies
below the window, else 0. beta hides what the helper opened from the lender, o the threshold from the helper; Delta is
known to the lender alone, so a helper that changes its share is caught but with chance 2^-63. ``tau_k = kappa_k beta +
mu_k`` is a one-time MAC on beta in the manner of SPDZ (Damgard, Pastro, Smart, Zakarias, 2012): the lender moves its
key kappa_k to the factor of its own mask, so that what the helper opened and beta are authenticated together.

Who sees what: each receiver its own half; the applicant, who carries both, ciphertext (HPKE, RFC 9180). Assumption: an
honest source; X25519, AES-128, ChaCha. Does not protect: source and helper together have everything but the lender's
masks, and read total minus threshold.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.channel import hpke
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.compare import dcf
from blindscore_crypto.encrypted.compare.window import WindowHalf, deal_window, window_bytes
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.wire import BOX_BYTES, NONCE_BYTES, read_signed, signed

LENDER, HELPER = 1, 0
_SEAL_BYTES = hpke.ENC_BYTES + hpke.SEAL_BYTES
_FACTS = struct.Struct(f">16s{NONCE_BYTES}sIB{BOX_BYTES}s")  # signer, nonce, day, party, receiver


def window(p: Parameters) -> int:
    """Return how many values of ``total - threshold`` modulo t stand for yes: a quarter of them."""
    return (p.t + 1) // 4


@dataclass(frozen=True)
class HelpersHalf:
    """What the helper is dealt."""

    beta: int = field(repr=False)
    tags: tuple[int, ...] = field(repr=False)  # tau, K
    binding: bytes  # commitment to the lender's kappa
    window: WindowHalf

    def share(self, p: Parameters, m: int) -> int:
        """Return this party's share of Delta or 0."""
        return self.window.share(p.t, window(p), m)

    def encode(self) -> bytes:
        """Return the bytes of this half."""
        numbers = struct.pack(f">{1 + len(self.tags)}H", self.beta, *self.tags)
        return numbers + self.binding + self.window.encode()

    @classmethod
    def decode(cls, p: Parameters, data: bytes) -> HelpersHalf:
        """Return a half of exactly the right length, numbers in range; else :class:`ForgeryError`."""
        k = p.outputs
        beta, *tags = _numbers(p, data, _half_bytes(p, HELPER), 1 + k)
        at = 2 * (1 + k)
        half = WindowHalf.decode(p.t, HELPER, data[at + 32 :])
        return cls(beta, tuple(tags), data[at : at + 32], half)


@dataclass(frozen=True)
class LendersHalf:
    """What the lender is dealt."""

    offset: int = field(repr=False)  # o
    kappa: tuple[int, ...] = field(repr=False)  # K
    mu: tuple[int, ...] = field(repr=False)  # K
    salt: bytes = field(repr=False)  # opens the helper's binding
    delta: int = field(repr=False)
    window: WindowHalf

    def share(self, p: Parameters, m: int) -> int:
        """Return this party's share of Delta or 0."""
        return self.window.share(p.t, window(p), m)

    def encode(self) -> bytes:
        """Return the bytes of this half."""
        numbers = struct.pack(f">{1 + 2 * len(self.mu)}H", self.offset, *self.kappa, *self.mu)
        return numbers + self.salt + self.delta.to_bytes(8) + self.window.encode()

    @classmethod
    def decode(cls, p: Parameters, data: bytes) -> LendersHalf:
        """Return a half of exactly the right length, numbers in range; else :class:`ForgeryError`."""
        k = p.outputs
        offset, *numbers = _numbers(p, data, _half_bytes(p, LENDER), 1 + 2 * k)
        at = 2 * (1 + 2 * k)
        salt, delta = data[at : at + 16], int.from_bytes(data[at + 16 : at + 24])
        half = WindowHalf.decode(p.t, LENDER, data[at + 24 :])
        return cls(offset, tuple(numbers[:k]), tuple(numbers[k:]), salt, delta, half)


def binding(kappa: tuple[int, ...], salt: bytes) -> bytes:
    """Return the commitment (32 bytes) to the lender's keys of the MAC on beta."""
    return hashlib.sha256(b"blindscore/kappa/v1" + salt + struct.pack(f">{len(kappa)}H", *kappa)).digest()


def deal(p: Parameters) -> tuple[HelpersHalf, LendersHalf]:
    """Deal one comparison; it hangs on nobody's secret."""
    t, k = p.t, p.outputs
    beta, offset = secrets.randbelow(t), secrets.randbelow(t)
    kappa = tuple(secrets.randbelow(t) for _ in range(k))
    mu = tuple(secrets.randbelow(t) for _ in range(k))
    delta = 1 + secrets.randbelow(dcf.MODULUS - 1)
    helpers, lenders = deal_window(t, (beta + offset) % t, delta)
    salt = secrets.token_bytes(16)
    tags = tuple((a * beta + b) % t for a, b in zip(kappa, mu, strict=True))
    helper = HelpersHalf(beta, tags, binding(kappa, salt), helpers)
    return helper, LendersHalf(offset, kappa, mu, salt, delta, lenders)


def _half_bytes(p: Parameters, party: int) -> int:
    numbers = 1 + p.outputs * (2 if party == LENDER else 1)
    return 2 * numbers + (16 + 8 if party == LENDER else 32) + window_bytes(p.t)


def _numbers(p: Parameters, data: bytes, length: int, count: int) -> tuple[int, ...]:
    if len(data) != length:
        raise ForgeryError(f"dealt keys refused: {len(data)} bytes, not {length}; apply again")
    numbers = struct.unpack_from(f">{count}H", data)
    if max(numbers) >= p.t:
        raise ForgeryError("dealt keys refused: a number is not below the modulus; apply again")
    return numbers


# -- frames -----------------------------------------------------------------------------------------------------------


def keys_bytes(p: Parameters, party: int) -> int:
    """Bytes of a keys frame."""
    return HEADER_BYTES + _FACTS.size + _half_bytes(p, party) + _SEAL_BYTES + SIGNATURE_BYTES


def seal(
    p: Parameters, half: HelpersHalf | LendersHalf, box: bytes, nonce: bytes, day: int, signer: SigningKey
) -> bytes:
    """Return a keys frame: a half that its receiver alone can read, signed.

    Raises
    ------
    ForgeryError
        The receiver's box is no X25519 public key.
    """
    party = LENDER if isinstance(half, LendersHalf) else HELPER
    try:
        sealed = hpke.seal(box, half.encode(), _info(p, nonce, party), hpke.Aead.AES128_GCM)
    except ForgeryError:
        raise refuse(Kind.ASK, "a receiver's box is no X25519 key") from None
    facts = _FACTS.pack(signer.public.id, nonce, day, party, box)
    return signed(Kind.KEYS, p.code, facts + sealed, signer, Purpose.COMPARISON_KEYS)


@dataclass(frozen=True)
class SealedKeys:
    """A keys frame whose source is believed, not opened yet."""

    nonce: bytes
    day: int
    party: int
    box: bytes
    sealed: bytes

    @classmethod
    def read(cls, p: Parameters, frame: bytes, party: int, sources: dict[bytes, VerifyingKey]) -> SealedKeys:
        """Return what a believed source signed for this party.

        Raises
        ------
        ForgeryError
            Malformed, of an unknown source, unsigned, or dealt to the other party.
        """
        length = keys_bytes(p, party) - HEADER_BYTES
        body = unpack(frame, Kind.KEYS, p.code, length)
        key = sources.get(body[:16])
        if key is None:
            raise refuse(Kind.KEYS, "its source is not one that is believed here")
        read_signed(frame, Kind.KEYS, p.code, length - SIGNATURE_BYTES, key, Purpose.COMPARISON_KEYS)
        _, nonce, day, dealt_to, box = _FACTS.unpack_from(body)
        if dealt_to != party:
            raise refuse(Kind.KEYS, "it was dealt to the other party")
        return cls(nonce, day, party, box, body[_FACTS.size : -SIGNATURE_BYTES])

    def open(self, p: Parameters, secret: bytes) -> bytes:
        """Return the half inside, as bytes.

        Raises
        ------
        ForgeryError
            It is not sealed to this key, or altered.
        """
        try:
            return hpke.unseal(secret, self.box, self.sealed, _info(p, self.nonce, self.party), hpke.Aead.AES128_GCM)
        except ForgeryError:
            raise refuse(Kind.KEYS, "it is not sealed to this receiver") from None


def _info(p: Parameters, nonce: bytes, party: int) -> bytes:
    return b"blindscore/dealt/v1" + bytes([p.code, party]) + nonce
