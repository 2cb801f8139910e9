"""Token keys: one a perk and epoch, so that the key says what a token is worth and the token itself says nothing.

Who sees what: public. The log holds one key an office, perk and epoch, since an office with a key for each person could
follow everybody. Source of the encodings: RFC 9578, sections 5.5 and 6.5. Assumption: SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from Crypto.Util.asn1 import DerBitString, DerSequence

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.blind.blind_rsa import BlindPublicKey
from blindscore_crypto.sealed.blind.voprf import P384_SHA384
from blindscore_crypto.sealed.groups.group import Point
from blindscore_crypto.sealed.terms import Epoch
from blindscore_crypto.sealed.wire import Reader, blob, u32

VOPRF, BLIND_RSA = 1, 2  # token types of RFC 9578
RSA_BITS = 2048
_MAX = 1024  # bytes of a public key
# AlgorithmIdentifier of id-RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt length 48 (RFC 9578, section 6.5).
_PSS_ALGORITHM = bytes.fromhex(
    "303d06092a864886f70d01010a3030a00d300b0609608648016503040202"
    "a11a301806092a864886f70d010108300b0609608648016503040202a203020130"
)


def spki(key: BlindPublicKey) -> bytes:
    """Return SubjectPublicKeyInfo with the RSASSA-PSS identifier, DER (RFC 9578, section 6.5)."""
    inner = DerSequence([key.n, key.e]).encode()
    return bytes(DerSequence([_PSS_ALGORITHM, DerBitString(inner).encode()]).encode())


def _rsa_of(data: bytes) -> BlindPublicKey:
    try:
        outer = DerSequence().decode(data, strict=True, nr_elements=2)
        inner = DerSequence().decode(
            DerBitString().decode(outer[1], strict=True).value, strict=True, only_ints_expected=True
        )
        key = BlindPublicKey(int(inner[0]), int(inner[1]))
    except (ValueError, IndexError, TypeError) as error:
        raise ForgeryError(f"token key: no RSA key: {error}") from None
    if key.n.bit_length() != RSA_BITS or spki(key) != data:
        raise ForgeryError(f"token key: type 2 needs a {RSA_BITS}-bit key in the one form that RFC 9578 gives it")
    return key


@dataclass(frozen=True)
class TokenKey:
    """The public key of one perk in one epoch.

    Raises
    ------
    ForgeryError
        No key of its type.
    """

    kind: int  # token type
    perk: int  # threshold, points
    epoch: Epoch  # tokens are granted and taken until its last day
    public: bytes

    def __post_init__(self) -> None:
        if self.kind not in (VOPRF, BLIND_RSA):
            raise ForgeryError(f"token key: type {self.kind} is none of {VOPRF} and {BLIND_RSA}")
        _ = self.rsa if self.kind == BLIND_RSA else self.point

    @cached_property
    def rsa(self) -> BlindPublicKey:
        """The key of type 2."""
        if self.kind != BLIND_RSA:
            raise ParameterError("a key of type 1 is a point")
        return _rsa_of(self.public)

    @cached_property
    def point(self) -> Point:
        """The key of type 1."""
        if self.kind != VOPRF:
            raise ParameterError("a key of type 2 is an RSA key")
        return P384_SHA384.decode(self.public)

    @cached_property
    def key_id(self) -> bytes:
        """SHA-256 of the public key, by which tokens name it."""
        return hashlib.sha256(self.public).digest()

    def encode(self) -> bytes:
        """Return an entry's body."""
        return bytes([self.kind]) + u32("perk", self.perk) + self.epoch.encode() + blob(self.public)

    @classmethod
    def decode(cls, data: bytes) -> TokenKey:
        """Return the key that these bytes encode; ForgeryError if they are none."""
        reader = Reader("token key", data)
        kind, perk, epoch = reader.number(1), reader.number(4), Epoch(reader.number(4), reader.number(4))
        public = reader.blob(_MAX)
        reader.end()
        return cls(kind, perk, epoch, public)
