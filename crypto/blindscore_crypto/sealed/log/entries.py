"""Entries: what may stand in the log, readable by everybody, each under keys of which the log holds one.

A member (name, role, key) is signed by the registrar, who says which institutions there are, and so is the key to which
requests to a name are sealed when a relay carries them; all else is signed by a member. Keys: a member's name and its
key; (lender, purpose, epoch) for terms, and for those of a secret card that is committed to; (source, layout, epoch)
for a blind-signing key; (office, perk, epoch) for a token key; (name, epoch) for a sealing key. Who sees what: all
is public. Assumptions: Ed25519, SHA-256. Not protected: a registrar that admits one lender under two keys lets it ask
twice; everybody reads that it did.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.ohttp import KeyConfig
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.terms import MAX_BYTES, Epoch, EpochKey, Terms
from blindscore_crypto.sealed.wire import Reader, blob, text, u32

if TYPE_CHECKING:
    from blindscore_crypto.encrypted.proved.terms import ProvedTerms

MAX_ENTRY = MAX_BYTES + 256
CONFIG_BYTES = 41  # of an encoded key configuration with one suite


class Kind(IntEnum):
    """What an entry says."""

    MEMBER = 1
    TERMS = 2
    EPOCH_KEY = 3
    TOKEN_KEY = 4
    PROVED_TERMS = 5  # of ``encrypted-proved``
    SEALING_KEY = 6


_PURPOSE = {
    Kind.MEMBER: Purpose.MEMBER,
    Kind.TERMS: Purpose.TERMS,
    Kind.EPOCH_KEY: Purpose.EPOCH_KEY,
    Kind.TOKEN_KEY: Purpose.TOKEN_KEY,
    Kind.PROVED_TERMS: Purpose.PROVED_TERMS,
    Kind.SEALING_KEY: Purpose.SEALING_KEY,
}
BY_REGISTRAR = {Kind.MEMBER, Kind.SEALING_KEY}
MAY_LOG = {  # role -> what a member of that role may log
    "lender": {Kind.TERMS, Kind.PROVED_TERMS},
    "source": {Kind.EPOCH_KEY},
    "office": {Kind.TERMS, Kind.TOKEN_KEY},
}


@dataclass(frozen=True)
class Member:
    """An institution as the registrar admits it."""

    name: str
    role: str
    key: VerifyingKey

    def encode(self) -> bytes:
        """Return an entry's body."""
        return text("name", self.name) + text("role", self.role) + self.key.raw

    @classmethod
    def decode(cls, data: bytes) -> Member:
        """Return the member that a body names; ForgeryError if it is none."""
        reader = Reader("member", data)
        name, role, raw = reader.text(), reader.text(), reader.take(PUBLIC_BYTES)
        reader.end()
        if role not in MAY_LOG:
            raise ForgeryError(f"member: no role is called {role!r}; there are {', '.join(MAY_LOG)}")
        return cls(name, role, VerifyingKey(raw))


@dataclass(frozen=True)
class SealingKey:
    """The key configuration (RFC 9458) to which all wallets seal what a relay carries to a name, in one epoch."""

    name: str
    epoch: int
    config: KeyConfig

    def encode(self) -> bytes:
        """Return an entry's body."""
        return text("name", self.name) + u32("epoch", self.epoch) + self.config.encode()

    @classmethod
    def decode(cls, data: bytes) -> SealingKey:
        """Return the key that a body publishes, in the one form that it has; ForgeryError if it is none."""
        reader = Reader("sealing key", data)
        name, epoch, raw = reader.text(), reader.number(4), reader.take(CONFIG_BYTES)
        reader.end()
        config = KeyConfig.decode(raw)
        if config.encode() != raw:
            raise ForgeryError("sealing key: not the form of a configuration with the one suite that is spoken")
        return cls(name, epoch, config)


@dataclass(frozen=True)
class Entry:
    """One signed entry."""

    kind: Kind
    issuer: VerifyingKey
    body: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the bytes that the log holds."""
        return bytes([self.kind]) + self.issuer.raw + blob(self.body) + self.signature

    @classmethod
    def decode(cls, data: bytes) -> Entry:
        """Return the entry, after checking that its issuer signed it.

        Raises
        ------
        ForgeryError
            Malformed, of no kind, or a bad signature.
        """
        reader = Reader("log entry", data)
        number = reader.number(1)
        if number not in set(Kind):
            raise ForgeryError(f"log entry: kind {number} is none")
        issuer = VerifyingKey(reader.take(PUBLIC_BYTES))
        body, signature = reader.blob(MAX_ENTRY), reader.take(SIGNATURE_BYTES)
        reader.end()
        entry = cls(Kind(number), issuer, body, signature)
        issuer.require(body, signature, _PURPOSE[entry.kind])
        return entry

    @classmethod
    def sign(cls, kind: Kind, key: SigningKey, body: bytes) -> Entry:
        """Put a name to an entry."""
        return cls(kind, key.public, body, key.sign(body, _PURPOSE[kind]))

    def keys(self) -> tuple[bytes, ...]:
        """Return the keys under which the log holds this entry, and no other.

        Raises
        ------
        ForgeryError
            The body is not what its kind says.
        """
        if self.kind == Kind.MEMBER:
            member = Member.decode(self.body)
            return name_key(member.name), member_key(member.key)
        if self.kind == Kind.SEALING_KEY:
            sealing = SealingKey.decode(self.body)
            return (sealing_key_key(sealing.name, sealing.epoch),)
        if self.kind == Kind.TERMS:
            terms = Terms.decode(self.body)
            return (terms_key(self.issuer, terms.purpose, terms.epoch.number),)
        if self.kind == Kind.PROVED_TERMS:
            proved = proved_terms(self.body)
            return (proved_terms_key(self.issuer, proved.purpose, proved.epoch.number),)
        if self.kind == Kind.EPOCH_KEY:
            key = EpochKey.decode(self.body + self.signature, self.issuer)
            return (epoch_key_key(self.issuer, key.layout, key.epoch),)
        token = TokenKey.decode(self.body)
        return (token_key_key(self.issuer, token.perk, token.epoch.number),)


def proved_terms(body: bytes) -> ProvedTerms:
    """Return the terms of ``encrypted-proved`` that a body is; ForgeryError if it is none."""
    from blindscore_crypto.encrypted.proved.terms import ProvedTerms  # sealed logs need nothing of it

    return ProvedTerms.decode(body)


def _key(what: bytes, *parts: bytes) -> bytes:
    digest = hashlib.sha256(b"blindscore/log/v1/" + what)
    for part in parts:
        digest.update(blob(part))
    return digest.digest()


def name_key(name: str) -> bytes:
    """Return the key of a member by name."""
    return _key(b"name", name.encode())


def member_key(key: VerifyingKey) -> bytes:
    """Return the key of a member by its own key."""
    return _key(b"member", key.raw)


def terms_key(lender: VerifyingKey, purpose: str, epoch: int) -> bytes:
    """Return the key of the one live terms document of a lender, purpose and epoch."""
    return _key(b"terms", lender.raw, purpose.encode(), u32("epoch", epoch))


def proved_terms_key(lender: VerifyingKey, purpose: str, epoch: int) -> bytes:
    """Return the key of the one live commitment to a secret card of a lender, purpose and epoch."""
    return _key(b"proved terms", lender.raw, purpose.encode(), u32("epoch", epoch))


def epoch_key_key(source: VerifyingKey, layout: bytes, epoch: Epoch) -> bytes:
    """Return the key of the one blind-signing key of a source, layout and epoch number."""
    return _key(b"epoch key", source.raw, layout, u32("epoch", epoch.number))


def token_key_key(office: VerifyingKey, perk: int, epoch: int) -> bytes:
    """Return the key of the one token key of an office, perk and epoch."""
    return _key(b"token key", office.raw, u32("perk", perk), u32("epoch", epoch))


def sealing_key_key(name: str, epoch: int) -> bytes:
    """Return the key of the one key, of a name and epoch, to which requests are sealed."""
    return _key(b"sealing key", name.encode(), u32("epoch", epoch))
