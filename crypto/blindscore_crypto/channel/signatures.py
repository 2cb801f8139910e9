"""Signatures: Ed25519 (RFC 8032 section 5.1) over a message that begins with its purpose; keys that save.

What is signed is ``length of the purpose (1 byte) | purpose | message``: no two pairs of purpose and message come out
alike. The curve is OpenSSL's, by the library ``cryptography``, which knows no contexts (Ed25519ctx, Ed25519ph); key
files are written and read by pycryptodome, which takes 210,000 rounds over a passphrase.

Who sees what: whoever holds the public key can check who signed. Assumption: discrete logarithms on edwards25519 and
SHA-512. Does not protect: against quantum computers, or a signer that is coerced, signs a falsehood, or whose key was
stolen.

A public key of small order would let one signature hold for every message: such keys are refused, and so is every
encoding but the one that RFC 8032 gives a point. A sum of a good key and a point of small order is admitted: under it
only its owner can sign, as under any other.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.channel.purposes import Purpose

SIGNATURE_BYTES = 64
PUBLIC_BYTES = 32
ID_BYTES = 16
MIN_PASSPHRASE = 8  # bytes
MAX_FILE = 4096  # bytes of a key file
# PBKDF2 with HMAC-SHA-512 at the rounds that OWASP's password storage guide asks for (2023), then AES-256-CBC.
_PROTECTION = "PBKDF2WithHMAC-SHA512AndAES256-CBC"
_ROUNDS = 210_000
_P = (1 << 255) - 19
# y coordinates of the eight points whose order divides 8; their encodings with either sign of x are refused.
_Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


@lru_cache(maxsize=1024)
def _point_of(raw: bytes) -> ECC.EccKey:
    """Return a public key's point; a party meets the same few institutions' keys in every message."""
    return eddsa.import_public_key(raw)


def _framed(message: bytes, purpose: Purpose) -> bytes:
    return bytes([len(purpose)]) + purpose + message


@dataclass(frozen=True)
class VerifyingKey:
    """The public half: says whether a signature is this signer's.

    Raises
    ------
    ForgeryError
        Not 32 bytes, no point, another encoding than the canonical one, or a point of small order.
    """

    raw: bytes  # 32 bytes, RFC 8032 encoding
    _point: ECC.EccKey = field(init=False, repr=False, compare=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.raw, bytes) or len(self.raw) != PUBLIC_BYTES:
            raise ForgeryError(f"signature key: an Ed25519 public key has {PUBLIC_BYTES} bytes; ask its owner again")
        y = int.from_bytes(self.raw, "little") & ((1 << 255) - 1)
        if y >= _P or y in _SMALL_ORDER:
            raise ForgeryError("signature key: of small order or not in canonical form; under it anything would verify")
        try:
            point = _point_of(self.raw)
        except ValueError:
            raise ForgeryError("signature key: no Ed25519 public key; ask its owner again") from None
        object.__setattr__(self, "_point", point)
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.raw))

    @property
    def id(self) -> bytes:
        """Sixteen bytes that name this key in messages."""
        return hashlib.sha256(b"blindscore/signer/v1" + self.raw).digest()[:ID_BYTES]

    def accepts(self, message: bytes, signature: bytes, purpose: Purpose) -> bool:
        """Whether ``signature`` (64 bytes) was made over ``message`` for this purpose."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            self._key.verify(signature, _framed(message, purpose))
        except InvalidSignature:
            return False
        return True

    def require(self, message: bytes, signature: bytes, purpose: Purpose) -> None:
        """Return if the signature is good.

        Raises
        ------
        ForgeryError
            It is not: other key, other purpose, other message, or altered.
        """
        if not self.accepts(message, signature, purpose):
            raise ForgeryError(f"the signature on this {purpose.name.lower().replace('_', ' ')} does not verify")

    def save(self, path: Path | str) -> None:
        """Write the key as PEM (SubjectPublicKeyInfo, RFC 8410); existing files stay (:class:`DataError`)."""
        _write_new(path, self._point.export_key(format="PEM"))

    @classmethod
    def load(cls, path: Path | str) -> VerifyingKey:
        """Read a key that was saved by us or by ``openssl pkey -pubout``.

        Raises
        ------
        DataError
            No such file, too large, or no Ed25519 public key.
        """
        key = _read(path, None)
        if key.has_private():
            raise DataError(f"{path}: this is a secret key; hand out the public one")
        return cls(key.export_key(format="raw"))


class SigningKey:
    """The secret half, fresh from the operating system's generator. It is not printed, copied or pickled."""

    __slots__ = ("_key", "public")

    def __init__(self) -> None:
        self._take(Ed25519PrivateKey.generate())

    def _take(self, key: Ed25519PrivateKey) -> None:
        self._key, self.public = key, VerifyingKey(key.public_key().public_bytes_raw())

    @classmethod
    def of_seed(cls, seed: bytes) -> SigningKey:
        """Return the key of RFC 8032's 32-byte seed: for known answers; a key that protects anything is made afresh.

        Raises
        ------
        ParameterError
            The seed does not have 32 bytes.
        """
        if len(seed) != PUBLIC_BYTES:
            raise ParameterError(f"an Ed25519 seed has {PUBLIC_BYTES} bytes, got {len(seed)}")
        made = cls.__new__(cls)
        made._take(Ed25519PrivateKey.from_private_bytes(seed))
        return made

    def sign(self, message: bytes, purpose: Purpose) -> bytes:
        """Return the signature (64 bytes) over ``message`` for this purpose."""
        return self._key.sign(_framed(message, purpose))

    def save(self, path: Path | str, passphrase: bytes) -> None:
        """Write the key as encrypted PKCS#8 in PEM, readable by its owner alone; an existing file is left alone.

        Raises
        ------
        ParameterError
            A passphrase of less than eight bytes.
        DataError
            The file exists, or cannot be written.
        """
        if len(passphrase) < MIN_PASSPHRASE:
            raise ParameterError(f"a passphrase has at least {MIN_PASSPHRASE} bytes")
        pem = eddsa.import_private_key(self._key.private_bytes_raw()).export_key(
            format="PEM",
            passphrase=passphrase,
            use_pkcs8=True,
            protection=_PROTECTION,
            prot_params={"iteration_count": _ROUNDS},
        )
        _write_new(path, pem)

    @classmethod
    def load(cls, path: Path | str, passphrase: bytes) -> SigningKey:
        """Read a key that was saved by us or by ``openssl genpkey -algorithm ed25519 -aes-256-cbc``.

        Raises
        ------
        DataError
            No such file, too large, a wrong passphrase, or no Ed25519 secret key.
        """
        key = _read(path, passphrase)
        if not key.has_private():
            raise DataError(f"{path}: this is a public key; a secret one is needed")
        return cls.of_seed(bytes(key.seed))

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id.hex()})"

    def __reduce__(self) -> NoReturn:
        raise ParameterError("a secret key is not copied or pickled; save it under a passphrase and load it there")


def _write_new(path: Path | str, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
    except OSError as error:
        raise DataError(f"{path}: the key was not written: {error.strerror}; name a new file") from None


def _read(path: Path | str, passphrase: bytes | None) -> ECC.EccKey:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise DataError(f"{path}: the key was not read: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise DataError(f"{path}: larger than {MAX_FILE} bytes, which no key is")
    try:
        key = ECC.import_key(data, passphrase=passphrase)
    except (ValueError, IndexError, TypeError, UnicodeDecodeError):
        raise DataError(f"{path}: no key, or another passphrase than it was saved under") from None
    if key.curve != "Ed25519":
        raise DataError(f"{path}: a key of {key.curve}; Ed25519 is needed")
    return key
