"""Signatures: Ed25519 over a hashed message (Ed25519ph, RFC 8032 section 5.1), one context a purpose.

Who sees what: whoever holds the public key can check who signed. Assumption: discrete logarithms on edwards25519 and
SHA-512. Does not protect: against quantum computers, or a signer whose key was stolen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from Crypto.Hash import SHA512
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from blindscore.errors import ForgeryError

SIGNATURE_BYTES = 64
PUBLIC_BYTES = 32


@dataclass(frozen=True)
class VerifyingKey:
    """The public half: says whether a signature is this signer's."""

    raw: bytes  # 32 bytes, RFC 8032 encoding
    _point: ECC.EccKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            point = eddsa.import_public_key(self.raw)
        except (ValueError, TypeError) as error:
            raise ForgeryError("signature key: not an Ed25519 public key of 32 bytes; ask its owner again") from error
        if len(self.raw) != PUBLIC_BYTES:
            raise ForgeryError(f"signature key: {len(self.raw)} bytes, an Ed25519 key has {PUBLIC_BYTES}")
        object.__setattr__(self, "_point", point)

    @property
    def id(self) -> bytes:
        """Sixteen bytes that name this key in messages."""
        return hashlib.sha256(b"blindscore/signer/v1" + self.raw).digest()[:16]

    def accepts(self, message: bytes, signature: bytes, context: bytes) -> bool:
        """Whether ``signature`` (64 bytes) was made over ``message`` for the purpose ``context``."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            eddsa.new(self._point, "rfc8032", context=context).verify(SHA512.new(message), signature)
        except ValueError:
            return False
        return True


class SigningKey:
    """The secret half, fresh from the operating system's generator; it has no method that shows it."""

    def __init__(self) -> None:
        self._key = ECC.generate(curve="Ed25519")
        self.public = VerifyingKey(self._key.public_key().export_key(format="raw"))

    def sign(self, message: bytes, context: bytes) -> bytes:
        """Return the signature (64 bytes) over ``message`` for the purpose ``context`` (at most 255 bytes)."""
        signature: bytes = eddsa.new(self._key, "rfc8032", context=context).sign(SHA512.new(message))
        return signature
